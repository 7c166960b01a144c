package discovery_test

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/starling-sync/starling/discovery"
)

func TestDialsStaticPeersThoughTheyAreNoMembersYet(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	start(t, discovery.Options{Host: a, Members: membersOf()})
	start(t, discovery.Options{Host: b, Members: membersOf(), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 5*time.Second, connected(b, a.ID()))
}

func TestRedialsWhenAConnectionIsLost(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	start(t, discovery.Options{Host: b, Members: membersOf(a.ID()), Static: []peer.AddrInfo{infoOf(a)}})
	for range 3 {
		within(t, 5*time.Second, connected(b, a.ID()))
		if err := a.Network().ClosePeer(b.ID()); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Second, func() error {
			if connected(a, b.ID())() == nil {
				return errors.New("a still has the connection that it closed")
			}
			return nil
		})
	}
	within(t, 5*time.Second, connected(b, a.ID()))
}

func TestReachesAPeerThatComesBackAtTheSameAddress(t *testing.T) {
	key := newKey(t)
	a, b := newHost(t, key, anyPort), newHost(t, newKey(t), anyPort)
	at := infoOf(a)
	start(t, discovery.Options{Host: b, Members: membersOf(a.ID()), Static: []peer.AddrInfo{at}})
	within(t, 5*time.Second, connected(b, at.ID))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, func() error {
		if connected(b, at.ID)() == nil {
			return errors.New("b still has a connection to a closed host")
		}
		return nil
	})
	newHost(t, key, at.Addrs[0].String())
	// The swarm's own backoff alone would be 5 s and more.
	within(t, 4*time.Second, connected(b, at.ID))
}

func TestNudgeFindsANewMember(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	var m members
	d := start(t, discovery.Options{Host: b, Members: m.list})
	b.Peerstore().AddAddrs(a.ID(), a.Addrs(), time.Hour)
	if connected(b, a.ID())() == nil {
		t.Fatal("connected to a peer that is no member")
	}
	m.set(a.ID())
	d.Nudge()
	within(t, 5*time.Second, connected(b, a.ID()))
}

func TestLeavesAFormerMemberAlone(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	c := newHost(t, newKey(t), anyPort)
	var m members
	m.set(a.ID(), c.ID())
	b.Peerstore().AddAddrs(a.ID(), a.Addrs(), time.Hour)
	b.Peerstore().AddAddrs(c.ID(), c.Addrs(), time.Hour)
	start(t, discovery.Options{Host: b, Members: m.list, NoDHT: true})
	within(t, 5*time.Second, connected(b, a.ID()))
	within(t, 5*time.Second, connected(b, c.ID()))

	// No nudge: the loss of the connections is the news.
	m.set(c.ID())
	for _, p := range []peer.ID{a.ID(), c.ID()} {
		if err := b.Network().ClosePeer(p); err != nil {
			t.Fatal(err)
		}
	}
	within(t, 5*time.Second, connected(b, c.ID()))
	if connected(b, a.ID())() == nil {
		t.Error("connected to a peer that is a member no more")
	}
}

// A door takes connections and counts them. It hangs up at once, or says nothing
// until the test ends.
func door(t *testing.T, hangUp bool) (ma.Multiaddr, *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var knocks atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			knocks.Add(1)
			if hangUp {
				_ = c.Close()
			} else {
				defer c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	addr, err := manet.FromNetAddr(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return addr, &knocks
}

func TestBacksOffFromAPeerThatHangsUp(t *testing.T) {
	t.Parallel()
	addr, knocks := door(t, true)
	b := newHost(t, newKey(t), anyPort)
	p := idOf(t, newKey(t))
	begin := time.Now()
	start(t, discovery.Options{Host: b, Members: membersOf(p), Static: []peer.AddrInfo{{ID: p, Addrs: []ma.Multiaddr{addr}}}})
	within(t, 10*time.Second, func() error {
		if got := knocks.Load(); got < 4 {
			return fmt.Errorf("%d dials, want 4", got)
		}
		return nil
	})
	// Three waits: from 250, 500 and 1,000 ms to twice that.
	if took := time.Since(begin); took < 1750*time.Millisecond {
		t.Errorf("4 dials took %v, want at least 1.75 s", took)
	}
}

// A refuser is a gater that lets everybody through the handshake and nobody
// further, as a node does whose set has not heard of the other yet.
type refuser struct{ refused atomic.Int64 }

func (r *refuser) InterceptPeerDial(peer.ID) bool               { return true }
func (r *refuser) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }
func (r *refuser) InterceptAccept(network.ConnMultiaddrs) bool  { return true }
func (r *refuser) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}
func (r *refuser) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) {
	r.refused.Add(1)
	return false, 0
}

func TestBacksOffFromAPeerThatDropsTheConnection(t *testing.T) {
	t.Parallel()
	var gate refuser
	a := newHost(t, newKey(t), anyPort, libp2p.ConnectionGater(&gate))
	b := newHost(t, newKey(t), anyPort)
	begin := time.Now()
	start(t, discovery.Options{Host: b, Members: membersOf(a.ID()), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 10*time.Second, func() error {
		if got := gate.refused.Load(); got < 4 {
			return fmt.Errorf("%d connections, want 4", got)
		}
		return nil
	})
	if took := time.Since(begin); took < 1750*time.Millisecond {
		t.Errorf("4 dials took %v, want at least 1.75 s", took)
	}
}

func TestManyDeadPeersDoNotHoldUpALiveOne(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	addr, _ := door(t, true)
	static := []peer.AddrInfo{}
	for range 40 {
		static = append(static, peer.AddrInfo{ID: idOf(t, newKey(t)), Addrs: []ma.Multiaddr{addr}})
	}
	static = append(static, infoOf(a))
	start(t, discovery.Options{Host: b, Members: membersOf(), Static: static})
	within(t, 5*time.Second, connected(b, a.ID()))
}

func TestInventedPeersLeaveRoomForMembers(t *testing.T) {
	silent, knocks := door(t, false)
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	var m members
	d := start(t, discovery.Options{Host: b, Members: m.list})
	for range 200 {
		d.Propose(peer.AddrInfo{ID: idOf(t, newKey(t)), Addrs: []ma.Multiaddr{silent}})
	}
	within(t, 5*time.Second, func() error {
		if got := knocks.Load(); got < 4 {
			return fmt.Errorf("%d invented peers are being dialed, want 4", got)
		}
		return nil
	})
	m.set(a.ID())
	b.Peerstore().AddAddrs(a.ID(), a.Addrs(), time.Hour)
	d.Nudge()
	// A dial to one that never answers takes 10 s.
	within(t, 4*time.Second, connected(b, a.ID()))
}

func TestTwoThatKnowEachOtherEndUpWithOneConnection(t *testing.T) {
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	var ma, mb members
	da := start(t, discovery.Options{Host: a, Members: ma.list})
	db := start(t, discovery.Options{Host: b, Members: mb.list})
	a.Peerstore().AddAddrs(b.ID(), b.Addrs(), time.Hour)
	b.Peerstore().AddAddrs(a.ID(), a.Addrs(), time.Hour)
	ma.set(b.ID())
	mb.set(a.ID())
	da.Nudge()
	db.Nudge()
	within(t, 5*time.Second, connected(b, a.ID()))
	within(t, 5*time.Second, connected(a, b.ID()))
	if got := len(a.Network().ConnsToPeer(b.ID())); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	for failures, want := range map[int][2]time.Duration{
		1:    {250 * time.Millisecond, 500 * time.Millisecond},
		2:    {500 * time.Millisecond, time.Second},
		7:    {16 * time.Second, 32 * time.Second},
		8:    {30 * time.Second, time.Minute},
		9:    {30 * time.Second, time.Minute},
		1000: {30 * time.Second, time.Minute},
	} {
		seen := map[time.Duration]bool{}
		for range 200 {
			got := discovery.Backoff(failures)
			seen[got] = true
			if got < want[0] || got > want[1] {
				t.Errorf("after %d failures: %v, want within %v", failures, got, want)
			}
		}
		if len(seen) < 100 {
			t.Errorf("after %d failures: %d different waits of 200, want jitter", failures, len(seen))
		}
	}
}

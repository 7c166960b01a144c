package discovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/starling-sync/starling/discovery"
)

func TestDHTLeadsToAMemberThatOnlyAnotherKnows(t *testing.T) {
	a, c, d := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	all := func(but host.Host) func() []peer.ID {
		var ids []peer.ID
		for _, h := range []host.Host{a, c, d} {
			if h != but {
				ids = append(ids, h.ID())
			}
		}
		return membersOf(ids...)
	}
	start(t, discovery.Options{Host: a, Members: all(a)})
	// d's own search is off, so that only c can bring the two together.
	start(t, discovery.Options{Host: d, Members: membersOf(), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 5*time.Second, connected(a, d.ID()))

	start(t, discovery.Options{Host: c, Members: all(c), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 10*time.Second, connected(c, d.ID()))
}

func TestDHTLeadsToAMemberThatComesLater(t *testing.T) {
	t.Parallel()
	a, c := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	key := newKey(t)
	later := idOf(t, key)
	start(t, discovery.Options{Host: a, Members: membersOf(later, c.ID())})
	start(t, discovery.Options{Host: c, Members: membersOf(later, a.ID()), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 5*time.Second, connected(c, a.ID()))

	d := newHost(t, key, anyPort)
	start(t, discovery.Options{Host: d, Members: membersOf(), Static: []peer.AddrInfo{infoOf(a)}})
	within(t, 5*time.Second, connected(a, later))
	within(t, 20*time.Second, connected(c, later))
}

func TestDHTIsPrivateToTheClusterAndCanBeOff(t *testing.T) {
	for _, off := range []bool{false, true} {
		h := newHost(t, newKey(t), anyPort)
		start(t, discovery.Options{Host: h, Members: membersOf(), NoDHT: off})
		var got []protocol.ID
		for _, p := range h.Mux().Protocols() {
			if strings.Contains(string(p), "kad") {
				got = append(got, p)
			}
		}
		var want []protocol.ID
		if !off {
			want = append(want, "/starling/0/"+cluster+"/kad/1.0.0")
		}
		if !slices.Equal(got, want) {
			t.Errorf("DHT off is %v: protocols %q, want %q", off, got, want)
		}
	}
}

func TestAWholeClusterMeetsThroughOneMember(t *testing.T) {
	const n = 6
	hosts := make([]host.Host, n)
	ids := make([]peer.ID, n)
	for i := range hosts {
		hosts[i] = newHost(t, newKey(t), anyPort)
		ids[i] = hosts[i].ID()
	}
	for i, h := range hosts {
		var static []peer.AddrInfo
		if i > 0 {
			static = []peer.AddrInfo{infoOf(hosts[0])}
		}
		start(t, discovery.Options{Host: h, Members: membersOf(ids...), Static: static})
	}
	within(t, 20*time.Second, func() error {
		missing := 0
		for i, h := range hosts {
			for j := range hosts {
				if i != j && connected(h, ids[j])() != nil {
					missing++
				}
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d connections missing", missing, n*(n-1))
		}
		return nil
	})
}

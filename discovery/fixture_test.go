package discovery_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/starling-sync/starling/discovery"
)

const cluster = "a-cluster-of-the-tests"

// stack returns a host like a node's: private network, TCP, Noise, yamux. It does
// not listen if listen is empty.
func stack(key crypto.PrivKey, psk pnet.PSK, listen string, more ...libp2p.Option) (host.Host, error) {
	options := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.PrivateNetwork(psk),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	}
	if listen == "" {
		options = append(options, libp2p.NoListenAddrs)
	} else {
		options = append(options, libp2p.ListenAddrStrings(listen))
	}
	return libp2p.New(append(options, more...)...)
}

func newKey(t testing.TB) crypto.PrivKey {
	t.Helper()
	_, seed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.UnmarshalEd25519PrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func idOf(t testing.TB, key crypto.PrivKey) peer.ID {
	t.Helper()
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// testPSK is no secret: it keeps the tests' hosts to themselves.
func testPSK() pnet.PSK { return slices.Repeat(pnet.PSK{7}, 32) }

func newHost(t testing.TB, key crypto.PrivKey, listen string, more ...libp2p.Option) host.Host {
	t.Helper()
	h, err := stack(key, testPSK(), listen, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

const anyPort = "/ip4/127.0.0.1/tcp/0"

func infoOf(h host.Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

// members is a set of members that a test can change.
type members struct {
	mu  sync.Mutex
	ids []peer.ID
}

func (m *members) set(ids ...peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ids = ids
}

func (m *members) list() []peer.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ids)
}

func membersOf(ids ...peer.ID) func() []peer.ID {
	return func() []peer.ID { return slices.Clone(ids) }
}

func start(t testing.TB, o discovery.Options) *discovery.Discovery {
	t.Helper()
	o.Cluster = cluster
	o.NoMDNS = true // The machine's network is not the tests': see netns_test.go.
	d, err := discovery.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// within polls until ok returns nil. The limit is a quiet machine's; a loaded one
// gets several times as long.
func within(t testing.TB, limit time.Duration, ok func() error) {
	t.Helper()
	limit *= 4
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after %v still: %v", limit, err)
		case <-tick.C:
		}
	}
}

func connected(a host.Host, b peer.ID) func() error {
	return func() error {
		if got := a.Network().Connectedness(b); got != network.Connected {
			return fmt.Errorf("%s to %s: %v, want connected", a.ID(), b, got)
		}
		return nil
	}
}

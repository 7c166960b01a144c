package crdt_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// testCluster is an authority and the keys of members.
type testCluster struct {
	authority crypto.PrivKey
	id        trust.ClusterID
}

func newCluster(t testing.TB) *testCluster {
	t.Helper()
	c := &testCluster{authority: newKey(t)}
	id, err := trust.ClusterOf(c.authority.GetPublic())
	if err != nil {
		t.Fatal(err)
	}
	c.id = id
	return c
}

func newKey(t testing.TB) crypto.PrivKey {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
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

// open opens a replica in dir.
func (c *testCluster) open(t testing.TB, dir string, key crypto.PrivKey) *crdt.Replica {
	t.Helper()
	r, err := crdt.Open(t.Context(), crdt.Options{Dir: dir, Cluster: c.id, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found opens a new replica whose key is the cluster's first writer.
func (c *testCluster) found(t testing.TB) (*crdt.Replica, []byte) {
	t.Helper()
	key := newKey(t)
	r := c.open(t, t.TempDir(), key)
	t.Cleanup(func() { closeReplica(t, r) })
	if err := r.SetRules(t.Context(), c.authority, 1); err != nil {
		t.Fatal(err)
	}
	return r, c.grant(t, r, key, "first", trust.RoleWriter)
}

func (c *testCluster) grant(t testing.TB, r *crdt.Replica, key crypto.PrivKey, name string, role trust.Role) []byte {
	t.Helper()
	grant, _, err := r.Grant(t.Context(), c.authority, trust.Grant{Member: idOf(t, key), Name: name, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

func closeReplica(t testing.TB, r *crdt.Replica) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// openGate lets everybody in who shows anything.
type openGate struct{}

func (openGate) Present(peer.ID, []byte) error { return nil }
func (openGate) IsMember(peer.ID) bool         { return true }

// newHost starts a libp2p host on loopback in a private network.
func newHost(t testing.TB, key crypto.PrivKey, psk pnet.PSK) host.Host {
	t.Helper()
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.PrivateNetwork(psk),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// members opens n replicas of one cluster whose exchanges run over loopback.
// They are not connected yet.
func members(t testing.TB, n int) ([]*crdt.Replica, []host.Host) {
	t.Helper()
	c := newCluster(t)
	psk := make([]byte, 32)
	if _, err := rand.Read(psk); err != nil {
		t.Fatal(err)
	}
	var replicas []*crdt.Replica
	var hosts []host.Host
	keys := make([]crypto.PrivKey, n)
	for i := range n {
		keys[i] = newKey(t)
		r := c.open(t, t.TempDir(), keys[i])
		t.Cleanup(func() { closeReplica(t, r) })
		replicas = append(replicas, r)
	}
	if err := replicas[0].SetRules(t.Context(), c.authority, 1); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		grant := c.grant(t, replicas[0], keys[i], fmt.Sprintf("node-%d", i), trust.RoleWriter)
		h := newHost(t, keys[i], psk)
		x, err := crdt.NewExchange(replicas[i], crdt.ExchangeOptions{Host: h, Gate: openGate{}, Grant: grant, HelloInterval: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Close)
		hosts = append(hosts, h)
	}
	return replicas, hosts
}

func connect(t testing.TB, a, b host.Host) {
	t.Helper()
	if err := a.Connect(t.Context(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// eventually polls until check returns nil, or fails with its last error.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// equal reports how replicas differ.
func equal(replicas ...*crdt.Replica) error {
	for i, r := range replicas[1:] {
		if got, want := r.Heads(), replicas[0].Heads(); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("replica %d has heads %v, replica 0 %v", i+1, got, want)
		}
		if got, want := r.Digest(), replicas[0].Digest(); got != want {
			return fmt.Errorf("replica %d has view %v, replica 0 %v", i+1, got, want)
		}
	}
	return nil
}

func path(t testing.TB, s string) definition.Path {
	t.Helper()
	p, err := definition.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// put appends new content for a path on top of its present heads.
func put(t testing.TB, r *crdt.Replica, name, content string) definition.Version {
	t.Helper()
	p := path(t, name)
	e := definition.Edit{Path: p, Parents: r.View(p).Heads, Content: []byte(content), Deleted: content == ""}
	versions, err := r.Append(t.Context(), definition.Draft{Edits: []definition.Edit{e}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return versions[0]
}

// content reads what stands for a path, "" if it is absent.
func content(t testing.TB, r *crdt.Replica, name string) string {
	t.Helper()
	_, b, err := r.Read(t.Context(), path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

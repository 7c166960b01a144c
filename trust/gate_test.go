package trust_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/starling-sync/starling/trust"
)

const (
	helloProtocol protocol.ID = "/test/hello"
	gatedProtocol protocol.ID = "/test/gated"
)

// node is a host behind a gate. Its gated handler counts and echoes, its hello
// handler echoes.
type node struct {
	gate    *trust.Gate
	host    host.Host // gated
	inner   host.Host
	reached atomic.Int32

	mu       sync.Mutex
	standing map[peer.ID]trust.Standing
}

// startNode starts a node of the cluster whose authority is keyOf(1).
func startNode(tb testing.TB, key crypto.PrivKey, change func(*trust.GateOptions)) *node {
	tb.Helper()
	authority := keyOf(tb, 1)
	n := &node{standing: make(map[peer.ID]trust.Standing)}
	o := trust.GateOptions{
		Cluster:       clusterOf(tb, authority),
		Authority:     authority.GetPublic(),
		Standing:      n.standingOf,
		OpenProtocols: []protocol.ID{helloProtocol, trust.JoinProtocol},
		HelloTimeout:  time.Minute,
	}
	if change != nil {
		change(&o)
	}
	n.gate = trust.NewGate(o)
	n.inner = startHost(tb, key, testPSK, libp2p.ConnectionGater(n.gate))
	n.host = n.gate.Host(n.inner)
	n.host.SetStreamHandler(gatedProtocol, func(s network.Stream) {
		n.reached.Add(1)
		echo(s)
	})
	n.host.SetStreamHandler(helloProtocol, echo)
	n.gate.Start(n.inner)
	tb.Cleanup(func() { n.gate.Close() })
	return n
}

func (n *node) standingOf(p peer.ID) trust.Standing {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.standing[p]
}

// learn is what happens when a statement about a peer is admitted.
func (n *node) learn(p peer.ID, s trust.Standing) {
	n.mu.Lock()
	n.standing[p] = s
	n.mu.Unlock()
	n.gate.Recheck()
}

func echo(s network.Stream) {
	defer s.Close()
	_, _ = io.Copy(s, s)
}

// talk opens a stream and has one byte echoed.
func talk(tb testing.TB, from, to host.Host, pid protocol.ID) error {
	tb.Helper()
	s, err := from.NewStream(testContext(tb), to.ID(), pid)
	if err != nil {
		return err
	}
	defer s.Reset()
	return talkOn(s)
}

func talkOn(s network.Stream) error {
	if _, err := s.Write([]byte{1}); err != nil {
		return err
	}
	_, err := io.ReadFull(s, make([]byte, 1))
	return err
}

func cutFrom(from, to host.Host) func() error {
	return func() error {
		if c := from.Network().Connectedness(to.ID()); c != network.NotConnected {
			return errors.New("connection is still there: " + c.String())
		}
		return nil
	}
}

func TestStrangerReachesNothing(t *testing.T) {
	a := startNode(t, keyOf(t, 2), func(o *trust.GateOptions) { o.HelloTimeout = 300 * time.Millisecond })
	x := startHost(t, keyOf(t, 3), testPSK)
	connect(t, x, a.inner)
	if err := talk(t, x, a.inner, helloProtocol); err != nil {
		t.Errorf("hello of a stranger: %v", err)
	}
	if err := talk(t, x, a.inner, gatedProtocol); err == nil {
		t.Error("a stranger's gated stream was answered")
	}
	eventually(t, cutFrom(x, a.inner))
	if n := a.reached.Load(); n != 0 {
		t.Errorf("a stranger reached the gated handler %d times", n)
	}
	if a.gate.IsMember(x.ID()) {
		t.Error("IsMember(stranger) = true")
	}
}

func TestMemberOfTheSetPasses(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	b := startNode(t, keyOf(t, 3), nil)
	a.learn(b.inner.ID(), trust.StandingMember)
	b.learn(a.inner.ID(), trust.StandingMember)
	connect(t, b.inner, a.inner)
	if err := talk(t, b.host, a.inner, gatedProtocol); err != nil {
		t.Errorf("gated stream of a member: %v", err)
	}
	if err := talk(t, a.host, b.inner, gatedProtocol); err != nil {
		t.Errorf("gated stream of a member, the other way: %v", err)
	}
}

// A stream that came before the hello waits for it, on the node that it came to
// and on the node that opens it.
func TestStreamsWaitForTheHello(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	b := startNode(t, keyOf(t, 3), nil)
	connect(t, b.inner, a.inner)
	early := must(b.inner.NewStream(testContext(t), a.inner.ID(), gatedProtocol))
	defer early.Reset()
	inward, outward := make(chan error, 1), make(chan error, 1)
	go func() { inward <- talkOn(early) }()
	go func() { outward <- talk(t, a.host, b.inner, gatedProtocol) }()
	// The hello is behind them on the wire and passes.
	if err := talk(t, b.host, a.inner, helloProtocol); err != nil {
		t.Fatalf("hello: %v", err)
	}
	if a.reached.Load() != 0 || b.reached.Load() != 0 {
		t.Error("a gated handler was reached before the grant was presented")
	}
	if err := a.gate.Present(b.inner.ID(), grantFor(t, keyOf(t, 1), b.inner.ID(), "b")); err != nil {
		t.Fatal(err)
	}
	if err := <-inward; err != nil {
		t.Errorf("stream that waited: %v", err)
	}
	if err := b.gate.Present(a.inner.ID(), grantFor(t, keyOf(t, 1), a.inner.ID(), "a")); err != nil {
		t.Fatal(err)
	}
	if err := <-outward; err != nil {
		t.Errorf("NewStream that waited: %v", err)
	}
}

func TestRecheckLetsIn(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	x := startHost(t, keyOf(t, 3), testPSK)
	connect(t, x, a.inner)
	done := make(chan error, 1)
	go func() { done <- talk(t, x, a.inner, gatedProtocol) }()
	a.learn(x.ID(), trust.StandingMember)
	if err := <-done; err != nil {
		t.Errorf("stream of a node whose grant was admitted meanwhile: %v", err)
	}
}

func TestRevocationCuts(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	b := startHost(t, keyOf(t, 3), testPSK)
	a.learn(b.ID(), trust.StandingMember)
	connect(t, b, a.inner)
	if err := talk(t, b, a.inner, gatedProtocol); err != nil {
		t.Fatalf("gated stream of a member: %v", err)
	}
	a.learn(b.ID(), trust.StandingRevoked)
	eventually(t, cutFrom(b, a.inner))
	eventually(t, cutFrom(a.inner, b))

	before := a.reached.Load()
	if err := b.Connect(testContext(t), addrInfo(a.inner)); err == nil {
		eventually(t, cutFrom(b, a.inner)) // the dialler may learn it late
	}
	if err := talk(t, b, a.inner, gatedProtocol); err == nil || a.reached.Load() != before {
		t.Errorf("gated stream of a revoked node: got %v", err)
	}
	if err := a.host.Connect(testContext(t), addrInfo(b)); err == nil {
		t.Error("dial of a revoked node: got nil, want an error")
	}
	if err := a.gate.Present(b.ID(), grantFor(t, keyOf(t, 1), b.ID(), "b")); !errors.Is(err, trust.ErrRevoked) {
		t.Errorf("Present of a revoked node: got %v, want ErrRevoked", err)
	}
	if a.gate.IsMember(b.ID()) {
		t.Error("IsMember(revoked) = true")
	}
}

// A grant that was presented does not outlive its revocation.
func TestRevocationBeatsThePresentedGrant(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	b := startHost(t, keyOf(t, 3), testPSK)
	connect(t, b, a.inner)
	if err := a.gate.Present(b.ID(), grantFor(t, keyOf(t, 1), b.ID(), "b")); err != nil {
		t.Fatal(err)
	}
	if err := talk(t, b, a.inner, gatedProtocol); err != nil {
		t.Fatalf("gated stream: %v", err)
	}
	a.learn(b.ID(), trust.StandingRevoked)
	eventually(t, cutFrom(b, a.inner))
	if a.gate.IsMember(b.ID()) {
		t.Error("IsMember(revoked) = true")
	}
}

func TestPresentRefuses(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	b, x := peerOf(t, keyOf(t, 3)), peerOf(t, keyOf(t, 4))
	good := grantFor(t, keyOf(t, 1), b, "b")
	for name, tt := range map[string]struct {
		peer  peer.ID
		grant []byte
		want  error
	}{
		"nothing":            {b, nil, trust.ErrEncoding},
		"grant of another":   {x, good, trust.ErrForeign},
		"self-made grant":    {x, grantFor(t, keyOf(t, 4), x, "x"), trust.ErrForeign},
		"changed grant":      {b, append(good[:len(good)-1:len(good)-1], good[len(good)-1]^1), trust.ErrSignature},
		"good, for contrast": {b, good, nil},
	} {
		if err := a.gate.Present(tt.peer, tt.grant); !errors.Is(err, tt.want) {
			t.Errorf("Present(%s): got %v, want %v", name, err, tt.want)
		}
	}
	if !a.gate.IsMember(b) || a.gate.IsMember(x) {
		t.Errorf("IsMember: got %v for the granted and %v for the other", a.gate.IsMember(b), a.gate.IsMember(x))
	}
}

func TestNewStreamToAStranger(t *testing.T) {
	a := startNode(t, keyOf(t, 2), func(o *trust.GateOptions) { o.HelloTimeout = 200 * time.Millisecond })
	x := startHost(t, keyOf(t, 3), testPSK)
	var reached atomic.Int32
	x.SetStreamHandler(gatedProtocol, func(s network.Stream) { reached.Add(1); s.Reset() })
	a.inner.Peerstore().AddAddrs(x.ID(), x.Addrs(), time.Hour)
	if _, err := a.host.NewStream(testContext(t), x.ID(), gatedProtocol); err == nil {
		t.Error("NewStream to a stranger: got nil, want an error")
	}
	if _, err := a.host.NewStream(testContext(t), x.ID(), helloProtocol, gatedProtocol); err == nil {
		t.Error("NewStream to a stranger with a hello beside: got nil, want an error")
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := a.host.NewStream(ctx, x.ID(), gatedProtocol); !errors.Is(err, context.Canceled) {
		t.Errorf("NewStream with an ended context: got %v, want Canceled", err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the stranger was spoken to %d times", n)
	}
}

func TestStrangersAreBounded(t *testing.T) {
	a := startNode(t, keyOf(t, 2), func(o *trust.GateOptions) { o.MaxStrangers = 2 })
	for i := range 2 {
		x := startHost(t, keyOf(t, byte(10+i)), testPSK)
		connect(t, x, a.inner)
		if err := talk(t, x, a.inner, helloProtocol); err != nil {
			t.Fatalf("hello of stranger %d: %v", i, err)
		}
	}
	x := startHost(t, keyOf(t, 20), testPSK)
	if err := x.Connect(testContext(t), addrInfo(a.inner)); err == nil {
		eventually(t, cutFrom(x, a.inner))
	}
	b := startHost(t, keyOf(t, 21), testPSK)
	a.learn(b.ID(), trust.StandingMember)
	connect(t, b, a.inner)
	if err := talk(t, b, a.inner, gatedProtocol); err != nil {
		t.Errorf("a member beside many strangers: %v", err)
	}
	// Who becomes a member makes room.
	a.learn(peerOf(t, keyOf(t, 10)), trust.StandingMember)
	eventually(t, func() error {
		if err := x.Connect(testContext(t), addrInfo(a.inner)); err != nil {
			return err
		}
		return talk(t, x, a.inner, helloProtocol)
	})
}

// A node that joins through the gate has more time than other strangers, and is a
// member on the same connection then.
func TestJoinThroughTheGate(t *testing.T) {
	a := startNode(t, keyOf(t, 2), func(o *trust.GateOptions) { o.HelloTimeout = 200 * time.Millisecond })
	open := must(trust.OpenInvitations(filepath.Join(t.TempDir(), "invitations.json")))
	inv := must(open.Invite(trust.InviteOptions{}, time.Now()))
	granting, grant := make(chan struct{}), make(chan struct{})
	inviter, err := trust.NewInviter(a.host, trust.InviterOptions{
		Cluster:     clusterOf(t, keyOf(t, 1)),
		Invitations: open,
		Grant: func(_ context.Context, r trust.GrantRequest) (trust.Welcome, error) {
			close(granting)
			<-grant
			a.learn(r.Member, trust.StandingMember)
			return trust.Welcome{Grant: grantFor(t, keyOf(t, 1), r.Member, r.Name)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer inviter.Close()
	b := startHost(t, keyOf(t, 3), testPSK)
	joined := make(chan error, 1)
	go func() {
		_, err := trust.Join(testContext(t), b, trust.Token{
			Cluster:   clusterOf(t, keyOf(t, 1)),
			Authority: keyOf(t, 1).GetPublic(),
			PSK:       testPSK,
			Inviter:   a.inner.ID(),
			Addrs:     a.inner.Addrs(),
			Secret:    inv.Secret,
			Role:      inv.Role,
			Uses:      inv.Uses,
			Expires:   inv.Expires,
		}, "b")
		joined <- err
	}()
	<-granting
	// Meanwhile a stranger comes and has to go.
	x := startHost(t, keyOf(t, 4), testPSK)
	connect(t, x, a.inner)
	eventually(t, cutFrom(x, a.inner))
	close(grant)
	if err := <-joined; err != nil {
		t.Fatalf("Join: %v", err)
	}
	if err := talk(t, b, a.inner, gatedProtocol); err != nil {
		t.Errorf("gated stream after the join: %v", err)
	}
}

func TestGateCloseEndsTheWaiting(t *testing.T) {
	a := startNode(t, keyOf(t, 2), nil)
	x := startHost(t, keyOf(t, 3), testPSK)
	connect(t, x, a.inner)
	inward, outward := make(chan error, 1), make(chan error, 1)
	go func() { inward <- talk(t, x, a.inner, gatedProtocol) }()
	go func() { outward <- talk(t, a.host, x, gatedProtocol) }()
	if err := talk(t, x, a.inner, helloProtocol); err != nil {
		t.Fatal(err)
	}
	if err := a.gate.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-inward; err == nil {
		t.Error("stream that waited: got nil, want an error")
	}
	if err := <-outward; err == nil {
		t.Error("NewStream that waited: got nil, want an error")
	}
	if err := a.gate.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// Real gossip through the gated host: members hear each other, a stranger on the
// same private network neither hears nor is heard.
func TestGossipStaysAmongMembers(t *testing.T) {
	short := func(o *trust.GateOptions) { o.HelloTimeout = 2 * time.Second }
	a, b := startNode(t, keyOf(t, 2), short), startNode(t, keyOf(t, 3), short)
	a.learn(b.inner.ID(), trust.StandingMember)
	b.learn(a.inner.ID(), trust.StandingMember)
	x := startHost(t, keyOf(t, 4), testPSK)

	ctx := t.Context()
	join := func(h host.Host) (*pubsub.Topic, *pubsub.Subscription) {
		ps := must(pubsub.NewGossipSub(ctx, h))
		topic := must(ps.Join("topic"))
		return topic, must(topic.Subscribe())
	}
	topicA, subA := join(a.host)
	_, subB := join(b.host)
	topicX, subX := join(x)
	connect(t, b.inner, a.inner)
	connect(t, x, a.inner)
	connect(t, x, b.inner)

	eventually(t, func() error {
		if len(topicA.ListPeers()) == 0 {
			return errors.New("a does not see b on the topic")
		}
		return nil
	})
	// Until the stranger has been cut, everybody talks.
	eventually(t, func() error {
		if err := topicA.Publish(ctx, []byte("members only")); err != nil {
			return err
		}
		if err := topicX.Publish(ctx, []byte("forged")); err != nil {
			return err
		}
		return errors.Join(cutFrom(x, a.inner)(), cutFrom(x, b.inner)())
	})
	message := must(subB.Next(testContext(t)))
	if got := string(message.Data); got != "members only" || message.ReceivedFrom != a.inner.ID() {
		t.Errorf("b heard %q from %s", got, message.ReceivedFrom)
	}
	for name, sub := range map[string]*pubsub.Subscription{"a": subA, "b": subB, "x": subX} {
		for {
			heard, end := context.WithTimeout(ctx, 50*time.Millisecond)
			m, err := sub.Next(heard)
			end()
			if err != nil {
				break
			}
			fromX := m.GetFrom() == x.ID()
			if fromX != (name == "x") {
				t.Errorf("%s heard %q of %s", name, m.Data, m.GetFrom())
			}
		}
	}
}

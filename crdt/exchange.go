package crdt

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/starling-sync/starling/definition"
)

// Protocols of the exchange; the number is the epoch.
const (
	// HelloProtocol is the one protocol of the exchange that strangers may speak.
	HelloProtocol protocol.ID = "/starling/0/hello/1"
	fetchProtocol protocol.ID = "/starling/0/fetch/1"
)

// missedPause is the least pause between two hellos to a peer that missed
// announcements, and the pause while there are heads that no hello has told of.
const missedPause = time.Second

// Gate is what the exchange needs of package trust: who may speak.
type Gate interface {
	// Present lets a peer in whose hello brought this grant, or says why not.
	Present(p peer.ID, grant []byte) error
	// IsMember reports whether the peer is let in.
	IsMember(p peer.ID) bool
}

// ExchangeOptions configures an exchange.
type ExchangeOptions struct {
	// Host reaches the other members; streams of strangers get no further than
	// HelloProtocol.
	Host host.Host
	Gate Gate
	// Grant is this node's own grant, the element that Replica.Grant returned.
	Grant []byte
	// HelloInterval is the pause between two hellos to a peer; 0 means 12 s. It
	// is how long a lost announcement delays a change.
	HelloInterval time.Duration
	// Logger nil discards.
	Logger *slog.Logger
}

// Exchange keeps a replica equal to those of the connected members: it says
// hello, announces this node's changes and fetches what others announce.
type Exchange struct {
	opts    ExchangeOptions
	replica *Replica
	log     *slog.Logger
	topic   *announcer

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	links  map[peer.ID]*link
	claims map[cid.Cid]*claim
	serves map[peer.ID]bool // peers that are being answered
}

// link is one connected peer.
type link struct {
	peer   peer.ID
	cancel context.CancelFunc
	wake   chan struct{} // one slot: wants, or a greeting is due

	// Guarded by Exchange.mu.
	greet  bool
	missed bool // announcements: a hello is due, but not at once
	heads  []cid.Cid
	skip   map[cid.Cid]time.Time // not to be fetched from this peer before
	said   PeerState
}

// PeerState is what a connected member said last.
type PeerState struct {
	Heads    []cid.Cid
	View     definition.Hash // digest of its view
	Elements uint64          // that it holds
	Seen     time.Time
}

// NewExchange starts exchanging with everybody who is or gets connected. Close
// ends it; the replica outlives it.
func NewExchange(r *Replica, opts ExchangeOptions) (*Exchange, error) {
	if opts.HelloInterval == 0 {
		opts.HelloInterval = 12 * time.Second
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &Exchange{
		opts:    opts,
		replica: r,
		log:     opts.Logger,
		ctx:     ctx,
		cancel:  cancel,
		links:   make(map[peer.ID]*link),
		claims:  make(map[cid.Cid]*claim),
		serves:  make(map[peer.ID]bool),
	}
	var err error
	if x.topic, err = newAnnouncer(ctx, x); err != nil {
		cancel()
		return nil, fmt.Errorf("start exchange: %w", err)
	}
	r.appendMu.Lock()
	r.onAppend = x.topic.announce
	r.appendMu.Unlock()
	opts.Host.SetStreamHandler(HelloProtocol, x.handleHello)
	opts.Host.SetStreamHandler(fetchProtocol, x.handleFetch)
	opts.Host.Network().Notify(x.notifee())
	for _, p := range opts.Host.Network().Peers() {
		x.connected(p)
	}
	return x, nil
}

// Close ends the exchange and waits for its goroutines.
func (x *Exchange) Close() {
	x.opts.Host.Network().StopNotify(x.notifee())
	x.opts.Host.RemoveStreamHandler(HelloProtocol)
	x.opts.Host.RemoveStreamHandler(fetchProtocol)
	x.replica.appendMu.Lock()
	x.replica.onAppend = func(*block) {}
	x.replica.appendMu.Unlock()
	x.topic.sub.Cancel()
	x.cancel()
	x.mu.Lock()
	x.links = nil // connected starts nothing any more
	x.mu.Unlock()
	x.wg.Wait()
}

// notifee tells of connections. libp2p compares notifees, so it is one value.
func (x *Exchange) notifee() network.Notifiee { return (*connNotifee)(x) }

type connNotifee Exchange

func (n *connNotifee) Connected(_ network.Network, c network.Conn) {
	(*Exchange)(n).connected(c.RemotePeer())
}

func (n *connNotifee) Disconnected(_ network.Network, c network.Conn) {
	(*Exchange)(n).disconnected(c.RemotePeer())
}

func (*connNotifee) Listen(network.Network, multiaddr)      {}
func (*connNotifee) ListenClose(network.Network, multiaddr) {}

func (x *Exchange) connected(p peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.links == nil || x.links[p] != nil {
		return
	}
	ctx, cancel := context.WithCancel(x.ctx)
	l := &link{peer: p, cancel: cancel, wake: make(chan struct{}, 1), greet: true, skip: make(map[cid.Cid]time.Time)}
	x.links[p] = l
	x.wg.Go(func() { x.serve(ctx, l) })
	l.nudge()
}

func (x *Exchange) disconnected(p peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	// Asked under the lock: a new connection that is not counted here finds the
	// link gone when it is told of, and makes its own.
	if x.opts.Host.Network().Connectedness(p) == network.Connected {
		return // by another connection
	}
	if l := x.links[p]; l != nil {
		l.cancel()
		delete(x.links, p)
	}
}

// enter lets a stream handler begin, which then owes a Done to the wait group,
// unless the exchange is closed.
func (x *Exchange) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.links == nil {
		return false
	}
	x.wg.Add(1)
	return true
}

// nudge wakes the link's goroutine.
func (l *link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// serve is a link's goroutine: it greets the peer and fetches what it has.
func (x *Exchange) serve(ctx context.Context, l *link) {
	var lastHello time.Time
	var turn int // of the heads, if a hello cannot carry all
	nextHello := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.wake:
		}
		if soon := lastHello.Add(missedPause); x.takeMissed(l) && soon.Before(nextHello) {
			nextHello = soon
		}
		if x.takeGreet(l) || !time.Now().Before(nextHello) {
			lastHello = time.Now()
			nextHello = lastHello.Add(jitter(x.opts.HelloInterval))
			if err := x.sayHello(ctx, l.peer, &turn); err != nil && ctx.Err() == nil {
				x.log.Debug("hello failed", "peer", l.peer, "err", err)
			}
			if turn > 0 {
				nextHello = lastHello.Add(missedPause)
			}
		}
		nextFetch := nextHello
		if again := x.fetch(ctx, l); again > 0 {
			nextFetch = time.Now().Add(again)
		}
		timer.Reset(min(time.Until(nextHello), time.Until(nextFetch)))
	}
}

func (x *Exchange) takeGreet(l *link) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	greet := l.greet
	l.greet = false
	return greet
}

// greet says hello to one peer soon.
func (x *Exchange) greet(p peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.links[p]; l != nil {
		l.greet = true
		l.nudge()
	}
}

// greetAll says hello to all peers but some soon, so that they hear of new heads.
func (x *Exchange) greetAll(but ...peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for p, l := range x.links {
		if !slices.Contains(but, p) {
			l.greet = true
			l.nudge()
		}
	}
}

// Peers returns what each connected member said last.
func (x *Exchange) Peers() map[peer.ID]PeerState {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make(map[peer.ID]PeerState, len(x.links))
	for p, l := range x.links {
		if !l.said.Seen.IsZero() {
			out[p] = l.said
		}
	}
	return out
}

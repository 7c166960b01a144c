package trust

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
)

// Standing is what the set of elements says about a node key.
type Standing uint8

const (
	// StandingUnknown: the set holds no grant for the key, perhaps not yet.
	StandingUnknown Standing = iota
	// StandingMember: the set holds a grant for the key and no revocation.
	StandingMember
	// StandingRevoked: the set holds a revocation of the key. That is for ever.
	StandingRevoked
)

// String returns "unknown", "member" or "revoked".
func (s Standing) String() string {
	switch s {
	case StandingUnknown:
		return "unknown"
	case StandingMember:
		return "member"
	case StandingRevoked:
		return "revoked"
	}
	return fmt.Sprintf("standing(%d)", uint8(s))
}

const (
	defaultHelloTimeout = 10 * time.Second
	defaultMaxStrangers = 64
	maxWaiting          = 32 // streams of one stranger that wait for its hello
)

// GateOptions says who may pass a Gate.
type GateOptions struct {
	Cluster   ClusterID
	Authority crypto.PubKey

	// Standing says what the set holds about a key. Any goroutine calls it, and
	// libp2p's too; it must not block or call the Gate.
	Standing func(peer.ID) Standing

	// OpenProtocols are served to non-members too: the hello and JoinProtocol.
	OpenProtocols []protocol.ID

	// HelloTimeout is how long a connection may last whose peer is no member,
	// and how long its streams wait. Default: 10 s. One that came to join may
	// last 30 s.
	HelloTimeout time.Duration
	// MaxStrangers is how many inbound connections of non-members there may be
	// at one time. Default: 64.
	MaxStrangers int

	Logger *slog.Logger // nil discards
}

// Gate lets no one past the hello without a valid grant that is not revoked. It
// has three parts: as libp2p's connection gater it refuses revoked peers; Host
// wraps a host so that streams wait for membership; and from Start to Close it
// watches the connections and cuts those that stay strangers or become revoked.
//
// A peer is a member if the set says so or if it has presented a valid grant, and
// the set does not say that it is revoked.
type Gate struct {
	o GateOptions

	wake chan struct{} // one slot: the watcher has something to look at
	done chan struct{} // closed by Close

	mu        sync.Mutex
	changed   chan struct{}             // closed and replaced when somebody's membership may have changed
	presented map[peer.ID]struct{}      // by valid grants, so there are at most as many as grants
	waiting   map[peer.ID]int           // streams that wait, by peer
	strangers map[network.Conn]stranger // connections of non-members
	inbound   int                       // of strangers
	recheck   bool                      // statements changed since the watcher looked
	host      host.Host                 // nil until Start
	closed    bool

	waiters sync.WaitGroup // streams that wait
	watcher sync.WaitGroup
}

var _ connmgr.ConnectionGater = (*Gate)(nil)

// NewGate returns a gate for libp2p.ConnectionGater. It panics if the options
// lack Standing or a matching pair of Cluster and Authority: there is no safe
// default for these.
func NewGate(o GateOptions) *Gate {
	if c, err := ClusterOf(o.Authority); err != nil || c != o.Cluster || o.Standing == nil {
		panic("trust: NewGate: want Standing, an Ed25519 Authority and its Cluster")
	}
	if o.HelloTimeout == 0 {
		o.HelloTimeout = defaultHelloTimeout
	}
	if o.MaxStrangers == 0 {
		o.MaxStrangers = defaultMaxStrangers
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Gate{
		o:         o,
		wake:      make(chan struct{}, 1),
		done:      make(chan struct{}),
		changed:   make(chan struct{}),
		presented: make(map[peer.ID]struct{}),
		waiting:   make(map[peer.ID]int),
		strangers: make(map[network.Conn]stranger),
	}
}

// Present takes the grant that a peer's hello brought and lets the peer in if the
// authority signed it for that peer's key and the set does not say that it is
// revoked. Errors wrap ErrEncoding, ErrSignature, ErrForeign or ErrRevoked. It
// does not block, and costs one verification of a signature.
func (g *Gate) Present(p peer.ID, grant []byte) error {
	if _, err := OpenGrant(grant, g.o.Authority, p); err != nil {
		return fmt.Errorf("present grant: %w", err)
	}
	if g.o.Standing(p) == StandingRevoked {
		return fmt.Errorf("present grant: %w", ErrRevoked)
	}
	g.mu.Lock()
	g.presented[p] = struct{}{}
	g.mu.Unlock()
	g.announce(false)
	return nil
}

// IsMember reports whether a peer may pass now. It does not block.
func (g *Gate) IsMember(p peer.ID) bool {
	switch g.o.Standing(p) {
	case StandingMember:
		return true
	case StandingUnknown:
		g.mu.Lock()
		defer g.mu.Unlock()
		_, ok := g.presented[p]
		return ok
	}
	return false
}

// Recheck is to be called when grants or revocations were added to the set: it
// lets in who waits and is a member now, and cuts the connections of those who are
// revoked now. It does not block; the watcher does the work.
func (g *Gate) Recheck() { g.announce(true) }

// announce wakes the streams that wait and the watcher.
func (g *Gate) announce(recheck bool) {
	g.mu.Lock()
	close(g.changed)
	g.changed = make(chan struct{})
	g.recheck = g.recheck || recheck
	g.mu.Unlock()
	g.poke()
}

// await blocks until the peer is a member, at most HelloTimeout.
func (g *Gate) await(ctx context.Context, p peer.ID) error {
	if g.IsMember(p) {
		return nil
	}
	if err := g.enter(p); err != nil {
		return err
	}
	defer g.leave(p)
	timeout := time.NewTimer(g.o.HelloTimeout)
	defer timeout.Stop()
	for {
		g.mu.Lock()
		changed := g.changed
		g.mu.Unlock()
		if g.IsMember(p) {
			return nil
		}
		if g.o.Standing(p) == StandingRevoked {
			return ErrRevoked
		}
		select {
		case <-changed:
		case <-timeout.C:
			return errNoHello
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.done:
			return ErrClosed
		}
	}
}

// errNoHello tells a caller of NewStream why there is no stream.
var errNoHello = errors.New("peer has not shown a grant")

// enter counts a stream that begins to wait; leave ends it.
func (g *Gate) enter(p peer.ID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	if g.waiting[p] >= maxWaiting {
		return errNoHello
	}
	g.waiting[p]++
	g.waiters.Add(1)
	return nil
}

func (g *Gate) leave(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting[p]--
	if g.waiting[p] == 0 {
		delete(g.waiting, p)
	}
	g.waiters.Done()
}

// InterceptPeerDial implements connmgr.ConnectionGater: revoked peers are not
// dialled.
func (g *Gate) InterceptPeerDial(p peer.ID) bool { return g.o.Standing(p) != StandingRevoked }

// InterceptAddrDial implements connmgr.ConnectionGater.
func (g *Gate) InterceptAddrDial(peer.ID, multiaddr.Multiaddr) bool { return true }

// InterceptAccept implements connmgr.ConnectionGater. The peer is not known yet.
func (g *Gate) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured implements connmgr.ConnectionGater: the peer has proved its
// key. Revoked peers are refused, and strangers when there are too many.
func (g *Gate) InterceptSecured(dir network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	if g.o.Standing(p) == StandingRevoked {
		return false
	}
	if dir == network.DirOutbound || g.IsMember(p) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inbound < g.o.MaxStrangers
}

// InterceptUpgraded implements connmgr.ConnectionGater.
func (g *Gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

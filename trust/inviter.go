package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/trust/trustpb"
)

// maxJoins bounds the joins that are answered at one time; those beyond are cut.
const maxJoins = 32

// GrantRequest is a node that has shown a good token.
type GrantRequest struct {
	Member peer.ID
	Name   string
	Role   Role
	Paths  []string
}

// InviterOptions says how an Inviter answers.
type InviterOptions struct {
	Cluster     ClusterID
	Invitations *Invitations

	// Grant appends a grant for the node to the set and returns it with the
	// set's heads. It is called from one goroutine at a time and may block. It is
	// called again for a member whose answer was lost, and then returns the
	// grant that this member has, whatever name it asks for now. It returns an
	// error that wraps ErrNameTaken if another member has the name, and
	// ErrTokenRefused if the key was revoked; after both the token's use is free
	// again. After any other error the use stays with this member.
	Grant func(context.Context, GrantRequest) (Welcome, error)

	// Now is the authority's clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger // nil discards
}

// Inviter answers the nodes that join. It runs on the node that holds the
// authority key.
type Inviter struct {
	o        InviterOptions
	host     host.Host
	ctx      context.Context
	cancel   context.CancelFunc
	attempts attempts
	granting chan struct{} // holds one token; who has it may grant

	mu     sync.Mutex
	active int
	closed bool
	joins  sync.WaitGroup
}

// NewInviter makes the host serve JoinProtocol until Close.
func NewInviter(h host.Host, o InviterOptions) (*Inviter, error) {
	if o.Invitations == nil || o.Grant == nil || o.Cluster.IsZero() {
		return nil, errors.New("serve joins: options lack cluster, invitations or grant")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	i := &Inviter{o: o, host: h, granting: make(chan struct{}, 1)}
	i.ctx, i.cancel = context.WithCancel(context.Background())
	h.SetStreamHandler(JoinProtocol, i.serve)
	return i, nil
}

// Close stops serving, ends the joins under way and waits for them.
func (i *Inviter) Close() error {
	i.host.RemoveStreamHandler(JoinProtocol)
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.cancel()
	i.joins.Wait()
	return nil
}

// enter reports whether one more join may be answered; leave ends it.
func (i *Inviter) enter() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || i.active >= maxJoins {
		return false
	}
	i.active++
	i.joins.Add(1)
	return true
}

func (i *Inviter) leave() {
	i.mu.Lock()
	i.active--
	i.mu.Unlock()
	i.joins.Done()
}

// serve is the stream handler; libp2p runs it in a goroutine of its own.
func (i *Inviter) serve(s network.Stream) {
	if !i.enter() {
		s.Reset()
		return
	}
	defer i.leave()
	ctx, cancel := context.WithTimeout(i.ctx, joinTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()

	member := s.Conn().RemotePeer()
	log := i.o.Logger.With("peer", member)
	w, err := i.answer(ctx, s)
	response := &trustpb.JoinResponse{Result: resultOf(err)}
	if err == nil {
		response.Grant = w.Grant
		response.Heads, err = marshalHeads(w.Heads)
		if err != nil {
			response = &trustpb.JoinResponse{Result: trustpb.JoinResult_JOIN_RESULT_FAILED}
		}
	}
	if err != nil {
		log.Warn("refused a node that wants to join", "err", err)
	}
	if err := writeMessage(s, response); err != nil {
		log.Warn("could not answer a node that wants to join", "err", err)
		s.Reset()
		return
	}
	s.Close()
}

// answer reads the request and decides. The use is on disk before it returns.
func (i *Inviter) answer(ctx context.Context, s network.Stream) (Welcome, error) {
	from := s.Conn().RemoteMultiaddr()
	if !i.attempts.take(from, i.o.Now()) {
		return Welcome{}, ErrTooManyAttempts
	}
	var ask trustpb.JoinRequest
	if err := readMessage(s, &ask); err != nil {
		return Welcome{}, fmt.Errorf("read request: %w", err)
	}
	if err := CheckName(ask.GetName()); err != nil {
		return Welcome{}, err
	}

	select {
	case i.granting <- struct{}{}:
		defer func() { <-i.granting }()
	case <-ctx.Done():
		return Welcome{}, context.Cause(ctx)
	}
	member := s.Conn().RemotePeer()
	inv, fresh, err := i.o.Invitations.use(ask.GetProof(), i.host.ID(), member, i.o.Cluster, i.o.Now())
	if err != nil {
		return Welcome{}, err
	}
	w, err := i.o.Grant(ctx, GrantRequest{Member: member, Name: ask.GetName(), Role: inv.Role, Paths: slices.Clone(inv.Paths)})
	if err != nil {
		if fresh && (errors.Is(err, ErrNameTaken) || errors.Is(err, ErrTokenRefused)) {
			if failed := i.o.Invitations.release(inv, member); failed != nil {
				err = fmt.Errorf("%w; %w", err, failed)
			}
		}
		return Welcome{}, err
	}
	if fresh {
		i.attempts.giveBack(from)
		i.o.Logger.Info("granted membership", "peer", member, "name", ask.GetName(), "role", inv.Role)
	}
	return w, nil
}

// marshalHeads returns the wire form of heads in any order. Of more than MaxAfter
// the first go: the grant's own block links to as many of the rest.
func marshalHeads(heads []cid.Cid) ([][]byte, error) {
	sorted := slices.SortedFunc(slices.Values(heads), func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	sorted = slices.Compact(sorted)
	return MarshalAfter(sorted[:min(len(sorted), MaxAfter)])
}

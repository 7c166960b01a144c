package crdt

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/starling-sync/starling/crdt/crdtpb"
)

type multiaddr = ma.Multiaddr

const (
	// maxHello bounds a hello in bytes; maxHelloHeads the heads that it carries.
	// A set has a handful of heads; of more, each hello tells other ones.
	maxHello      = 256 << 10
	maxHelloHeads = 2048
	// streamTimeout bounds each step on a stream.
	streamTimeout = 30 * time.Second
)

// sayHello sends this node's grant and, if the peer is a member, its heads. If they
// are more than a hello carries, others take their turn with each; see announced.
func (x *Exchange) sayHello(ctx context.Context, p peer.ID, turn *int) error {
	ctx, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	msg := &crdtpb.Hello{Grant: x.opts.Grant}
	if x.opts.Gate.IsMember(p) {
		for _, c := range x.replica.announced(turn) {
			msg.Heads = append(msg.Heads, c.Bytes())
		}
		view := x.replica.Digest()
		msg.View = view[:]
		msg.Elements = uint64(x.replica.Stats().Elements)
		if m, ok := x.replica.Member(p); ok {
			msg.Yours = m.Changes
		}
	}
	s, err := x.opts.Host.NewStream(ctx, p, HelloProtocol)
	if err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	_ = s.SetDeadline(time.Now().Add(streamTimeout)) // without one the context still ends the stream's opening
	if _, err := protodelim.MarshalTo(s, msg); err != nil {
		_ = s.Reset()
		return fmt.Errorf("say hello: %w", err)
	}
	return s.Close()
}

// handleHello takes a peer's hello: its grant lets it in, its heads say what to
// fetch. Whoever has no grant is disconnected.
func (x *Exchange) handleHello(s network.Stream) {
	p := s.Conn().RemotePeer()
	if !x.enter() {
		_ = s.Reset()
		return
	}
	defer x.wg.Done()
	stop := context.AfterFunc(x.ctx, func() { _ = s.Reset() })
	defer stop()
	_ = s.SetDeadline(time.Now().Add(streamTimeout))
	var msg crdtpb.Hello
	err := protodelim.UnmarshalOptions{MaxSize: maxHello}.UnmarshalFrom(bufio.NewReader(s), &msg)
	if err != nil {
		x.log.Debug("hello failed", "peer", p, "err", err)
		_ = s.Reset()
		return
	}
	_ = s.Close()
	known := x.opts.Gate.IsMember(p)
	if err := x.opts.Gate.Present(p, msg.GetGrant()); err != nil {
		x.log.Warn("turned away a peer without a valid grant", "peer", p, "err", err)
		_ = x.opts.Host.Network().ClosePeer(p)
		return
	}
	var heads []cid.Cid
	for _, b := range msg.GetHeads()[:min(len(msg.GetHeads()), maxHelloHeads)] {
		c, err := cid.Cast(b)
		if err != nil {
			x.replica.blame(p, cid.Undef, refuse(ReasonCID, "hello names a head that is no CID"))
			return
		}
		heads = append(heads, c)
	}
	x.replica.noteOwn(msg.GetYours())
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.links[p]
	if l == nil {
		return
	}
	if len(msg.GetView()) > 0 { // a greeting between strangers says nothing more
		l.heads = heads
		l.said = PeerState{Heads: slices.Clone(heads), Elements: msg.GetElements(), Seen: time.Now()}
		copy(l.said.View[:], msg.GetView())
	}
	l.greet = l.greet || !known || len(msg.GetView()) == 0
	l.nudge()
}

// noteOwn notes that a peer holds this node's changes up to a number.
func (r *Replica) noteOwn(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ownKnown = max(r.ownKnown, seq)
}

// announced returns the heads that a hello tells of and moves turn, which begins at 0,
// on to those of the hello after it; it is 0 again when all were told. Changes of a
// revoked author are told of only as the ancestry of others.
func (r *Replica) announced(turn *int) []cid.Cid {
	r.mu.RLock()
	defer r.mu.RUnlock()
	heads := r.index.announced()
	if len(heads) <= maxHelloHeads {
		*turn = 0
		return cidsOf(heads)
	}
	return cidsOf(inTurn(heads, turn))
}

// inTurn returns as many heads as a hello carries: one of every author, since only
// who forks its key has many, and of the others the next.
func inTurn(heads []*element, turn *int) []*element {
	told := make([]*element, 0, maxHelloHeads)
	var others []*element
	seen := make(map[*author]bool)
	for _, h := range heads {
		if !seen[h.author] && len(told) < maxHelloHeads/2 {
			seen[h.author] = true
			told = append(told, h)
		} else {
			others = append(others, h)
		}
	}
	others = others[min(*turn, len(others)):]
	n := min(len(others), maxHelloHeads-len(told))
	if *turn += n; n == len(others) {
		*turn = 0
	}
	return append(told, others[:n]...)
}

// announced returns the elements of standing authors that are in the ancestry of
// none other of theirs.
func (x *index) announced() []*element {
	heads := x.headList()
	if x.revoked == 0 {
		return heads
	}
	var standing []*element
	seen := make(map[*element]struct{})
	for todo := heads; len(todo) > 0; {
		e := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[e]; ok {
			continue
		}
		seen[e] = struct{}{}
		if len(e.author.revocations) > 0 {
			todo = append(todo, e.after...)
		} else {
			standing = append(standing, e)
		}
	}
	var tips []*element
	var of clock
	slices.SortFunc(standing, func(a, b *element) int { return b.before(a) }) // descendants first
	for _, e := range standing {
		if !of.covers(e) {
			tips = append(tips, e)
			of = of.join(e.clock())
		}
	}
	sortByCID(tips)
	return tips
}

// jitter returns d give or take a fifth, so that nodes do not speak in step.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}

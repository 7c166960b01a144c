package crdt

import (
	"bufio"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/starling-sync/starling/crdt/crdtpb"
)

// A fetch asks one peer, over one stream, for the ancestry of some heads that is
// missing here. The asker tells what it has; the peer computes the difference
// and sends it oldest first, frame by frame, so every block can be checked and
// admitted as it comes, and what an endless or forged ancestry costs is one
// frame. The asker requests the next frame when it has admitted the last one:
// it is never sent more than it can take.

const (
	firstFrame = 8         // blocks of the first frame
	maxFrame   = 1024      // blocks of a frame
	frameBytes = 1 << 20   // a frame ends with the block that passes this
	maxWant    = 2048      // CIDs of a request
	maxHave    = 2048      // CIDs of a request
	maxRequest = 512 << 10 // bytes of a request
	// maxHeldBack bounds the blocks of revoked authors that wait to be needed, in
	// bytes.
	maxHeldBack = 8 << 20
	// quickFrame is how long a frame takes at the most for the next to be twice as
	// large; one that takes slowFrame is followed by one of half its size, so that also
	// over a slow link frames come often enough to show progress.
	quickFrame = 500 * time.Millisecond
	slowFrame  = time.Second
	// skipFor is how long a head is not asked for again of a peer that did not
	// deliver it, retryAfter the same where the stream failed.
	skipFor    = 30 * time.Second
	retryAfter = 500 * time.Millisecond
	// stallAfter is how long a fetch without progress keeps others from asking
	// for the same heads, claimFor the same with progress: whoever sends
	// something else for ever does not hold up those who have them.
	stallAfter = 2 * time.Second
	claimFor   = 10 * time.Second
)

// claim says which fetch is after a head, so that several peers with the same
// news are not all asked for it.
type claim struct {
	by              *link
	since, progress time.Time
}

// holds reports whether others leave the head to the claim's fetch.
func (c *claim) holds(now time.Time) bool {
	return now.Sub(c.progress) < stallAfter && now.Sub(c.since) < claimFor
}

// want notes that a peer has told of heads.
func (x *Exchange) want(p peer.ID, heads []cid.Cid) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.links[p]
	if l == nil {
		return
	}
	for _, c := range heads {
		if len(l.heads) < maxHelloHeads && !slices.Contains(l.heads, c) {
			l.heads = append(l.heads, c)
		}
	}
	l.nudge()
}

// claimWants returns the heads that are to be fetched of this peer now. If
// others are after some of them, it also returns when to look again.
func (x *Exchange) claimWants(l *link) (wants []cid.Cid, again time.Duration) {
	x.mu.Lock()
	heads := slices.Clone(l.heads)
	x.mu.Unlock()
	heads = slices.DeleteFunc(heads, func(c cid.Cid) bool {
		return x.replica.Holds([]cid.Cid{c}) || x.replica.refused.find(c.KeyString()) != nil
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	for _, c := range heads {
		if now.Before(l.skip[c]) {
			continue
		}
		if other := x.claims[c]; other != nil && other.by != l && other.holds(now) {
			again = stallAfter / 4
			continue
		}
		x.claims[c] = &claim{by: l, since: now, progress: now}
		wants = append(wants, c)
	}
	return wants, again
}

func (x *Exchange) progress(l *link, wants []cid.Cid) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range wants {
		if cl := x.claims[c]; cl != nil && cl.by == l {
			cl.progress = time.Now()
		}
	}
}

// release gives up the claims; heads that did not come are skipped for a while.
func (x *Exchange) release(l *link, wants []cid.Cid, skip time.Duration) (lacking int) {
	came := make([]bool, len(wants))
	for i, c := range wants {
		came[i] = x.replica.Holds([]cid.Cid{c})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	for c, until := range l.skip {
		if now.After(until) {
			delete(l.skip, c)
		}
	}
	for i, c := range wants {
		if cl := x.claims[c]; cl != nil && cl.by == l {
			delete(x.claims, c)
		}
		if !came[i] {
			l.skip[c] = now.Add(skip)
			lacking++
		}
	}
	return lacking
}

// fetch brings what the peer has told of. It returns a pause after which to look
// again, or 0.
func (x *Exchange) fetch(ctx context.Context, l *link) time.Duration {
	if !x.opts.Gate.IsMember(l.peer) {
		return 0
	}
	wants, again := x.claimWants(l)
	if len(wants) == 0 {
		return again
	}
	admitted, heldBack, err := x.fetchFrom(ctx, l, wants)
	skip := skipFor
	if err != nil && !errors.Is(err, ErrRefused) {
		skip = retryAfter
	}
	lacking := x.release(l, wants, skip)
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		x.log.Debug("fetch failed", "peer", l.peer, "err", err)
	case lacking > heldBack:
		x.replica.blame(l.peer, cid.Undef, refuse(ReasonMissing, "peer did not deliver %d heads that it told of", lacking))
	}
	if admitted > 0 {
		x.greetAll(l.peer)
	}
	if lacking > 0 {
		return skip
	}
	return again
}

func (x *Exchange) fetchFrom(ctx context.Context, l *link, wants []cid.Cid) (admitted, heldBack int, err error) {
	s, err := x.opts.Host.NewStream(ctx, l.peer, fetchProtocol)
	if err != nil {
		return 0, 0, fmt.Errorf("fetch: %w", err)
	}
	defer func() { _ = s.Reset() }() // after Close it does nothing
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	req := &crdtpb.FetchRequest{Count: firstFrame}
	for _, c := range wants[:min(len(wants), maxWant)] {
		req.Want = append(req.Want, c.Bytes())
	}
	for _, c := range x.replica.haves() {
		req.Have = append(req.Have, c.Bytes())
	}
	in := bufio.NewReader(s)
	back := &heldBackBlocks{}
	for {
		began := time.Now()
		_ = s.SetDeadline(began.Add(streamTimeout))
		if _, err := protodelim.MarshalTo(s, req); err != nil {
			return admitted, len(back.blocks), fmt.Errorf("fetch: %w", err)
		}
		var frame crdtpb.FetchFrame
		limits := protodelim.UnmarshalOptions{MaxSize: frameBytes + 2*maxBlock}
		if err := limits.UnmarshalFrom(in, &frame); err != nil {
			return admitted, len(back.blocks), fmt.Errorf("fetch: %w", err)
		}
		if len(frame.GetBlocks()) > int(req.GetCount()) || len(frame.GetBlocks()) == 0 && !frame.GetDone() {
			return admitted, len(back.blocks), errors.New("fetch: peer keeps to no frame")
		}
		n, err := x.take(ctx, l.peer, frame.GetBlocks(), back)
		admitted += n
		if err != nil || frame.GetDone() {
			return admitted, len(back.blocks), errors.Join(err, s.Close())
		}
		x.progress(l, wants)
		count := req.GetCount()
		switch took := time.Since(began); {
		case took <= quickFrame:
			count = min(2*count, maxFrame)
		case took >= slowFrame:
			count = max(count/2, 1)
		}
		req = &crdtpb.FetchRequest{Count: count}
	}
}

// take opens the blocks of a frame and admits them.
func (x *Exchange) take(ctx context.Context, from peer.ID, raws [][]byte, back *heldBackBlocks) (int, error) {
	blocks := make([]*block, 0, len(raws))
	opened, openErr := openBlocks(raws, func(raw []byte) (*block, error) { return x.replica.openFrom(from, raw) })
	for _, b := range opened {
		if m, ok := x.replica.Member(b.author); ok && m.Revoked {
			blocks = append(blocks, back.add(b)...)
			continue
		}
		blocks = append(back.neededBy(b, blocks), b)
	}
	n, err := x.replica.admit(ctx, from, blocks)
	return n, errors.Join(err, openErr)
}

// heldBackBlocks are blocks of revoked authors. They are admitted only as the
// ancestry of a standing author's block, or when there are too many to wait for
// one: a peer sends none that it does not need.
type heldBackBlocks struct {
	blocks map[cid.Cid]*block
	order  []*block // as they came, ancestors first; those gone from blocks too
	size   int      // of order, in bytes
}

// add holds b back. It returns the blocks that are held back no longer.
func (h *heldBackBlocks) add(b *block) (free []*block) {
	if h.blocks == nil {
		h.blocks = make(map[cid.Cid]*block)
	}
	h.blocks[b.cid] = b
	h.order = append(h.order, b)
	if h.size += len(b.raw); h.size <= maxHeldBack {
		return nil
	}
	for _, b := range h.order {
		if h.blocks[b.cid] != nil {
			free = append(free, b)
		}
	}
	*h = heldBackBlocks{}
	return free
}

// neededBy moves what b links to, and what that links to, to the end of blocks,
// ancestors first.
func (h *heldBackBlocks) neededBy(b *block, blocks []*block) []*block {
	for _, c := range b.After {
		if l := h.blocks[c]; l != nil {
			delete(h.blocks, c)
			blocks = append(h.neededBy(l, blocks), l)
		}
	}
	return blocks
}

// haves returns the CIDs that tell a peer what this node holds: of every lane
// the last element, and others at doubling distances before it, in case the
// peer does not know the last ones.
func (r *Replica) haves() []cid.Cid {
	r.mu.RLock()
	defer r.mu.RUnlock()
	cids := cidsOf(r.index.headList())
	cids = cids[:min(len(cids), maxHave/2)]
	for _, all := range r.index.lanes.elements {
		for i, step := len(all)-1, 1; i >= 0; i, step = i-step, 2*step {
			if len(cids) == maxHave {
				return cids
			}
			cids = append(cids, all[i].block.cid())
		}
	}
	return cids
}

// beginServing reports whether the peer is not being answered already.
func (x *Exchange) beginServing(p peer.ID) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.serves[p] {
		return false
	}
	x.serves[p] = true
	return true
}

func (x *Exchange) endServing(p peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.serves, p)
}

// handleFetch answers a fetch. Each peer is served one at a time.
func (x *Exchange) handleFetch(s network.Stream) {
	p := s.Conn().RemotePeer()
	if !x.enter() {
		_ = s.Reset()
		return
	}
	defer x.wg.Done()
	if !x.beginServing(p) {
		_ = s.Reset()
		return
	}
	defer x.endServing(p)
	stop := context.AfterFunc(x.ctx, func() { _ = s.Reset() })
	defer stop()
	if err := x.answer(s); err != nil {
		x.log.Debug("serving a fetch failed", "peer", p, "err", err)
		_ = s.Reset()
		return
	}
	_ = s.Close()
}

func (x *Exchange) answer(s network.Stream) error {
	in := bufio.NewReader(s)
	limits := protodelim.UnmarshalOptions{MaxSize: maxRequest}
	var todo *unsent
	for first := true; ; first = false {
		_ = s.SetDeadline(time.Now().Add(streamTimeout))
		var req crdtpb.FetchRequest
		if err := limits.UnmarshalFrom(in, &req); err != nil {
			return err
		}
		if req.GetCount() == 0 {
			return errors.New("fetch of frames without blocks")
		}
		if first {
			todo = x.replica.difference(parseCIDs(req.GetHave()), parseCIDs(req.GetWant()))
		}
		frame := &crdtpb.FetchFrame{}
		for size := 0; todo.Len() > 0 && len(frame.Blocks) < int(min(req.GetCount(), maxFrame)) && size < frameBytes; {
			e := todo.next()
			raw, err := x.replica.store.Get(x.ctx, blockKey(e.prio, e.block.cid()))
			if err != nil {
				return err
			}
			frame.Blocks = append(frame.Blocks, raw)
			size += len(raw)
		}
		frame.Done = todo.Len() == 0
		_ = s.SetDeadline(time.Now().Add(streamTimeout))
		if _, err := protodelim.MarshalTo(s, frame); err != nil {
			return err
		}
		if frame.Done {
			return nil
		}
	}
}

// parseCIDs drops what is no CID: an unknown one says nothing either.
func parseCIDs(raw [][]byte) []cid.Cid {
	cids := make([]cid.Cid, 0, min(len(raw), maxWant))
	for _, b := range raw[:min(len(raw), maxWant)] {
		if c, err := cid.Cast(b); err == nil {
			cids = append(cids, c)
		}
	}
	return cids
}

// difference returns the elements in the ancestry of want that are not in that of
// have. Changes of revoked authors are given out only as the ancestry of others.
func (r *Replica) difference(have, want []cid.Cid) *unsent {
	r.mu.RLock()
	defer r.mu.RUnlock()
	wanted := r.index.findAll(want)
	if r.index.revoked > 0 {
		announced := clockOf(r.index.announced())
		wanted = slices.DeleteFunc(wanted, func(e *element) bool { return !announced.covers(e) })
	}
	u := new(unsent)
	for rest := range r.index.lanes.between(clockOf(r.index.findAll(have)), clockOf(wanted)) {
		u.lanes = append(u.lanes, rest)
	}
	heap.Init(u)
	return u
}

// unsent are elements that are yet to be sent, lane by lane, as a heap: the oldest
// comes first. It refers to the index's own lanes, so that a peer that asks for
// everything costs no copy and no sorting of it.
type unsent struct{ lanes [][]*element }

// next takes the oldest element out; there must be one.
func (u *unsent) next() *element {
	e := u.lanes[0][0]
	if u.lanes[0] = u.lanes[0][1:]; len(u.lanes[0]) > 0 {
		heap.Fix(u, 0)
	} else {
		heap.Pop(u)
	}
	return e
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (u *unsent) Len() int           { return len(u.lanes) }
func (u *unsent) Less(i, j int) bool { return u.lanes[i][0].before(u.lanes[j][0]) < 0 }
func (u *unsent) Swap(i, j int)      { u.lanes[i], u.lanes[j] = u.lanes[j], u.lanes[i] }
func (u *unsent) Push(lane any)      { u.lanes = append(u.lanes, lane.([]*element)) }

func (u *unsent) Pop() any {
	last := u.lanes[len(u.lanes)-1]
	u.lanes = u.lanes[:len(u.lanes)-1]
	return last
}

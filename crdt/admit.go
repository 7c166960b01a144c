package crdt

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/internal/failpoint"
)

// openFrom opens a block that a peer sent, or returns the refusal. A refusal is
// counted, logged and remembered, so that the same block costs a hash the next
// time.
func (r *Replica) openFrom(from peer.ID, raw []byte) (*block, error) {
	c, err := cidOf(raw)
	if err != nil {
		return nil, err
	}
	if err := r.refused.find(c.KeyString()); err != nil {
		return nil, err
	}
	b, err := openBlock(raw, r.opts.Cluster, false)
	if err != nil {
		r.blame(from, c, err)
		return nil, err
	}
	return b, nil
}

// blame counts a refusal and names the peer that sent the block. Other errors
// are no one's fault. A peer that is refused again and again is logged each time
// that its count has doubled: it must not fill the log.
func (r *Replica) blame(from peer.ID, c cid.Cid, err error) {
	reason := reasonOf(err)
	if reason == "" {
		return
	}
	if n := r.refused.add(from, c.KeyString(), err); n&(n-1) == 0 {
		r.log.Warn("refused a block", "peer", from, "reason", string(reason), "count", n, "err", err)
	}
}

// admit takes opened blocks of a peer, ancestors first, into the set. It returns
// how many were new, and stops at the first that is refused or lacks an ancestor
// (*errLinks). Between two blocks others may write.
func (r *Replica) admit(ctx context.Context, from peer.ID, blocks []*block) (admitted int, err error) {
	for _, b := range blocks {
		if err := ctx.Err(); err != nil {
			return admitted, err
		}
		isNew, err := r.admitOne(ctx, b)
		if err != nil {
			r.blame(from, b.cid, err)
			return admitted, fmt.Errorf("admit block %s: %w", b.cid, err)
		}
		if isNew {
			admitted++
		}
	}
	return admitted, nil
}

// AdmitElement takes in an element that another replica's Elements yielded, as if a
// peer had sent its block, and reports whether it is new. Its ancestry must be here
// already: all elements in their order make a copy of the set. It is visible when
// AdmitElement returns, and on disk with the next write that is synced.
func (r *Replica) AdmitElement(ctx context.Context, element []byte) (isNew bool, err error) {
	unproven, err := openElement(element, r.opts.Cluster, true) // for its links
	if err != nil {
		return false, fmt.Errorf("admit element: %w", err)
	}
	prio := uint64(1)
	for _, c := range unproven.After {
		p, _ := r.priority(c) // whether it is here is checked below
		prio = max(prio, p+1)
	}
	nd, err := buildNode(element, unproven.After, prio)
	if err != nil {
		return false, fmt.Errorf("admit element: %w", err)
	}
	b, err := openBlock(nd.RawData(), r.opts.Cluster, false)
	if err != nil {
		return false, fmt.Errorf("admit element: %w", err)
	}
	if isNew, err = r.admitOne(ctx, b); err != nil {
		return false, fmt.Errorf("admit element %s: %w", b.id.Short(), err)
	}
	return isNew, nil
}

// admitOne checks one block against its ancestry, stores it, hands it to
// go-ds-crdt and indexes it, unless it was admitted before.
func (r *Replica) admitOne(ctx context.Context, b *block) (isNew bool, err error) {
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	if _, ok := r.priority(b.cid); ok {
		return false, nil
	}
	if err := r.open(); err != nil {
		return false, err
	}
	r.mu.RLock()
	e, err := r.index.check(b)
	r.mu.RUnlock()
	if err != nil {
		return false, err
	}
	ctx = context.WithoutCancel(ctx) // a block is taken in whole or not at all
	if err := r.store.write(ctx, b, nil); err != nil {
		return false, r.fail(err)
	}
	failpoint.Hit(failpoint.BlockStored, "")
	if err := r.handOver(ctx, b); err != nil {
		return false, r.fail(err)
	}
	failpoint.Hit(failpoint.BlockAdmitted, "")
	r.addToIndex(b, e)
	return true, nil
}

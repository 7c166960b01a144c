package crdt

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
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
// are no one's fault.
func (r *Replica) blame(from peer.ID, c cid.Cid, err error) {
	reason := reasonOf(err)
	if reason == "" {
		return
	}
	r.refused.add(c.KeyString(), err)
	r.log.Warn("refused a block", "peer", from, "reason", string(reason), "err", err)
}

// admit takes opened blocks of a peer, ancestors first, into the set: each is
// checked against its ancestry, stored, handed to go-ds-crdt and indexed. It
// returns how many were new, and stops at the first that is refused or lacks an
// ancestor (*errLinks). It blocks while another block is being written.
func (r *Replica) admit(ctx context.Context, from peer.ID, blocks []*block) (int, error) {
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	if err := r.open(); err != nil {
		return 0, fmt.Errorf("admit: %w", err)
	}
	admitted := 0
	for _, b := range blocks {
		if err := ctx.Err(); err != nil {
			return admitted, err
		}
		if _, ok := r.priority(b.cid); ok {
			continue
		}
		r.mu.RLock()
		e, err := r.index.check(b)
		r.mu.RUnlock()
		if err != nil {
			r.blame(from, b.cid, err)
			return admitted, fmt.Errorf("admit block %s: %w", b.cid, err)
		}
		if err := r.store.write(context.WithoutCancel(ctx), b, nil); err != nil {
			return admitted, r.fail(err)
		}
		if err := r.handOver(context.WithoutCancel(ctx), b); err != nil {
			return admitted, r.fail(err)
		}
		r.addToIndex(b, e)
		admitted++
	}
	return admitted, nil
}

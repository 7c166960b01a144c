package crdt

import (
	"context"

	"github.com/ipfs/go-cid"

	"github.com/starling-sync/starling/definition"
)

// Admit takes blocks as a peer would have sent them, in this order, and returns
// how many were new and what stopped it.
func (r *Replica) Admit(ctx context.Context, raws ...[]byte) (int, error) {
	blocks := make([]*block, 0, len(raws))
	for _, raw := range raws {
		b, err := r.openFrom("", raw)
		if err != nil {
			return 0, err
		}
		blocks = append(blocks, b)
	}
	return r.admit(ctx, "", blocks)
}

// Descends reports whether the index has one block in the ancestry of the other
// (a block is in its own).
func (r *Replica) Descends(c, ancestor cid.Cid) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.find(c).descendsFrom(r.index.find(ancestor))
}

// Fail makes the replica believe that its store failed.
func (r *Replica) Fail(err error) {
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	_ = r.fail(err)
}

// Raws returns all blocks, oldest first.
func (r *Replica) Raws() [][]byte {
	var raws [][]byte
	_ = r.store.blocks(context.Background(), r.opts.Cluster, func(b *block) error {
		raws = append(raws, b.raw)
		return nil
	})
	return raws
}

// ClockPieces returns how many pieces all clocks of the index have together.
func (r *Replica) ClockPieces() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	pieces := make(map[*piece]struct{})
	var count func(*piece)
	count = func(p *piece) {
		if _, ok := pieces[p]; ok || p == nil {
			return
		}
		pieces[p] = struct{}{}
		if p.below != nil {
			for _, q := range p.below {
				count(q)
			}
		}
	}
	for _, lane := range r.index.lanes.elements {
		for _, e := range lane {
			count(e.prior.root)
		}
	}
	return len(pieces)
}

// FailReads makes reading versions fail until mend is called.
func (r *Replica) FailReads(err error) (mend func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	load := r.index.load
	r.index.load = func(*version) ([]byte, error) { return nil, err }
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.index.load = load
	}
}

// Unfound returns which of some different ids a lookup does not find once elements of
// those with an even place have been added, or finds though it should not.
func Unfound(ids []definition.ChangeID) (wrong []definition.ChangeID) {
	l := newLookup(func(e *element) definition.ChangeID { return e.id })
	for i := 0; i < len(ids); i += 2 {
		l.add(&element{id: ids[i]})
	}
	for i, id := range ids {
		if e := l.find(id); (e != nil) != (i%2 == 0) || e != nil && e.id != id {
			wrong = append(wrong, id)
		}
	}
	if l.len() != (len(ids)+1)/2 {
		return ids
	}
	return wrong
}

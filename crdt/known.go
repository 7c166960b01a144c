package crdt

import "github.com/ipfs/go-cid"

// maxKnown bounds the blocks that Known names.
const maxKnown = 512

// Known returns blocks that this set holds, and that members will go on to tell of as they do of
// their ancestry: heads by authors who are not revoked. A node that keeps the list apart from its store
// can tell later that the store was lost, or is an old copy; see Options.Known.
func (r *Replica) Known() []cid.Cid {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var known []cid.Cid
	for _, h := range r.index.headList() {
		if len(h.author.revocations) == 0 && len(known) < maxKnown {
			known = append(known, h.block.cid())
		}
	}
	return known
}

// Lacking returns how many of Options.Known this set does not hold.
func (r *Replica) Lacking() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.lacking()
}

// lacking is Lacking under the lock.
func (r *Replica) lacking() int {
	n := 0
	for _, c := range r.expected {
		if r.index.find(c) == nil {
			n++
		}
	}
	return n
}

// GiveUp forgets Options.Known: nobody has what is lacking.
func (r *Replica) GiveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected = nil
}

package node

import (
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

const (
	// flipTime is how long back a file's history is looked at for flips.
	flipTime = 10 * time.Minute
	// flipCount is how many flips in that time are too many: with two nodes, the file
	// changed hands six times.
	flipCount = 5
)

// Flip is a file that goes back and forth: nodes bring back what they wrote before over what
// another has written since. It ends by itself when they do so no more.
type Flip struct {
	Path  definition.Path
	Nodes []peer.ID // between which it goes
	Count int       // how often, in the last flipTime
}

// flips knows the files that flip. It looks at a path again only when its view may have
// changed, and while it flips.
type flips struct {
	replica *crdt.Replica
	dirty   *crdt.Dirty

	mu      sync.Mutex
	flipped map[definition.Path]struct{} // when last looked at
}

func newFlips(r *crdt.Replica) *flips {
	return &flips{replica: r, dirty: r.Dirty(), flipped: make(map[definition.Path]struct{})}
}

// now returns the files that flip, in order of path.
func (f *flips) now(now time.Time) []Flip {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.dirty.Take() {
		f.flipped[p] = struct{}{}
	}
	var out []Flip
	for p := range f.flipped {
		nodes, count := flipping(f.replica.Recent(p, now.Add(-flipTime)))
		if count < flipCount {
			delete(f.flipped, p)
			continue
		}
		out = append(out, Flip{Path: p, Nodes: nodes, Count: count})
	}
	slices.SortFunc(out, func(a, b Flip) int { return a.Path.Compare(b.Path) })
	return out
}

// flipping counts in the history of one path how often a node brought back a content of its
// own over another one's, and returns between which nodes it went. What a node writes for
// the first time is no flip, nor what it saves over a version of its own, nor that it brings
// back what only others wrote.
func flipping(history []crdt.RecentVersion) (nodes []peer.ID, count int) {
	type written struct {
		author peer.ID
		hash   definition.Hash
	}
	before := make(map[written]bool)
	for i, v := range history {
		own := written{v.Author, v.Hash}
		if i > 0 && before[own] {
			if last := history[i-1]; last.Author != v.Author && last.Hash != v.Hash {
				count++
				for _, id := range []peer.ID{last.Author, v.Author} {
					if !slices.Contains(nodes, id) {
						nodes = append(nodes, id)
					}
				}
			}
		}
		before[own] = true
	}
	return nodes, count
}

package crdt

import (
	"slices"
	"sync"

	"github.com/starling-sync/starling/definition"
)

// maxRecent is how many changes are kept parsed, each at most an element large.
const maxRecent = 4

// recentChanges keeps the changes that were read last: who exports the edits of
// a large change one by one parses it once. The zero value is ready.
type recentChanges struct {
	mu      sync.Mutex
	changes []recentChange // the latest first
}

type recentChange struct {
	id     definition.ChangeID
	change *change
}

func (r *recentChanges) get(id definition.ChangeID) *change {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.changes, func(c recentChange) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	found := r.changes[i]
	copy(r.changes[1:], r.changes[:i])
	r.changes[0] = found
	return found.change
}

func (r *recentChanges) put(id definition.ChangeID, c *change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = slices.Insert(r.changes, 0, recentChange{id, c})
	r.changes = r.changes[:min(len(r.changes), maxRecent)]
}

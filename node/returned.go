package node

import (
	"slices"
	"time"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// returnedTime is how long a save that took a file back to an earlier version is listed as a
// conflict: long enough for whoever's edit it took away to see it. Most of these saves are
// meant, so it ends by itself.
const returnedTime = 24 * time.Hour

// stillListed returns the conflicts that are listed now: all but the saves that took a file
// back longer ago, by their authors' clocks.
func stillListed(r *crdt.Replica, conflicts []definition.Conflict, now time.Time) []definition.Conflict {
	over := func(c definition.Conflict) bool {
		if c.Kind != definition.ConflictReverted {
			return false
		}
		info, err := r.Version(c.Stands)
		return err == nil && now.Sub(info.Time) > returnedTime
	}
	if !slices.ContainsFunc(conflicts, over) {
		return conflicts
	}
	return slices.DeleteFunc(slices.Clone(conflicts), over) // the view's own are shared
}

// listedNow returns the conflicts of a view that are listed now.
func (n *Node) listedNow(v definition.View) []definition.Conflict {
	return stillListed(n.replica, v.Conflicts, time.Now())
}

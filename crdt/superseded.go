package crdt

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// Superseded reports whether a version of a path with these bytes was replaced by another that
// was made on top of it, and when that was last done, by its author's clock: a file that has
// these bytes again may come from a backup. It is computed in memory, in time proportional to the
// number of the path's versions.
func (r *Replica) Superseded(path definition.Path, bytes definition.Hash) (last time.Time, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f := r.index.files[path]
	if f == nil {
		return time.Time{}, false
	}
	for _, v := range f.versions {
		if v.hash == bytes && !v.is(deleted) {
			continue // the same again
		}
		for _, parent := range v.parents {
			if parent.file != f || parent.hash != bytes || parent.is(deleted) {
				continue
			}
			if at := v.time.Time(); !ok || at.After(last) {
				last, ok = at, true
			}
		}
	}
	return last, ok
}

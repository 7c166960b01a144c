package crdt

import (
	"cmp"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// Origin is what history says of how an edit came about, beyond the versions that it names as
// parents.
type Origin struct {
	// BackTo is the nearest ancestor of an edit that returned, whose bytes it has again; zero for
	// any other edit, and if none has its bytes.
	BackTo definition.ChangeID
	// Older is the latest parent of an edit whose author's node had a newer version of the path
	// already: what was saved had been read before that came. Zero for any other edit.
	Older definition.ChangeID
}

// Origin returns the origin of an edit, the zero Origin if there is no such version. It is
// computed in memory.
func (r *Replica) Origin(v definition.Version) Origin {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := r.index.versionIn(r.index.byID.find(v.Change), v.Path)
	if found == nil {
		return Origin{}
	}
	var o Origin
	if back := found.backTo(); back != nil {
		o.BackTo = back.id
	}
	if older := found.olderBase(); older != nil {
		o.Older = older.id
	}
	return o
}

// backTo returns the nearest ancestor whose bytes a version that returned has, or nil.
func (v *version) backTo() *version {
	if !v.is(returned) {
		return nil
	}
	var nearest *version
	for a := range ancestry(v.sameFile()) {
		if a.hash == v.hash && (nearest == nil || cmp.Or(cmp.Compare(a.prio, nearest.prio), later(nearest, a)) > 0) {
			nearest = a
		}
	}
	return nearest
}

// olderBase returns the latest parent of a version that was not made on all that its node had
// of the file, or nil.
func (v *version) olderBase() *version {
	parents := slices.Clone(v.sameFile())
	if len(parents) == 0 {
		return nil
	}
	slices.SortFunc(parents, later)
	var known map[*version]struct{}
	left := len(parents)
	for i := len(v.file.versions) - 1; i >= 0 && left > 0; i-- { // parents come before children
		w := v.file.versions[i]
		if slices.Contains(parents, w) {
			left--
		}
		if w == v || !v.descendsFrom(w.element) || !slices.ContainsFunc(w.parents, func(p *version) bool { return slices.Contains(parents, p) }) {
			continue
		}
		if known == nil {
			known = ancestry([]*version{v})
		}
		if _, ok := known[w]; !ok {
			return parents[0]
		}
	}
	return nil
}

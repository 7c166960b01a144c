package oracle

import (
	"cmp"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// wish is a file that would be present if no other path collided with it.
type wish struct {
	path     definition.Path
	versions map[definition.ChangeID]*version
	edits    []*version // those that stand
	first    *version   // with which it came there
	// entitled: it is there, and came with first, by authors who may write all that it collides with.
	entitled bool
	text     text
}

// held returns the files that are held: first of those that are entitled, then of the others, in
// the order of the versions with which they came there, each that collides with none before it.
func held(wanted []wish) []wish {
	slices.SortFunc(wanted, func(a, b wish) int {
		if a.entitled != b.entitled {
			if a.entitled {
				return -1
			}
			return 1
		}
		return cmp.Or(byDepth(a.first, b.first), a.path.Compare(b.path))
	})
	var out []wish
	for _, w := range wanted {
		if !slices.ContainsFunc(out, func(h wish) bool { return collide(h.path, w.path) }) {
			out = append(out, w)
		}
	}
	return out
}

// collide reports whether two paths cannot both be files: they are equal by case fold or
// normalisation, or one takes the other for a folder.
func collide(a, b definition.Path) bool {
	return a.FoldKey() == b.FoldKey() || slices.Contains(foldersOf(a), b.FoldKey()) || slices.Contains(foldersOf(b), a.FoldKey())
}

// judge says when a file came, and whether it is entitled to its place. An author is heard about
// the path if it may write all that the path collides with.
func (s *set) judge(w *wish, wanted []wish) {
	own := slices.DeleteFunc(slices.Clone(w.edits), func(v *version) bool { return v.path != w.path })
	if w.first = arrival(w.path, w.versions, own, func(*version) bool { return true }); w.first == nil {
		w.first = slices.MinFunc(w.edits, byDepth) // all that stand have followed the file here
	}
	heard := func(v *version) bool {
		return !slices.ContainsFunc(wanted, func(o wish) bool {
			return o.path != w.path && collide(o.path, w.path) && !s.mayWrite(v, o.path)
		})
	}
	var first *version
	if len(own) == 0 {
		first = firstFollower(w, heard)
	} else {
		first = arrival(w.path, w.versions, w.undeleted(heard), heard)
	}
	if first != nil {
		w.first, w.entitled = first, true
	}
}

// firstFollower returns the first edit that stands, of those that are heard: if the renames to the
// path all are.
func firstFollower(w *wish, heard func(*version) bool) *version {
	for _, v := range w.versions {
		from, err := definition.ParsePath(v.edit.GetMovedFrom())
		isRename := err == nil && !v.edit.GetDeleted() && slices.ContainsFunc(v.made, func(m *version) bool { return m.path == from && m.id == v.id })
		if isRename && v.counts && !heard(v) {
			return nil
		}
	}
	var first *version
	for _, v := range w.edits {
		if heard(v) && (first == nil || byDepth(v, first) < 0) {
			first = v
		}
	}
	return first
}

// undeleted returns the heard versions of a path that those that stand come from without a
// deletion, and that no deletion was made on.
func (w *wish) undeleted(heard func(*version) bool) []*version {
	gone := make(map[definition.ChangeID]bool)
	for _, v := range w.versions {
		if v.counts && v.edit.GetDeleted() {
			ancestors(w.versions, v, gone)
		}
	}
	var out []*version
	seen := make(map[definition.ChangeID]bool)
	var visit func(v *version)
	visit = func(v *version) {
		if seen[v.id] || v.counts && v.edit.GetDeleted() {
			return
		}
		seen[v.id] = true
		if v.counts && !gone[v.id] && heard(v) {
			out = append(out, v)
		}
		for _, id := range v.parents {
			visit(w.versions[id])
		}
	}
	for _, v := range w.edits {
		if v.path == w.path {
			visit(v)
		}
	}
	return out
}

// foldersOf returns the fold keys of the folders above a path.
func foldersOf(path definition.Path) []string {
	var above []string
	for dir := path.Dir(); !dir.IsZero(); dir = dir.Dir() {
		above = append(above, dir.FoldKey())
	}
	return above
}

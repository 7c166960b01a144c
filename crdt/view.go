package crdt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// decision is what the heads of one path come to, before other paths are
// looked at.
type decision struct {
	stands    *version // nil if there are no heads
	conflicts []definition.Conflict
}

// present reports whether a file stands.
func (d decision) present() bool { return d.stands != nil && !d.stands.is(deleted) }

// decide merges the heads of one path, latest first. Heads of equal bytes count
// as one.
func decide(heads []*version) decision {
	standing := slices.DeleteFunc(slices.Clone(heads), func(v *version) bool { return v.is(adopted) })
	var d decision
	if len(standing) > 0 {
		d.stands = standing[0]
		if i := slices.IndexFunc(standing, func(v *version) bool { return !v.is(deleted) }); i >= 0 {
			d.stands = standing[i] // an edit wins against a deletion
		}
	} else if len(heads) > 0 {
		d.stands = heads[len(heads)-1] // among adopted files the earliest wins
	}
	listed := make(map[definition.Hash]bool, len(heads))
	for _, v := range slices.Concat(standing, heads) { // a loser that is no adopted one names the conflict
		if v.hash == d.stands.hash || listed[v.hash] {
			continue
		}
		listed[v.hash] = true
		kind := definition.ConflictEdits
		switch {
		case v.is(adopted):
			kind = definition.ConflictAdopted
		case v.is(deleted):
			kind = definition.ConflictDeletion
		}
		d.conflicts = append(d.conflicts, definition.Conflict{Kind: kind, Lost: v.ref(), Stands: d.stands.ref()})
	}
	return d
}

// view computes what the directory should hold for one path. holders remembers
// who holds a place: whoever asks for several views of one state passes the same
// map, so that a path that collides with many is looked at once and not by each.
func (x *index) view(path definition.Path, holders map[*file]*file) definition.View {
	view := definition.View{Path: path}
	f := x.files[path]
	if f == nil || len(f.heads) == 0 {
		return view
	}
	d := decide(f.heads)
	for _, h := range f.heads {
		view.Heads = append(view.Heads, h.ref())
	}
	view.Winner, view.Conflicts = d.stands.ref(), d.conflicts
	if !d.present() {
		return view
	}
	if holder := x.holder(f, holders); holder != f {
		view.Conflicts = append(view.Conflicts, definition.Conflict{
			Kind:   definition.ConflictPath,
			Lost:   view.Winner,
			Stands: decide(holder.heads).stands.ref(),
		})
		return view
	}
	view.Present, view.Hash = true, d.stands.hash
	return view
}

// holder returns the file that keeps f out of the directory, or f itself if it
// is held. Of colliding paths that would be present, the one whose first
// version is earliest is held: a path gives way to an earlier one that is held
// itself. holders remembers the answers.
func (x *index) holder(f *file, holders map[*file]*file) *file {
	if h, ok := holders[f]; ok {
		return h
	}
	h := f
	for c := range x.colliders(f) {
		if c.first == nil || !decide(c.heads).present() || earlier(c, h) >= 0 {
			continue
		}
		if x.holder(c, holders) == c {
			h = c
		}
	}
	holders[f] = h
	return h
}

// earlier orders paths by their first version.
func earlier(a, b *file) int {
	return cmp.Or(-later(a.first, b.first), strings.Compare(a.path.String(), b.path.String()))
}

// colliders yields the other paths that cannot stand beside f: those equal to
// it by case fold or normalisation, those that take it for a folder, and those
// that it takes for one.
func (x *index) colliders(f *file) func(yield func(*file) bool) {
	return func(yield func(*file) bool) {
		for _, c := range x.folded[f.fold] {
			if c != f && !yield(c) {
				return
			}
		}
		for _, c := range x.below[f.fold] {
			if !yield(c) {
				return
			}
		}
		for folder := range folders(f.fold) {
			for _, c := range x.folded[folder] {
				if !yield(c) {
					return
				}
			}
		}
	}
}

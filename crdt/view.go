package crdt

import (
	"cmp"
	"slices"

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

// decide says which of a path's heads, latest first, stands, and which deletions
// and adopted files do not. How the edits among them merge is for index.merged.
func decide(heads []*version) decision {
	var d decision
	sides := sidesOf(heads)
	switch {
	case len(sides) > 0:
		d.stands = sides[0].latest() // an edit wins against a deletion
	case len(heads) > 0:
		d.stands = heads[len(heads)-1] // among adopted files the earliest wins
		if i := slices.IndexFunc(heads, func(v *version) bool { return !v.is(adopted) }); i >= 0 {
			d.stands = heads[i] // a deletion
		}
	}
	listed := make(map[definition.Hash]bool, len(heads))
	for _, s := range sides {
		listed[s.latest().hash] = true
	}
	for _, v := range heads {
		if v.hash == d.stands.hash || listed[v.hash] {
			continue
		}
		listed[v.hash] = true
		if v.is(deleted) && isRepeated(v, sides) {
			continue
		}
		c := definition.Conflict{Kind: definition.ConflictAdopted, Lost: v.ref(), Stands: d.stands.ref(), Reason: "a joining node had it on disk"}
		if v.is(deleted) {
			c.Kind, c.Reason = definition.ConflictDeletion, "an edit stands against a deletion"
		}
		d.conflicts = append(d.conflicts, c)
	}
	return d
}

// view computes what the directory should hold for one path.
func (s *state) view(path definition.Path) definition.View {
	view := definition.View{Path: path}
	f := s.index.files[path]
	if f == nil {
		return view
	}
	t := s.tips(f)
	if len(t.heads) == 0 {
		return view
	}
	d := decide(t.heads)
	for _, h := range t.heads {
		view.Heads = append(view.Heads, h.ref())
	}
	view.Winner, view.Conflicts = d.stands.ref(), slices.Concat(d.conflicts, s.index.parted(t.ofOwn().heads), s.index.past(f, t))
	if !d.present() {
		return view
	}
	if holder := s.holder(f); holder != f {
		view.Conflicts = append(view.Conflicts, definition.Conflict{
			Kind:   definition.ConflictPath,
			Lost:   view.Winner,
			Stands: decide(s.tips(holder).heads).stands.ref(),
			Reason: "the two paths cannot both be files",
		})
		return view
	}
	view.Present, view.Hash = true, d.stands.hash
	if len(sidesOf(t.heads)) < 2 {
		return view
	}
	view.Merged = true
	m := s.index.merged(path, t)
	view.Hash, view.Withheld = m.hash, m.withheld
	view.Conflicts = slices.Concat(m.conflicts, view.Conflicts)
	return view
}

// wants reports whether a file would be present if no other path collided with it.
func (s *state) wants(f *file) bool { return decide(s.tips(f).heads).present() }

// holder returns the file that keeps f out of the directory, or f itself if it
// is held. Of colliding paths that would be present, the one that was first is
// held: a path gives way to an earlier one that is held itself. Those whose precedence is
// rightful come before all others.
func (s *state) holder(f *file) *file {
	if h, ok := s.holders[f]; ok {
		return h
	}
	h := f
	for c := range s.index.colliders(f) {
		if !s.wants(c) || s.earlier(c, h) >= 0 {
			continue
		}
		if s.holder(c) == c {
			h = c
		}
	}
	s.holders[f] = h
	return h
}

// earlier orders paths that would be present by their precedence.
func (s *state) earlier(a, b *file) int {
	ca, cb := s.precedence(a), s.precedence(b)
	switch {
	case ca.rightful && !cb.rightful:
		return -1
	case cb.rightful && !ca.rightful:
		return 1
	}
	return cmp.Or(compareFirst(ca.came, cb.came), a.path.Compare(b.path))
}

// compareFirst orders versions of different paths by how deep in the graph they are,
// and those of equal depth by (time, change id). So a path that was made on top of
// another does not take its place, whatever the clocks say.
func compareFirst(a, b *version) int {
	return cmp.Or(cmp.Compare(a.prio, b.prio), later(b, a))
}

// cameWith returns the version with which a path that would be present came there: the first
// since it was last absent. A version was made on an absent path if no version that it was made on
// has a file; so these are the versions that the heads lead back to without passing a deletion.
// One that was made apart from a deletion never knew the path absent, and an edit wins against a
// deletion: the path was there all along.
func (x *index) cameWith(f *file, t *tips) *version {
	x.coming.Lock()
	defer x.coming.Unlock()
	if t.came != nil {
		return t.came
	}
	standing := standingOf(t.heads)
	own := slices.DeleteFunc(slices.Clone(standing), func(v *version) bool { return v.file != f })
	if len(own) > 0 {
		t.came = firstOf(x.sinceAbsent(own, func(*version) bool { return true }))
	} else {
		t.came = firstOf(standing) // they followed the file here
	}
	return t.came
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

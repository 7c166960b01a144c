package crdt

import (
	"slices"

	"github.com/starling-sync/starling/definition"
)

// A file that is renamed takes the edits along that others made of it meanwhile: such an edit is a
// head of the new name, and the old one has no file. The rename is a change that deletes the old
// name and moves the file to the new one.

// maxMoves bounds how many renames of one file, and how many in a row, an edit follows, and
// how many edits of one file do. Beyond it an edit stands under the name that it was made for.
const maxMoves = 16

// departure is a rename of a file, seen from the old name.
type departure struct {
	gone, came *version // of the old name, and of the new
}

// depart notes the renames that an element makes, and returns the files that they are from. Its
// versions have their files.
func (x *index) depart(e *element, edits []definition.Edit) []*file {
	var from []*file
	for i := range e.versions {
		came := &e.versions[i]
		if !came.is(moved) || came.is(deleted) {
			continue
		}
		gone := x.versionIn(e, edits[i].MovedFrom)
		if gone == nil || !gone.is(deleted) {
			continue
		}
		came.flags |= renamed
		gone.flags |= departed
		gone.file.left = append(gone.file.left, departure{gone, came})
		if came.file.sources == nil {
			came.file.sources = make(map[*file]struct{})
			came.file.gone = make(map[*version]*version)
		}
		came.file.sources[gone.file] = struct{}{}
		came.file.gone[came] = gone
		from = append(from, gone.file)
	}
	return from
}

// dirtyBefore adds the files that were renamed to one of which a rename came, or counts no more:
// where their edits follow to may be another.
func (x *index) dirtyBefore(f *file, set map[*file]struct{}) {
	for from := range f.before() {
		x.dirty(from, set)
	}
}

// tips returns the tips of a file: those of its versions, without the edits that followed a rename
// to another name, and with those that followed one to this.
func (s *state) tips(f *file) *tips {
	own := s.ownTips(f)
	if len(f.left) == 0 && len(f.sources) == 0 {
		return own
	}
	if s.past != nil {
		t, ok := s.moved[f]
		if !ok {
			t = s.withMoves(f, own)
			s.moved[f] = t
		}
		return t
	}
	s.index.coming.Lock()
	defer s.index.coming.Unlock()
	if f.moved == nil {
		f.moved = s.withMoves(f, own)
	}
	return f.moved
}

// withMoves returns the tips of a file after all renames, which are its own if none matters.
func (s *state) withMoves(f *file, own *tips) *tips {
	heads := slices.DeleteFunc(slices.Clone(own.heads), func(h *version) bool {
		to := s.follow(own, h)
		return len(to) > 0 && !slices.Contains(to, f)
	})
	changed := len(heads) < len(own.heads)
	for from := range f.before() {
		theirs := s.ownTips(from)
		for _, h := range theirs.heads {
			if slices.Contains(s.follow(theirs, h), f) {
				heads, changed = append(heads, h), true
			}
		}
	}
	if !changed {
		return own
	}
	var behind []*version
	for _, h := range heads {
		behind = append(behind, h.behind()...)
	}
	known := crossing(behind)
	heads = slices.DeleteFunc(heads, func(h *version) bool { _, ok := known[h]; return ok })
	slices.SortFunc(heads, laterOrPath)
	return &tips{heads: heads, own: own}
}

// before returns the other files that were renamed to a file, in up to maxMoves steps.
func (f *file) before() map[*file]struct{} {
	found, last := map[*file]struct{}{}, []*file{f}
	for range maxMoves {
		var next []*file
		for _, to := range last {
			for from := range to.sources {
				if _, ok := found[from]; !ok && from != f {
					found[from] = struct{}{}
					next = append(next, from)
				}
			}
		}
		last = next
	}
	return found
}

// follow returns the files that an edit, one of the heads of a file, has followed renames to; none
// if it stays. It follows a rename that it was made apart from, of the file that it is an edit of,
// to a name that its author may write.
func (s *state) follow(own *tips, e *version) []*file {
	if e.is(deleted) || e.is(adopted) || len(e.file.left) == 0 {
		return nil
	}
	edits := 0
	for _, h := range own.heads {
		if h == e {
			break
		}
		if !h.is(deleted) && !h.is(adopted) {
			edits++
		}
	}
	if edits >= maxMoves {
		return nil
	}
	known := ancestry([]*version{e})
	shared := s.marked(e.file, func(v *version) bool { _, ok := known[v]; return ok })
	w := walk{state: s, edit: e}
	for _, d := range s.departures(e.file) {
		_, knew := known[d.gone]
		if _, same := shared[d.gone]; same && !knew {
			w.arrive(d.came, 1)
		}
	}
	return w.to
}

// walk follows an edit from name to name.
type walk struct {
	state *state
	edit  *version
	moves int
	to    []*file
}

// arrive goes on from the version with which a file came to a name, or ends there.
func (w *walk) arrive(came *version, row int) {
	if w.moves++; w.moves > maxMoves*maxMoves {
		return
	}
	f := came.file
	var on []departure
	if row < maxMoves && len(f.left) > 0 {
		since := w.state.marked(f, func(v *version) bool { return v == came })
		on = slices.DeleteFunc(w.state.departures(f), func(d departure) bool { _, ok := since[d.gone]; return !ok })
	}
	for _, d := range on {
		w.arrive(d.came, row+1)
	}
	if len(on) == 0 && !slices.Contains(w.to, f) && w.edit.charter.mayWrite(w.edit.author.id, f.path) {
		w.to = append(w.to, f)
	}
}

// departures returns the renames of a file that count, the latest first.
func (s *state) departures(f *file) []departure {
	var left []departure
	for _, d := range f.left {
		if s.holds(d.gone) && s.index.counts(d.gone) {
			left = append(left, d)
		}
	}
	slices.SortFunc(left, func(a, b departure) int {
		if a.gone != b.gone {
			return later(a.gone, b.gone)
		}
		return a.came.file.path.Compare(b.came.file.path)
	})
	return left[:min(len(left), maxMoves)]
}

// marked returns the versions of a file that are marked, and those that were made on them.
func (s *state) marked(f *file, mark func(*version) bool) map[*version]struct{} {
	out := make(map[*version]struct{})
	for _, v := range f.versions { // parents come before children
		if mark(v) || slices.ContainsFunc(v.parents, func(p *version) bool { _, ok := out[p]; return ok }) {
			out[v] = struct{}{}
		}
	}
	return out
}

// VersionOf returns the version of a path's file that a change made, under this name or one that it
// had before or that the change was made under; false if there is none.
func (r *Replica) VersionOf(path definition.Path, change definition.ChangeID) (definition.Version, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, f := r.index.byID.find(change), r.index.files[path]
	if own := r.index.versionIn(e, path); own != nil {
		return own.ref(), true
	}
	if e == nil || f == nil {
		return definition.Version{}, false
	}
	story := crossing(slices.Concat(f.versions, r.index.now().tips(f).heads))
	for i := range e.versions {
		if v := &e.versions[i]; !v.is(departed) {
			if _, ok := story[v]; ok {
				return v.ref(), true
			}
		}
	}
	return definition.Version{}, false
}

// crossing is ancestry that goes on through renames.
func crossing(versions []*version) map[*version]struct{} {
	seen := make(map[*version]struct{})
	for todo := slices.Clone(versions); len(todo) > 0; {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[v]; !ok {
			seen[v] = struct{}{}
			todo = append(todo, v.behind()...)
		}
	}
	return seen
}

// behind returns what a version was made on, under any name: its parents, and for a rename the
// deletion of the old name, which has all that had come to that.
func (v *version) behind() []*version {
	if !v.is(renamed) {
		return v.parents
	}
	return append(slices.Clone(v.parents), v.file.gone[v])
}

// parted returns the conflicts of renames that gave one file several names, or of which another
// side deleted the file: among some versions of it that none is on top of. What was renamed is
// there.
func (x *index) parted(heads []*version) []definition.Conflict {
	var came []*version
	for _, h := range heads {
		if !h.is(deleted) {
			continue
		}
		for _, d := range h.file.left {
			if d.gone == h && !slices.ContainsFunc(came, func(v *version) bool { return v.file == d.came.file }) {
				came = append(came, d.came)
			}
		}
	}
	if len(came) == 0 {
		return nil
	}
	slices.SortFunc(came, laterOrPath)
	var conflicts []definition.Conflict
	for _, h := range heads {
		if h.is(deleted) && !h.is(departed) {
			conflicts = append(conflicts, definition.Conflict{
				Kind: definition.ConflictRenamed, Lost: h.ref(), Stands: came[0].ref(), Reason: "one side deleted it, and the other gave it another name: " + came[0].file.path.String() + " is there",
			})
			break // deletions are equal
		}
	}
	for _, v := range came[1:] {
		if v.element == came[0].element {
			continue
		}
		conflicts = append(conflicts, definition.Conflict{
			Kind: definition.ConflictRenamed, Lost: v.ref(), Stands: came[0].ref(), Reason: "each side gave it another name, and both files are there",
		})
	}
	return conflicts
}

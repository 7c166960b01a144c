package crdt

import (
	"slices"

	"github.com/starling-sync/starling/definition"
)

// An edit on top of several heads does not close their conflict: CAS saves files
// again on its own, and an operator may not have looked. So a conflict is listed
// until an edit that is marked to resolve it has it in its history.

// past returns the conflicts of the merges in the history of a file's tips, and the saves in it
// that took the file back, as far as nobody has resolved them, the latest first. They go with the
// file to another name. It is computed once for each set of heads.
func (x *index) past(f *file, t *tips) []definition.Conflict {
	x.merging.Lock()
	defer x.merging.Unlock()
	if t.past != nil {
		return t.past
	}
	history := x.story(slices.DeleteFunc(slices.Clone(t.heads), func(h *version) bool { return h.is(departed) }))
	var below []*version // what was there when all was resolved
	settled, known := make(map[definition.ResolvedConflict]bool), true
	for v := range history {
		if v.is(resolves) {
			below = append(below, v.storyBehind()...)
			// Somebody may have saved the same merge at the same time without resolving it.
			conflicts, failed := x.unhonoured(v)
			known = known && !failed
			for _, c := range conflicts {
				settled[nameOf(c)] = true
			}
		}
		if v.is(settles) {
			for _, r := range v.file.settled[v] {
				settled[r] = true
			}
		}
	}
	resolved := x.story(below)
	var open []*version
	for v := range history {
		if _, ok := resolved[v]; !ok && !v.is(resolves) && (v.is(returned) || len(v.basis()) > 1) {
			open = append(open, v)
		}
	}
	slices.SortFunc(open, later)
	past, listed := []definition.Conflict{}, make(map[pastKey]bool)
	for _, v := range open {
		conflicts, failed := x.unhonoured(v)
		known = known && !failed
		for _, c := range conflicts {
			k := pastKey{c.Kind, c.FieldKind == definition.FieldComment, nameOf(c)}
			if !listed[k] && !settled[k.ResolvedConflict] {
				listed[k] = true
				if v.file != f && !c.At.IsZero() {
					c.AtPath = v.file.path
				}
				past = append(past, c)
			}
		}
	}
	if known {
		t.past = past
	}
	return past
}

// story returns versions with all that the file was before, under any name. What a file was that
// was given another name is that one's, and not of what came to the old name since.
func (x *index) story(versions []*version) map[*version]struct{} {
	seen := make(map[*version]struct{})
	for todo := slices.Clone(versions); len(todo) > 0; {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[v]; ok {
			continue
		}
		seen[v] = struct{}{}
		for _, p := range v.storyBehind() {
			if !p.is(departed) || !x.counts(p) || v.is(renamed) && p == v.file.gone[v] {
				todo = append(todo, p)
			}
		}
	}
	return seen
}

// storyBehind returns what a version was made on, and for a rename the deletion of the old name.
func (v *version) storyBehind() []*version {
	if v.is(renamed) {
		return append(v.sameFile(), v.file.gone[v])
	}
	return v.basis()
}

// nameOf names a conflict as an edit does that resolves it alone.
func nameOf(c definition.Conflict) definition.ResolvedConflict {
	return definition.ResolvedConflict{Lost: c.Lost.Change, Stands: c.Stands.Change, Pointer: c.Pointer}
}

// pastKey is what makes two conflicts of the past the same. A comment is lost besides the value
// that it is beside.
type pastKey struct {
	kind    definition.ConflictKind
	comment bool
	definition.ResolvedConflict
}

// unhonoured returns the conflicts of the merge that a version was made on, and that it took
// an edit back. If the disk failed, each side that does not stand whole is one, and nothing is remembered.
func (x *index) unhonoured(v *version) (conflicts []definition.Conflict, failed bool) {
	if conflicts, ok := v.file.unhonoured[v]; ok {
		return conflicts, false
	}
	parents := slices.Clone(v.basis())
	parents = slices.DeleteFunc(parents, func(p *version) bool { return !x.counts(p) })
	slices.SortFunc(parents, laterOrPath)
	conflicts = []definition.Conflict{}
	if v.is(returned) && len(parents) > 0 && x.counts(v) {
		conflicts = append(conflicts, definition.Conflict{
			Kind: definition.ConflictReverted, Lost: parents[0].ref(), Stands: v.ref(), Reason: "a save took it back to an earlier version",
		})
	}
	if len(parents) > 1 {
		merged := len(conflicts)
		conflicts = append(conflicts, decide(parents).conflicts...)
		conflicts = append(conflicts, x.parted(parents)...)
		m := merger{path: v.file.path, load: x.load, counts: x.counts, memo: make(map[string][]byte)}
		if sides := sidesOf(parents); len(sides) > 1 {
			out, err := m.merge(sides, 0)
			if err != nil { // the disk's: each side may have lost, and it is asked again
				failed = true
				for _, s := range sides[1:] {
					out.conflicts = append(out.conflicts, whole(s, sides[0], "its versions cannot be read"))
				}
			}
			conflicts = append(conflicts, out.conflicts...)
		}
		for i := range conflicts[merged:] {
			conflicts[merged+i].At = v.id
		}
	}
	if failed {
		return conflicts, true
	}
	if v.file.unhonoured == nil {
		v.file.unhonoured = make(map[*version][]definition.Conflict)
	}
	v.file.unhonoured[v] = conflicts
	return conflicts, false
}

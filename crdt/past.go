package crdt

import (
	"slices"

	"github.com/starling-sync/starling/definition"
)

// An edit on top of several heads does not close their conflict: CAS saves files
// again on its own, and an operator may not have looked. So a conflict is listed
// until an edit that is marked to resolve it has it in its history.

// past returns the conflicts of the merges in the history of a file's tips that
// nobody has resolved, the latest merge first. It is computed once for each set of
// heads.
func (x *index) past(t *tips) []definition.Conflict {
	x.merging.Lock()
	defer x.merging.Unlock()
	if t.past != nil {
		return t.past
	}
	history := ancestry(t.heads)
	resolved := make(map[*version]struct{})
	for v := range history {
		if v.is(resolves) {
			for a := range ancestry(v.sameFile()) {
				resolved[a] = struct{}{}
			}
		}
	}
	var merges []*version
	for v := range history {
		if _, ok := resolved[v]; !ok && !v.is(resolves) && len(v.sameFile()) > 1 {
			merges = append(merges, v)
		}
	}
	slices.SortFunc(merges, later)
	past, known := []definition.Conflict{}, true
	for _, v := range merges {
		conflicts, failed := x.unhonoured(v)
		known = known && !failed
		for _, c := range conflicts {
			if !slices.ContainsFunc(past, func(o definition.Conflict) bool { return o.Lost == c.Lost && o.Stands == c.Stands }) {
				past = append(past, c)
			}
		}
	}
	if known {
		t.past = past
	}
	return past
}

// unhonoured returns the conflicts of the merge that a version was made on. If the
// disk failed, each side that does not stand whole is one, and nothing is remembered.
func (x *index) unhonoured(v *version) (conflicts []definition.Conflict, failed bool) {
	if conflicts, ok := v.file.unhonoured[v]; ok {
		return conflicts, false
	}
	parents := slices.Clone(v.sameFile())
	parents = slices.DeleteFunc(parents, func(p *version) bool { return !x.counts(p) })
	slices.SortFunc(parents, later)
	conflicts = []definition.Conflict{}
	if len(parents) > 1 {
		conflicts = append(conflicts, decide(parents).conflicts...)
		m := merger{path: v.file.path, load: x.load, counts: x.counts, memo: make(map[string][]byte)}
		if sides := sidesOf(parents); len(sides) > 1 {
			out, err := m.merge(sides, 0)
			if err != nil { // the disk's: each side may have lost, and it is asked again
				failed = true
				for _, s := range sides[1:] {
					out.conflicts = append(out.conflicts, whole(s, sides[0]))
				}
			}
			conflicts = append(conflicts, out.conflicts...)
		}
		for i := range conflicts {
			conflicts[i].At = v.id
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

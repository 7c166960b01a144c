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
	t.past = []definition.Conflict{}
	for _, v := range merges {
		for _, c := range x.unhonoured(v) {
			if !slices.ContainsFunc(t.past, func(o definition.Conflict) bool { return o.Lost == c.Lost && o.Stands == c.Stands }) {
				t.past = append(t.past, c)
			}
		}
	}
	return t.past
}

// unhonoured returns the conflicts of the merge that a version was made on.
func (x *index) unhonoured(v *version) []definition.Conflict {
	if conflicts, ok := v.file.unhonoured[v]; ok {
		return conflicts
	}
	parents := slices.Clone(v.sameFile())
	parents = slices.DeleteFunc(parents, func(p *version) bool { return !x.counts(p) })
	slices.SortFunc(parents, later)
	conflicts := []definition.Conflict{}
	if len(parents) > 1 {
		conflicts = append(conflicts, decide(parents).conflicts...)
		m := merger{path: v.file.path, load: x.load, counts: x.counts, memo: make(map[string][]byte)}
		if sides := sidesOf(parents); len(sides) > 1 {
			// An error of the disk fails the store elsewhere; here it costs a line.
			if out, err := m.merge(sides, 0); err == nil {
				conflicts = append(conflicts, out.conflicts...)
			}
		}
		for i := range conflicts {
			conflicts[i].At = v.id
		}
	}
	if v.file.unhonoured == nil {
		v.file.unhonoured = make(map[*version][]definition.Conflict)
	}
	v.file.unhonoured[v] = conflicts
	return conflicts
}

package oracle

import (
	"slices"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// bound is how many renames of a path, and in a row, and edits of a path, the rules know.
const bound = 16

// rename is a change that deletes a path and moves its file to another.
type rename struct{ gone, came *version }

// moves returns the heads of each path, the earliest first: its own, but for edits that followed a
// rename, and those that followed one to it.
func (s *set) moves(all map[definition.Path]map[definition.ChangeID]*version) map[definition.Path][]*version {
	renames := make(map[definition.Path][]rename)
	for _, versions := range all {
		for id, came := range versions {
			from, err := definition.ParsePath(came.edit.GetMovedFrom())
			if err != nil || came.edit.GetDeleted() {
				continue
			}
			if gone := all[from][id]; gone != nil && gone.edit.GetDeleted() && gone.counts {
				renames[from] = append(renames[from], rename{gone, came})
			}
		}
	}
	for path, list := range renames {
		slices.SortFunc(list, func(a, b rename) int {
			if a.gone != b.gone {
				return byTime(b.gone, a.gone)
			}
			return a.came.path.Compare(b.came.path)
		})
		renames[path] = list[:min(len(list), bound)]
	}
	stay, followed := make(map[definition.Path][]*version), make(map[definition.Path][]*version)
	for path, versions := range all {
		edits := 0
		for _, h := range slices.Backward(headsOf(versions)) {
			var to []definition.Path
			if !h.edit.GetDeleted() && !h.edit.GetAdopted() {
				if edits++; edits <= bound {
					to = s.follow(all, renames, h)
				}
			}
			if len(to) == 0 || slices.Contains(to, path) {
				stay[path] = append(stay[path], h)
			}
			for _, p := range to {
				if p != path {
					followed[p] = append(followed[p], h)
				}
			}
		}
	}
	for path, versions := range all {
		if len(stay[path]) == len(headsOf(versions)) && len(followed[path]) == 0 {
			continue // no rename matters
		}
		heads := slices.Concat(stay[path], followed[path])
		stay[path] = slices.DeleteFunc(slices.Clone(heads), func(h *version) bool {
			return slices.ContainsFunc(heads, func(o *version) bool { return o != h && behind(o)[h] })
		})
	}
	for _, heads := range stay {
		slices.SortFunc(heads, byTimeAndPath)
	}
	return stay
}

// follow returns the paths that an edit has followed its file to.
func (s *set) follow(all map[definition.Path]map[definition.ChangeID]*version, renames map[definition.Path][]rename, e *version) []definition.Path {
	closure := func(v *version) map[definition.ChangeID]bool {
		out := map[definition.ChangeID]bool{v.id: true}
		ancestors(all[v.path], v, out)
		return out
	}
	known := closure(e)
	var to []definition.Path
	steps := 0
	var land func(came *version, row int)
	land = func(came *version, row int) {
		if steps++; steps > bound*bound {
			return
		}
		last := true
		for _, r := range renames[came.path] {
			if row < bound && closure(r.gone)[came.id] {
				last = false
				land(r.came, row+1)
			}
		}
		if last && s.mayWrite(e, came.path) && !slices.Contains(to, came.path) {
			to = append(to, came.path)
		}
	}
	for _, r := range renames[e.path] {
		common := false
		for id := range closure(r.gone) {
			common = common || known[id]
		}
		if common && !known[r.gone.id] {
			land(r.came, 1)
		}
	}
	return to
}

// mayWrite reports whether a grant lets a version's author write a path. It takes the grants in
// the set for those in the version's ancestry.
func (s *set) mayWrite(v *version, path definition.Path) bool {
	return slices.ContainsFunc(s.grants, func(g trust.Grant) bool { return g.Member == v.author && g.Allows(path) })
}

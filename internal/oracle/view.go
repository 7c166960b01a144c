package oracle

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// version is one edit inside one change.
type version struct {
	id      definition.ChangeID
	path    definition.Path
	author  peer.ID
	depth   uint64 // of its change in the graph
	time    uint64
	counts  bool
	edit    *crdtpb.Edit
	parents []definition.ChangeID // of the same path
	made    []*version            // all that it was made on, of the path that it was moved from too
}

// byTime orders versions, the earliest first.
func byTime(a, b *version) int {
	return cmp.Or(cmp.Compare(a.time, b.time), bytes.Compare(a.id[:], b.id[:]))
}

// byTimeAndPath is byTime for versions of several paths.
func byTimeAndPath(a, b *version) int { return cmp.Or(byTime(a, b), b.path.Compare(a.path)) }

// files computes the view of every path.
func (s *set) files() map[definition.Path]File {
	files := make(map[definition.Path]File)
	var wanted []wish
	all := s.versions()
	after := s.moves(all)
	for path, versions := range all {
		heads := after[path]
		file := File{}
		for _, h := range slices.Backward(heads) {
			file.Heads = append(file.Heads, definition.Version{Change: h.id, Path: h.path})
		}
		files[path] = file
		if stands := standing(heads); stands != nil && !stands.edit.GetDeleted() {
			edits := slices.DeleteFunc(slices.Clone(heads), func(v *version) bool {
				return v != stands && (v.edit.GetAdopted() || v.edit.GetDeleted())
			})
			wanted = append(wanted, wish{path: path, versions: versions, edits: edits, text: fold(path, edits)})
		}
	}
	for i := range wanted {
		s.judge(&wanted[i], wanted)
	}
	for _, w := range held(wanted) {
		file := files[w.path]
		file.Present, file.Content, file.Fields = true, w.text.content, w.text.fields
		files[w.path] = file
	}
	return files
}

// versions collects the versions of each path by the change that they are in.
func (s *set) versions() map[definition.Path]map[definition.ChangeID]*version {
	all := make(map[definition.Path]map[definition.ChangeID]*version)
	for id, c := range s.changes {
		if !s.part(id) {
			continue
		}
		for path, edit := range c.edits {
			v := &version{id: id, path: path, author: c.author, depth: s.depths[id], time: c.time, counts: s.counts(id), edit: edit}
			for _, p := range edit.GetParents() {
				if !p.GetMoved() {
					v.parents = append(v.parents, definition.ChangeID(p.GetChange()))
				}
			}
			if all[path] == nil {
				all[path] = make(map[definition.ChangeID]*version)
			}
			all[path][id] = v
		}
	}
	for _, versions := range all {
		for _, v := range versions {
			from, _ := definition.ParsePath(v.edit.GetMovedFrom())
			for _, p := range v.edit.GetParents() {
				of := v.path
				if p.GetMoved() {
					of = from
				}
				v.made = append(v.made, all[of][definition.ChangeID(p.GetChange())])
			}
			if gone := all[from][v.id]; gone != nil && gone.edit.GetDeleted() && !v.edit.GetDeleted() {
				v.made = append(v.made, gone) // a rename, which has all that had come to the old name
			}
		}
	}
	return all
}

// counts reports whether a change gives bytes to the view: its author is not
// revoked, or every revocation keeps it.
func (s *set) counts(id definition.ChangeID) bool {
	for _, r := range s.revocations {
		if r.Member == s.changes[id].author && !s.keeps(r, id) {
			return false
		}
	}
	return true
}

// keeps reports whether a revocation's last change reaches another by prev.
func (s *set) keeps(r trust.Revocation, id definition.ChangeID) bool {
	if r.Mode == trust.ModePurge {
		return false
	}
	for at := r.LastChange; !at.IsZero(); at = s.changes[at].prev {
		if at == id {
			return true
		}
	}
	return false
}

// headsOf returns the versions that count and are no ancestor of another that
// counts, the earliest first. One that does not count still carries ancestry.
func headsOf(versions map[definition.ChangeID]*version) []*version {
	passed := make(map[definition.ChangeID]bool)
	for _, v := range versions {
		if v.counts {
			ancestors(versions, v, passed)
		}
	}
	var heads []*version
	for id, v := range versions {
		if v.counts && !passed[id] {
			heads = append(heads, v)
		}
	}
	slices.SortFunc(heads, byTime)
	return heads
}

// ancestors adds all ancestors of a version.
func ancestors(versions map[definition.ChangeID]*version, of *version, add map[definition.ChangeID]bool) {
	for _, id := range of.parents {
		if !add[id] {
			add[id] = true
			ancestors(versions, versions[id], add)
		}
	}
}

// standing returns the head that stands, nil if there are no heads: the latest edit;
// failing that the latest deletion; and an adopted file only if nothing else is
// there, of these the earliest.
func standing(heads []*version) *version {
	rank := func(v *version) int {
		switch {
		case v.edit.GetAdopted():
			return 0
		case v.edit.GetDeleted():
			return 1
		default:
			return 2
		}
	}
	var stands *version
	for _, v := range heads { // the earliest first
		switch {
		case stands == nil || rank(v) > rank(stands):
			stands = v
		case rank(v) == rank(stands) && rank(v) > 0:
			stands = v
		}
	}
	return stands
}

// arrival returns the version with which a file came: the first since it was last absent. Some
// versions stand. Each of them came with the first of those that it was made on, if there was a
// file in them, and else with itself. Versions that are not heard count as no file, and nothing
// comes from what they were made on.
func arrival(path definition.Path, versions map[definition.ChangeID]*version, standing []*version, heard func(*version) bool) *version {
	done := make(map[definition.ChangeID]*version)
	var came func(v *version) *version
	came = func(v *version) *version {
		if first, ok := done[v.id]; ok {
			return first
		}
		var first *version
		if v.counts && !v.edit.GetDeleted() && heard(v) {
			first = v
		}
		if heard(v) && (!v.counts || !v.edit.GetDeleted()) {
			for _, id := range v.parents {
				if before := came(versions[id]); before != nil && (first == nil || byDepth(before, first) < 0) {
					first = before
				}
			}
		}
		done[v.id] = first
		return first
	}
	var first *version
	for _, v := range standing {
		if v.path != path {
			continue
		}
		if c := came(v); c != nil && (first == nil || byDepth(c, first) < 0) {
			first = c
		}
	}
	return first
}

// byDepth orders versions by their depth, those of equal depth by time.
func byDepth(a, b *version) int { return cmp.Or(cmp.Compare(a.depth, b.depth), byTime(a, b)) }

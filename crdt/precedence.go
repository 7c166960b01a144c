package crdt

import "slices"

// precedence is what a path that would be present has to show against those that it collides with.
type precedence struct {
	// came is the version with which the path came there, as far as it counts against them.
	came *version
	// rightful: came is by an author who may write all that the path would keep out.
	rightful bool
}

// precedence returns the precedence of a file that would be present.
//
// A grant covers effects. So against the paths that f collides with only those versions of f count
// whose authors may write all of these: the file must be there, and must have come, by them alone. Who
// may not cannot bring it back from a deletion either, not even as an edit of what others had made.
// That leaves nothing of the file that only others have brought there: its precedence is not rightful, and
// is heard after all that are.
func (s *state) precedence(f *file) precedence {
	if c, ok := s.precedences[f]; ok {
		return c
	}
	t := s.tips(f)
	c := precedence{came: s.index.cameWith(f, t), rightful: true}
	if s.index.limited {
		if came := s.rightfullyCameWith(f, t); came != nil {
			c.came = came
		} else {
			c.rightful = false
		}
	}
	s.precedences[f] = c
	return c
}

// rightfullyCameWith is index.cameWith of the versions that count against all that f collides with;
// nil if they bring no file there. It is the same if these are all.
func (s *state) rightfullyCameWith(f *file, t *tips) *version {
	standing := standingOf(t.heads)
	own := slices.DeleteFunc(slices.Clone(standing), func(v *version) bool { return v.file != f })
	if len(own) == 0 {
		return s.rightfullyFollowed(f, standing)
	}
	gone := s.everDeleted(f)
	live := slices.DeleteFunc(s.index.sinceAbsent(own, func(*version) bool { return true }), func(v *version) bool {
		_, ok := gone[v]
		return ok || !s.rightful(v, f)
	})
	return firstOf(s.index.sinceAbsent(live, func(v *version) bool { return s.rightful(v, f) }))
}

// rightfullyFollowed returns the first of the edits that stand in f and have all followed a rename
// there, if both they and the renames count against what f collides with; else nil.
func (s *state) rightfullyFollowed(f *file, edits []*version) *version {
	for came := range f.gone {
		if s.holds(came) && s.index.counts(came) && !s.rightful(came, f) {
			return nil
		}
	}
	return firstOf(slices.DeleteFunc(slices.Clone(edits), func(v *version) bool { return !s.rightful(v, f) }))
}

// everDeleted returns the versions of a file that a deletion was made on.
func (s *state) everDeleted(f *file) map[*version]struct{} {
	gone := make(map[*version]struct{})
	var todo []*version
	for _, v := range f.versions {
		if v.is(deleted) && s.holds(v) && s.index.counts(v) {
			todo = append(todo, v.sameFile()...)
		}
	}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := gone[v]; !ok {
			gone[v] = struct{}{}
			todo = append(todo, v.sameFile()...)
		}
	}
	return gone
}

// reach names what one author, under the grants that it knew, may write of a class of paths.
type reach struct {
	charter *charter
	author  *author
	fold    string
}

// rightful reports whether a version's author may write all that would be present and collides with f.
func (s *state) rightful(v *version, f *file) bool {
	if v.charter.unlimited(v.author.id) {
		return true
	}
	key := reach{v.charter, v.author, f.fold}
	may, ok := s.reaches[key]
	if !ok {
		may = s.mayWriteAll(v, f)
		s.reaches[key] = may
	}
	return may
}

func (s *state) mayWriteAll(v *version, f *file) bool {
	if !v.charter.mayWrite(v.author.id, f.path) && s.wants(f) {
		return false // it followed a rename
	}
	for c := range s.index.colliders(f) {
		if !v.charter.mayWrite(v.author.id, c.path) && s.wants(c) {
			return false
		}
	}
	return true
}

// standingOf returns the versions that make a path present: the edits among its heads, or the adopted
// file that stands.
func standingOf(heads []*version) []*version {
	var standing []*version
	for _, side := range sidesOf(heads) {
		standing = append(standing, side...)
	}
	if len(standing) == 0 {
		standing = append(standing, decide(heads).stands)
	}
	return standing
}

// sinceAbsent returns the versions that have a file and count, and that some versions of it lead back
// to without passing a deletion or one that may not be passed; themselves too.
func (x *index) sinceAbsent(from []*version, pass func(*version) bool) []*version {
	var found []*version
	seen := make(map[*version]struct{})
	for todo := slices.Clone(from); len(todo) > 0; {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[v]; ok || !pass(v) {
			continue
		}
		seen[v] = struct{}{}
		if x.counts(v) {
			if v.is(deleted) {
				continue
			}
			found = append(found, v)
		}
		todo = append(todo, v.sameFile()...)
	}
	return found
}

// firstOf returns the first of some versions, nil if there are none.
func firstOf(versions []*version) *version {
	var first *version
	for _, v := range versions {
		if first == nil || compareFirst(v, first) < 0 {
			first = v
		}
	}
	return first
}

package crdt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// Bounds of a merge. Beyond them it is still defined, only coarser.
const (
	// maxSides is how many unequal heads are merged; the earlier ones are listed
	// as conflicts.
	maxSides = 16
	// maxBaseDepth is how deep several nearest common ancestors are merged; below
	// it the earliest of them is the base.
	maxBaseDepth = 8
)

// side is one or several versions of equal bytes. They count as one: the latest,
// with the ancestry of all.
type side []*version

func (s side) latest() *version { return s[0] }

// merger merges versions of one path. The index lock is held while it works.
type merger struct {
	path   definition.Path
	load   func(*version) ([]byte, error)
	counts func(*version) bool
	memo   map[string][]byte // of merged bases
}

// outcome is what the sides of a path come to.
type outcome struct {
	content   []byte
	conflicts []definition.Conflict
}

// sidesOf sorts versions, the latest first, into sides. Deletions and adopted
// files are no sides: an edit wins against both.
func sidesOf(heads []*version) []side {
	var sides []side
	at := make(map[definition.Hash]int, len(heads)) // thousands, if a forked author likes
	for _, v := range heads {
		if v.is(deleted) || v.is(adopted) {
			continue
		}
		if i, ok := at[v.hash]; ok {
			sides[i] = append(sides[i], v)
			continue
		}
		at[v.hash] = len(sides)
		sides = append(sides, side{v})
	}
	return sides
}

// merge folds sides, the latest first, from the earliest on; the text is the
// latest's. The error is the disk's.
func (m *merger) merge(sides []side, depth int) (outcome, error) {
	beyond := sides[min(len(sides), maxSides):]
	sides = sides[:min(len(sides), maxSides)]
	last := len(sides) - 1
	content, err := m.load(sides[last].latest())
	if err != nil {
		return outcome{}, err
	}
	var lost losses
	first, folded := last, slices.Clone(sides[last]) // the sides from first on, whose edits content has
	for i := last - 1; i >= 0; i-- {
		next := sides[i]
		text, err := m.load(next.latest())
		if err != nil {
			return outcome{}, err
		}
		base, err := m.base(folded, next, depth)
		if err != nil {
			return outcome{}, err
		}
		merged, mergeErr := m.threeWay(base, text, content)
		if mergeErr != nil { // the later stands whole
			lost.file(sides[i+1:first+1], next, whyWhole(mergeErr))
			content, first, folded = text, i, slices.Clone(next)
			continue
		}
		if depth == 0 { // a base's conflicts are nobody's
			if err := m.lose(&lost, merged.Conflicts, next, sides[i+1:first+1]); err != nil {
				return outcome{}, err
			}
		}
		content, folded = merged.Content, append(folded, next...)
	}
	out := outcome{content: content, conflicts: lost.conflicts()}
	for _, s := range beyond {
		out.conflicts = append(out.conflicts, whole(s, sides[0], fmt.Sprintf("of %d versions made apart the latest %d merge", len(sides)+len(beyond), maxSides)))
	}
	return out, nil
}

// threeWay merges two texts on a base, nil if there is none. A base that does not parse is none.
func (m *merger) threeWay(base, later, earlier []byte) (definition.Merged, error) {
	merged, err := definition.Merge(m.path, base, later, earlier)
	if err == nil || base == nil {
		return merged, err
	}
	if _, broken := definition.Parse(m.path, base); broken != nil {
		return definition.Merge(m.path, nil, later, earlier)
	}
	return merged, err
}

// whyWhole says why two sides do not merge.
func whyWhole(err error) string {
	return strings.TrimPrefix(err.Error(), definition.ErrNoMerge.Error()+": ")
}

// base returns the bytes of the nearest common ancestor that counts, nil if
// there is none or it is a deletion. Several are merged first.
func (m *merger) base(a, b []*version, depth int) ([]byte, error) {
	common := m.nearest(a, b)
	if len(common) > 1 && depth >= maxBaseDepth {
		common = common[len(common)-1:]
	}
	stands, sides := decide(common), sidesOf(common)
	switch {
	case !stands.present():
		return nil, nil
	case len(sides) < 2: // one, several of equal bytes, or an adopted file
		return m.load(stands.stands)
	}
	key := keyOf(common)
	if content, ok := m.memo[key]; ok {
		return content, nil
	}
	out, err := m.merge(sides, depth+1)
	if err != nil {
		return nil, err
	}
	m.memo[key] = out.content
	return out.content, nil
}

// nearest returns the common ancestors of a and b that count and are no
// ancestors of others that do, the latest first. An edit that both have as versions
// of their own is one.
func (m *merger) nearest(a, b []*version) []*version {
	ofA, ofB := crossing(a), crossing(b)
	var common, parents []*version
	for v := range ofA {
		if _, ok := ofB[v]; ok && m.counts(v) {
			common = append(common, v)
			parents = append(parents, v.behind()...)
		}
	}
	for _, r := range repeats(ofA, ofB) {
		if m.counts(r[0]) && m.counts(r[1]) {
			common = append(common, r[0])
			parents = append(append(parents, r[0].behind()...), r[1].behind()...)
		}
	}
	above := crossing(parents)
	common = slices.DeleteFunc(common, func(v *version) bool { _, ok := above[v]; return ok })
	slices.SortFunc(common, laterOrPath)
	return common
}

// ancestry returns versions with all of their file that they were made on.
func ancestry(versions []*version) map[*version]struct{} {
	seen := make(map[*version]struct{})
	todo := slices.Clone(versions)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[v]; !ok {
			seen[v] = struct{}{}
			todo = append(todo, v.sameFile()...)
		}
	}
	return seen
}

// keyOf names a set of versions that are in order.
func keyOf(versions []*version) string {
	var key strings.Builder
	for _, v := range versions {
		fmt.Fprintf(&key, "%s\x00%s\x00", v.id, v.file.path)
	}
	return key.String()
}

// mergedFile is what the sides of a file come to, without the bytes: they are
// merged again when they are read.
type mergedFile struct {
	hash      definition.Hash
	conflicts []definition.Conflict
	withheld  string
}

// merged returns what the sides of a path's tips come to. It is computed once for
// each set of heads.
func (x *index) merged(path definition.Path, t *tips) mergedFile {
	x.merging.Lock()
	defer x.merging.Unlock()
	if t.merged == nil {
		out, err := x.merge(path, t)
		m := mergedFile{hash: definition.HashOf(out.content), conflicts: out.conflicts}
		if err != nil {
			m = mergedFile{withheld: err.Error()}
		}
		t.merged = &m
	}
	return *t.merged
}

// merge merges the sides of a path's tips. An error says why this node cannot.
func (x *index) merge(path definition.Path, t *tips) (outcome, error) {
	if x.rules > definition.MergeVersion {
		return outcome{}, fmt.Errorf("the cluster merges by rules %d, this node knows %d: upgrade it", x.rules, definition.MergeVersion)
	}
	m := merger{path: path, load: x.load, counts: x.counts, memo: make(map[string][]byte)}
	out, err := m.merge(sidesOf(t.heads), 0)
	if err != nil {
		return outcome{}, fmt.Errorf("its versions cannot be merged: %w", err)
	}
	return out, nil
}

package crdt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// One edit is often made several times: a configuration tool writes the same file on every
// node, and each node signs a version of its own. These count as one, also when somebody has
// edited the file on top of some of them before the last arrived: what arrives then is nothing
// new, and neither a side of a merge nor a deletion that lost.

// repeated is an edit that is in two ancestries, as a version in each.
type repeated [2]*version

// repeats returns the edits that two ancestries have as versions of their own: of equal bytes,
// or both deletions, and made on what is the same in both, in this sense. It takes a time of
// the order of what is in one of them only.
func repeats(ofA, ofB map[*version]struct{}) []repeated {
	onlyA := without(ofA, ofB)
	if len(onlyA) == 0 {
		return nil
	}
	onlyB := without(ofB, ofA)
	first := make(map[string]*version, len(onlyA)) // by what an edit is
	same := make(map[*version]*version)            // to the one that stands for it
	for _, v := range onlyA {
		key := sameness(v, same)
		if first[key] == nil {
			first[key] = v
		}
		same[v] = first[key]
	}
	var found []repeated
	for _, v := range onlyB {
		key := sameness(v, same)
		if w := first[key]; w != nil && !v.is(adopted) {
			same[v] = w
			found = append(found, repeated{w, v})
		}
	}
	return found
}

// without returns the versions of one ancestry that are not in another, parents first.
func without(of, other map[*version]struct{}) []*version {
	var only []*version
	for v := range of {
		if _, ok := other[v]; !ok {
			only = append(only, v)
		}
	}
	slices.SortFunc(only, func(a, b *version) int {
		return cmp.Or(cmp.Compare(a.prio, b.prio), a.id.Compare(b.id), a.file.path.Compare(b.file.path))
	})
	return only
}

// sameness is a text that is equal for versions that are the same edit.
func sameness(v *version, same map[*version]*version) string {
	var made []string
	for _, p := range v.behind() {
		if s := same[p]; s != nil {
			p = s
		}
		made = append(made, p.id.String()+" "+p.file.path.String())
	}
	slices.Sort(made)
	return fmt.Sprintf("%s\x00%x\x00%d\x00%s", v.file.path, v.hash, v.flags&(deleted|adopted), strings.Join(slices.Compact(made), "\x00"))
}

// isRepeated reports whether a deletion is one that a side was made on already.
func isRepeated(deletion *version, sides []side) bool {
	ofIt := crossing([]*version{deletion})
	for _, s := range sides {
		for _, r := range repeats(crossing(s), ofIt) {
			if r[1] == deletion {
				return true
			}
		}
	}
	return false
}

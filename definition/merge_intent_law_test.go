package definition_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

// A roster is a list or set whose entries are known apart by their names, whatever becomes of
// them: the reference for merges is computed from what was done to them, without looking
// for it in texts.
type roster struct {
	kind    string // list or set
	objects bool   // the entries are objects, else names
	access  bool   // it decides access
	entries []entry
}

type entry struct {
	name   string
	fields [3]int
}

var rosterFields = [3]string{"x", "y", "z"}

func (r roster) clone() roster {
	r.entries = slices.Clone(r.entries)
	return r
}

func (r roster) get(name string) *entry {
	for i := range r.entries {
		if r.entries[i].name == name {
			return &r.entries[i]
		}
	}
	return nil
}

func (r roster) names() (names []string) {
	for _, e := range r.entries {
		names = append(names, e.name)
	}
	return names
}

// drawRoster draws a base.
func drawRoster(t *rapid.T) roster {
	r := roster{
		kind: rapid.SampledFrom([]string{"list", "set"}).Draw(t, "kind"), objects: rapid.Bool().Draw(t, "objects"), access: rapid.Bool().Draw(t, "access"),
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "entries") {
		r.entries = append(r.entries, entry{name: "e" + strconv.Itoa(i)})
	}
	return r
}

// drawEdits does some things to a roster, as one side. It does not both remove and add: of a new
// entry beside a gap nothing tells whether it took the other's place.
func drawEdits(t *rapid.T, r roster) roster {
	r = r.clone()
	adds := rapid.Bool().Draw(t, "adds")
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		at := rapid.IntRange(0, max(0, len(r.entries)-1)).Draw(t, "at")
		to := rapid.IntRange(0, max(0, len(r.entries)-1)).Draw(t, "to")
		edit := rapid.SampledFrom([]string{"edit", "edit", "move", "remove or add", "sort"}).Draw(t, "edit")
		switch {
		case edit == "remove or add" && adds:
			e := entry{name: "n" + strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "new"))}
			if r.objects {
				e.fields[0] = rapid.IntRange(0, 1).Draw(t, "x")
			}
			if r.get(e.name) == nil {
				r.entries = slices.Insert(r.entries, min(at, len(r.entries)), e)
			}
		case len(r.entries) == 0:
		case edit == "remove or add":
			r.entries = slices.Delete(r.entries, at, at+1)
		case edit == "edit" && r.objects:
			r.entries[at].fields[rapid.IntRange(0, 2).Draw(t, "field")] = rapid.IntRange(0, 3).Draw(t, "value")
		case edit == "move":
			e := r.entries[at]
			r.entries = slices.Insert(slices.Delete(r.entries, at, at+1), to, e)
		case edit == "sort":
			slices.SortFunc(r.entries, func(a, b entry) int { return -strings.Compare(a.name, b.name) })
		}
	}
	return r
}

// document returns a document that holds the roster.
func (r roster) document() *model {
	m := &model{kind: r.kind, class: "java.util.ArrayList", key: "entries"}
	if r.kind == "set" {
		m.class = "java.util.HashSet"
	}
	for _, e := range r.entries {
		item := &model{kind: "string", text: e.name}
		if r.objects {
			item = &model{kind: "object", kids: []*model{{kind: "string", key: "name", text: e.name}}}
			for i, key := range rosterFields {
				item.kids = append(item.kids, &model{kind: "literal", key: key, text: strconv.Itoa(e.fields[i])})
			}
		}
		m.kids = append(m.kids, item)
	}
	parent := &model{kind: "object", class: "x.P", key: "holder", kids: []*model{m}}
	if r.access {
		parent.key = "accessStrategy"
	}
	return &model{kind: "object", kids: []*model{{kind: "literal", key: "n", text: "1"}, parent}}
}

// rosterOf reads a roster back.
func rosterOf(t *rapid.T, like roster, m *model) roster {
	r := like.clone()
	r.entries = nil
	entries := m.kids[len(m.kids)-1].member("entries")
	if entries == nil {
		t.Fatalf("no entries in %s", m.canonical())
	}
	for _, item := range entries.kids {
		e := entry{name: item.text}
		if r.objects {
			e.name = item.member("name").text
			for i, key := range rosterFields {
				e.fields[i], _ = strconv.Atoi(item.member(key).text)
			}
		}
		r.entries = append(r.entries, e)
	}
	return r
}

// expectation is what must come of a merge of rosters.
type expectation struct {
	whole     bool // the later side's roster stands, as a conflict of the collection
	entries   map[string]entry
	order     []string // of those that both sides kept
	conflicts []string // kind and name of each
}

// expect is the reference.
func expect(b, l, e roster) expectation {
	x := expectation{entries: map[string]entry{}}
	if same := func(p, q roster) bool { return slices.Equal(sortedIf(p), sortedIf(q)) }; same(l, e) || same(b, e) || same(b, l) {
		stands := l
		if same(b, l) {
			stands = e
		}
		for _, entry := range stands.entries {
			x.entries[entry.name] = entry
		}
		x.order = stands.names()
		return x
	}
	added := func(r, other roster) bool {
		return slices.ContainsFunc(r.entries, func(n entry) bool {
			o := other.get(n.name)
			return b.get(n.name) == nil && (o == nil || *o != n)
		})
	}
	removed := func(r roster) bool {
		return slices.ContainsFunc(b.entries, func(n entry) bool { return r.get(n.name) == nil })
	}
	if b.access && (added(l, e) && removed(e) || added(e, l) && removed(l)) {
		x.whole = true
		return x
	}
	both := func(r roster) (names []string) {
		for _, n := range r.names() {
			if b.get(n) != nil && l.get(n) != nil && e.get(n) != nil {
				names = append(names, n)
			}
		}
		return names
	}
	inB, inL, inE := both(b), both(l), both(e)
	switch {
	case b.kind == "set":
	case slices.Equal(inB, inE):
		x.order = inL
	case slices.Equal(inB, inL), slices.Equal(inL, inE):
		x.order = inE
	default:
		x.whole = true
		return x
	}
	kind := map[string]string{"list": "item", "set": "element"}[b.kind]
	for _, name := range slices.Concat(b.names(), l.names(), e.names()) {
		inB, inL, inE := b.get(name), l.get(name), e.get(name)
		if _, done := x.entries[name]; done {
			continue
		}
		switch {
		case inL == nil && inE == nil:
		case inL == nil || inE == nil:
			one := inL
			if one == nil {
				one = inE
			}
			if inB != nil && *one == *inB {
				continue // removed
			}
			if inB != nil {
				x.conflicts = append(x.conflicts, kind)
			}
			x.entries[name] = *one
		default:
			merged := *inL
			for i := range merged.fields {
				switch l, e := inL.fields[i], inE.fields[i]; {
				case l == e || inB != nil && inB.fields[i] == e:
				case inB != nil && inB.fields[i] == l:
					merged.fields[i] = e
				default:
					x.conflicts = append(x.conflicts, "field")
				}
			}
			x.entries[name] = merged
		}
	}
	return x
}

// sortedIf returns the entries, sorted if their order says nothing.
func sortedIf(r roster) []entry {
	entries := slices.Clone(r.entries)
	if r.kind == "set" {
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	}
	return entries
}

// TestMergeOfRosters compares merges with a reference that knows what was done.
func TestMergeOfRosters(t *testing.T) {
	for _, format := range []struct {
		name, file string
		layout     func(*rapid.T) layout
	}{
		{"JSON", "a.json", drawJSON}, {"HJSON", "a.json", drawHJSON}, {"YAML", "a.yml", drawYAML}, {"YAML in brackets too", "a.yml", drawMixedYAML},
	} {
		t.Run(format.name, func(t *testing.T) {
			var merges, moved, withConflicts, whole, gaveUp int
			rapid.Check(t, func(t *rapid.T) {
				base := drawRoster(t)
				later, earlier := drawEdits(t, base), drawEdits(t, base)
				texts := make([]string, 3)
				for i, side := range []roster{base, later, earlier} {
					texts[i] = format.layout(t).write(side.document())
				}
				merged, err := merge(t, format.file, texts[0], texts[1], texts[2])
				merges++
				if errors.Is(err, definition.ErrNoMerge) && format.name == "YAML in brackets too" {
					gaveUp++
					return
				} else if err != nil {
					t.Fatalf("%v\nbase\n%s\nlater\n%s\nearlier\n%s", err, texts[0], texts[1], texts[2])
				}
				if texts[0] == texts[1] || texts[0] == texts[2] || texts[1] == texts[2] {
					return
				}
				checkLaws(t, format.file, texts, merged)
				want := expect(base, later, earlier)
				got := rosterOf(t, base, modelIn(t, format.file, string(merged.Content)))
				if err := want.check(later, got, merged); err != nil {
					t.Fatalf("%v\nbase\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nconflicts %s", err, texts[0], texts[1], texts[2], merged.Content, conflicts(merged))
				}
				if len(merged.Conflicts) > 0 {
					withConflicts++
				}
				if want.whole {
					whole++
				} else if base.kind == "list" && !slices.IsSorted(want.order) {
					moved++
				}
			})
			t.Logf("%d merges, %d with moves, %d with conflicts, %d of them of the collection, %d given up", merges, moved, withConflicts, whole, gaveUp)
		})
	}
}

// check compares a merge with what must come of it.
func (x expectation) check(later, got roster, merged definition.Merged) error {
	var listed []string
	for _, c := range merged.Conflicts {
		if c.Kind != definition.FieldComment { // the layouts have their own
			listed = append(listed, string(c.Kind))
		}
	}
	if x.whole {
		if !slices.Equal(listed, []string{"collection"}) || !slices.Equal(sortedIf(got), sortedIf(later)) {
			return fmt.Errorf("conflicts of %v, want one of the collection, and the later side's", listed)
		}
		return nil
	}
	slices.Sort(listed)
	slices.Sort(x.conflicts)
	if !slices.Equal(listed, x.conflicts) {
		return fmt.Errorf("conflicts of %v, want %v", listed, x.conflicts)
	}
	if len(got.entries) != len(x.entries) {
		return fmt.Errorf("%d entries, want %d: %v", len(got.entries), len(x.entries), x.entries)
	}
	for _, e := range got.entries {
		if want, ok := x.entries[e.name]; !ok || want != e {
			return fmt.Errorf("entry %v, want %v", e, want)
		}
	}
	if got.kind == "set" {
		return nil
	}
	order := slices.DeleteFunc(got.names(), func(n string) bool { return !slices.Contains(x.order, n) })
	if !slices.Equal(order, x.order) {
		return fmt.Errorf("the order is %v, want %v", order, x.order)
	}
	return nil
}

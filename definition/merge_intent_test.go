package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// intent is what two people made of one document at once.
type intent struct {
	name, base, a, b string
	// What comes of it if b is later, and if a is, if that is not the same.
	want, wantA string
	// The conflicts, as "kind pointer" each, and those if a is later.
	conflicts, conflictsA string
}

// formats writes models in each format, with one item a line.
func formats() map[string]layout {
	choices := []int{0, 1, 2, 3, 4, 5, 1, 3}
	return map[string]layout{
		"a.json":       {step: "  ", lines: true, choices: choices, chosen: new(int)},
		"line.json":    {step: "  ", choices: choices, chosen: new(int)},
		"hjson.json":   {step: "    ", lines: true, hjson: true, noCommas: true, choices: choices, chosen: new(int)},
		"a.yml":        {step: "  ", yaml: true, choices: choices, chosen: new(int)},
		"brackets.yml": {step: "  ", yaml: true, brackets: true, choices: []int{0, 3}, chosen: new(int)},
	}
}

// runIntents merges each in all formats and in both orders.
func runIntents(t *testing.T, tests []intent) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.wantA == "" {
				test.wantA = test.want
			}
			if test.conflictsA == "" {
				test.conflictsA = test.conflicts
			}
			for file, format := range formats() {
				write := func(text string) string { return format.write(modelIn(t, "a.json", text)) }
				base, a, b := write(test.base), write(test.a), write(test.b)
				for _, order := range []struct{ later, earlier, want, conflicts string }{
					{b, a, test.want, test.conflicts}, {a, b, test.wantA, test.conflictsA},
				} {
					merged, err := merge(t, file, base, order.later, order.earlier)
					if err != nil {
						t.Errorf("%s: base\n%s\nlater\n%s\nearlier\n%s\n%v", file, base, order.later, order.earlier, err)
						continue
					}
					got, want := parseModel(t, file, string(merged.Content)), parseModel(t, "a.json", order.want)
					var listed []string
					for _, c := range merged.Conflicts {
						listed = append(listed, fmt.Sprint(c.Kind, " ", c.Pointer))
					}
					if conflicts := strings.Join(listed, ", "); got != want || conflicts != order.conflicts {
						t.Errorf("%s: base\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nwhich is\n%s\nwant\n%s\nconflicts %q, want %q", file, base, order.later, order.earlier, merged.Content, got, want, conflicts, order.conflicts)
					}
					takeBack(t, file, base, order.later, order.earlier, merged)
				}
			}
		})
	}
}

// takeBack takes the earlier side in each conflict of a merge: what it wrote there must stand, and
// all else as in the merge.
func takeBack(t *testing.T, file, base, later, earlier string, merged definition.Merged) {
	t.Helper()
	for i, c := range merged.Conflicts {
		taken, err := definition.Take(mustPath(t, file), []byte(base), []byte(later), []byte(earlier), []string{c.Pointer})
		if err != nil {
			t.Errorf("%s: taking %s of\n%s\n%v", file, c.Pointer, earlier, err)
			continue
		}
		if got, want := len(taken.Conflicts), len(merged.Conflicts)-1; got != want {
			t.Errorf("%s: with %s taken there are %d conflicts, want %d", file, merged.Conflicts[i].Pointer, got, want)
		}
		doc, err := definition.Parse(mustPath(t, file), taken.Content)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := resolve(doc.Root(), c.Pointer)
		if !c.Earlier.Present {
			continue // what follows in a list has moved up
		}
		if want := modelIn(t, file, earlier); !ok || !holds(want, modelOf(at).canonical()) {
			t.Errorf("%s: at %s there is %s, which is nowhere in\n%s", file, c.Pointer, outline(at), earlier)
		}
	}
}

// holds reports whether a value is at or below m.
func holds(m *model, canonical string) bool {
	if m.canonical() == canonical {
		return true
	}
	for _, kid := range m.written() {
		if holds(kid, canonical) {
			return true
		}
	}
	return false
}

// TestMergeOfItems: objects in a list are merged only if an identity ties them.
func TestMergeOfItems(t *testing.T) {
	runIntents(t, []intent{
		{
			name: "tied by id", base: `{"l": [{"id": 1, "x": 1, "y": 1}, {"id": 2, "x": 1, "y": 1}]}`,
			a: `{"l": [{"id": 1, "x": 2, "y": 1}, {"id": 2, "x": 1, "y": 1}]}`, b: `{"l": [{"id": 1, "x": 1, "y": 2}, {"id": 2, "x": 1, "y": 1}]}`,
			want: `{"l": [{"id": 1, "x": 2, "y": 2}, {"id": 2, "x": 1, "y": 1}]}`,
		},
		{
			name: "tied by name, in a list of one", base: `{"l": [{"name": "Ann", "x": 1, "y": 1}]}`,
			a: `{"l": [{"name": "Ann", "x": 2, "y": 1}]}`, b: `{"l": [{"name": "Ann", "x": 1, "y": 2}]}`, want: `{"l": [{"name": "Ann", "x": 2, "y": 2}]}`,
		},
		{
			name: "the surest identity counts", base: `{"l": [{"id": 1, "name": "Ann", "x": 1}]}`,
			a: `{"l": [{"id": 1, "name": "Anne", "x": 1}]}`, b: `{"l": [{"id": 1, "name": "Ann", "x": 2}]}`, want: `{"l": [{"id": 1, "name": "Anne", "x": 2}]}`,
		},
		{
			name: "tied by another member that distinguishes", base: `{"l": [{"attribute": "mail", "order": 1, "x": true}, {"attribute": "cn", "order": 2, "x": true}]}`,
			a: `{"l": [{"attribute": "mail", "order": 3, "x": true}, {"attribute": "cn", "order": 2, "x": true}]}`, b: `{"l": [{"attribute": "mail", "order": 1, "x": false}, {"attribute": "cn", "order": 2, "x": true}]}`,
			want: `{"l": [{"attribute": "mail", "order": 3, "x": false}, {"attribute": "cn", "order": 2, "x": true}]}`,
		},
		{
			name: "tied by a class of its own", base: `{"l": [{"@class": "x.A", "m": [1], "x": true}, {"@class": "x.B", "x": true}]}`,
			a: `{"l": [{"@class": "x.A", "m": [1, 2], "x": true}, {"@class": "x.B", "x": true}]}`, b: `{"l": [{"@class": "x.A", "m": [1], "x": false}, {"@class": "x.B", "x": true}]}`,
			want: `{"l": [{"@class": "x.A", "m": [1, 2], "x": false}, {"@class": "x.B", "x": true}]}`,
		},
		{
			name: "the identity changed", base: `{"l": [{"url": "https://test", "methods": ["GET"]}]}`,
			a: `{"l": [{"url": "https://prod", "methods": ["GET"]}]}`, b: `{"l": [{"url": "https://test", "methods": ["GET", "DELETE"]}]}`,
			want: `{"l": [{"url": "https://test", "methods": ["GET", "DELETE"]}]}`, wantA: `{"l": [{"url": "https://prod", "methods": ["GET"]}]}`, conflicts: "item /l/0",
		},
		{
			name: "what distinguishes changed", base: `{"l": [{"pattern": "^a", "order": 1, "m": ["GET"]}, {"pattern": "^b", "order": 2, "m": ["GET"]}]}`,
			a: `{"l": [{"pattern": "^c", "order": 1, "m": ["GET"]}, {"pattern": "^b", "order": 2, "m": ["GET"]}]}`, b: `{"l": [{"pattern": "^a", "order": 1, "m": ["GET", "PUT"]}, {"pattern": "^b", "order": 2, "m": ["GET"]}]}`,
			want: `{"l": [{"pattern": "^a", "order": 1, "m": ["GET", "PUT"]}, {"pattern": "^b", "order": 2, "m": ["GET"]}]}`, wantA: `{"l": [{"pattern": "^c", "order": 1, "m": ["GET"]}, {"pattern": "^b", "order": 2, "m": ["GET"]}]}`, conflicts: "item /l/0",
		},
		{
			name: "no identity at all", base: `{"l": [{"on": true, "m": ["GET"]}]}`, a: `{"l": [{"on": false, "m": ["GET"]}]}`, b: `{"l": [{"on": true, "m": []}]}`,
			want: `{"l": [{"on": true, "m": []}]}`, wantA: `{"l": [{"on": false, "m": ["GET"]}]}`, conflicts: "item /l/0",
		},
		{
			name: "an identity of two is none", base: `{"l": [{"name": "x", "m": true, "n": true}, {"name": "x", "m": true, "n": false}]}`,
			a: `{"l": [{"name": "x", "m": false, "n": true}, {"name": "x", "m": true, "n": false}]}`, b: `{"l": [{"name": "x", "m": true, "n": true, "o": true}, {"name": "x", "m": true, "n": false}]}`,
			want: `{"l": [{"name": "x", "m": true, "n": true, "o": true}, {"name": "x", "m": true, "n": false}]}`, wantA: `{"l": [{"name": "x", "m": false, "n": true}, {"name": "x", "m": true, "n": false}]}`, conflicts: "item /l/0",
		},
		{
			name: "another class is another thing", base: `{"l": [{"@class": "x.A", "name": "n", "x": 1}]}`,
			a: `{"l": [{"@class": "x.B", "name": "n", "x": 1}]}`, b: `{"l": [{"@class": "x.A", "name": "n", "x": 2}]}`,
			want: `{"l": [{"@class": "x.A", "name": "n", "x": 2}]}`, wantA: `{"l": [{"@class": "x.B", "name": "n", "x": 1}]}`, conflicts: "item /l/0",
		},
		{
			name: "one side left the item alone", base: `{"l": [{"on": true, "m": ["GET"]}, {"on": true, "m": ["PUT"]}]}`,
			a: `{"l": [{"on": false, "m": []}, {"on": true, "m": ["PUT"]}]}`, b: `{"l": [{"on": true, "m": ["GET"]}, {"on": true, "m": ["PUT", "GET"]}]}`,
			want: `{"l": [{"on": false, "m": []}, {"on": true, "m": ["PUT", "GET"]}]}`,
		},
		{
			name: "lists in a list", base: `{"l": [["a", "b"], ["c"]]}`, a: `{"l": [["a", "b", "x"], ["c"]]}`, b: `{"l": [["a"], ["c"]]}`,
			want: `{"l": [["a"], ["c"]]}`, wantA: `{"l": [["a", "b", "x"], ["c"]]}`, conflicts: "item /l/0",
		},
		{
			name: "replaced by one, edited by the other", base: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 1}]}`,
			a: `{"l": [{"name": "Ann", "x": 1}, {"name": "Cat", "x": 3}]}`, b: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 2}]}`,
			want: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 2}]}`, wantA: `{"l": [{"name": "Ann", "x": 1}, {"name": "Cat", "x": 3}]}`, conflicts: "item /l/1",
		},
		{
			name: "removed by one, edited by the other", base: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 1}]}`,
			a: `{"l": [{"name": "Bob", "x": 1}]}`, b: `{"l": [{"name": "Ann", "x": 2}, {"name": "Bob", "x": 1}]}`,
			want: `{"l": [{"name": "Ann", "x": 2}, {"name": "Bob", "x": 1}]}`, conflicts: "item /l/0",
		},
		{
			name: "added by both, with one identity", base: `{"l": []}`, a: `{"l": [{"name": "Ann", "x": 1, "y": 1}]}`, b: `{"l": [{"name": "Ann", "x": 2, "z": 2}]}`,
			want: `{"l": [{"name": "Ann", "x": 2, "y": 1, "z": 2}]}`, wantA: `{"l": [{"name": "Ann", "x": 1, "y": 1, "z": 2}]}`, conflicts: "field /l/0/x",
		},
		{
			name: "added by one, made of another by the other", base: `{"l": [{"name": "Ann", "x": 1}]}`, a: `{"l": [{"name": "Ann", "x": 1}, {"name": "Cat", "x": 1}]}`, b: `{"l": [{"name": "Cat", "x": 1}]}`,
			want: `{"l": [{"name": "Cat", "x": 1}]}`,
		},
		{
			name: "two fields of an item, deep", base: `{"o": {"l": [{"id": "x", "o": {"a": 1, "l": [{"id": "y", "b": 1, "c": 1}]}}]}}`,
			a: `{"o": {"l": [{"id": "x", "o": {"a": 2, "l": [{"id": "y", "b": 2, "c": 1}]}}]}}`, b: `{"o": {"l": [{"id": "x", "o": {"a": 1, "l": [{"id": "y", "b": 1, "c": 2}]}}]}}`,
			want: `{"o": {"l": [{"id": "x", "o": {"a": 2, "l": [{"id": "y", "b": 2, "c": 2}]}}]}}`,
		},
	})
}

// TestMergeOfMoves: what one side moved or sorted keeps what the other made of it.
func TestMergeOfMoves(t *testing.T) {
	runIntents(t, []intent{
		{name: "moved and removed", base: `{"l": ["zip", "cn", "mail"]}`, a: `{"l": ["cn", "mail", "zip"]}`, b: `{"l": ["cn", "mail"]}`, want: `{"l": ["cn", "mail"]}`},
		{name: "sorted, another removed", base: `{"l": ["uid", "cn", "mail"]}`, a: `{"l": ["cn", "mail", "uid"]}`, b: `{"l": ["uid", "cn"]}`, want: `{"l": ["cn", "uid"]}`},
		{name: "sorted by both", base: `{"l": ["uid", "cn", "mail"]}`, a: `{"l": ["cn", "mail", "uid"]}`, b: `{"l": ["cn", "mail", "sn", "uid"]}`, want: `{"l": ["cn", "mail", "sn", "uid"]}`},
		{name: "sorted and added to", base: `{"l": ["uid", "cn", "mail"]}`, a: `{"l": ["cn", "mail", "uid"]}`, b: `{"l": ["uid", "cn", "mail", "sn"]}`, want: `{"l": ["cn", "mail", "uid", "sn"]}`},
		{name: "sorted and replaced", base: `{"l": ["uid", "cn", "mail"]}`, a: `{"l": ["cn", "mail", "uid"]}`, b: `{"l": ["uid", "sn", "mail"]}`, want: `{"l": ["sn", "mail", "uid"]}`},
		{name: "sorted in two ways", base: `{"l": ["c", "a", "b"]}`, a: `{"l": ["a", "b", "c"]}`, b: `{"l": ["b", "a", "c"]}`, want: `{"l": ["b", "a", "c"]}`, wantA: `{"l": ["a", "b", "c"]}`, conflicts: "collection /l"},
		{name: "a typed list sorted in two ways", base: `{"l": ["java.util.ArrayList", ["c", "a", "b"]]}`, a: `{"l": ["java.util.ArrayList", ["a", "b", "c"]]}`, b: `{"l": ["java.util.ArrayList", ["b", "a", "c"]]}`, want: `{"l": ["java.util.ArrayList", ["b", "a", "c"]]}`, wantA: `{"l": ["java.util.ArrayList", ["a", "b", "c"]]}`, conflicts: "collection /l"},
		{
			name: "swapped and edited", base: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 2}]}`, a: `{"l": [{"name": "Bob", "x": 2}, {"name": "Ann", "x": 1}]}`, b: `{"l": [{"name": "Ann", "x": 9}, {"name": "Bob", "x": 2}]}`,
			want: `{"l": [{"name": "Bob", "x": 2}, {"name": "Ann", "x": 9}]}`,
		},
		{
			name: "swapped, both edited", base: `{"l": [{"name": "Ann", "x": 1}, {"name": "Bob", "x": 2}]}`, a: `{"l": [{"name": "Bob", "x": 2}, {"name": "Ann", "x": 1}]}`, b: `{"l": [{"name": "Ann", "x": 9}, {"name": "Bob", "x": 8}]}`,
			want: `{"l": [{"name": "Bob", "x": 8}, {"name": "Ann", "x": 9}]}`,
		},
		{
			name: "moved and edited by one, edited by the other", base: `{"l": [{"name": "Ann", "x": 1, "y": 1}, {"name": "Bob", "x": 2}]}`, a: `{"l": [{"name": "Bob", "x": 2}, {"name": "Ann", "x": 7, "y": 1}]}`, b: `{"l": [{"name": "Ann", "x": 1, "y": 9}, {"name": "Bob", "x": 2}]}`,
			want: `{"l": [{"name": "Bob", "x": 2}, {"name": "Ann", "x": 7, "y": 9}]}`,
		},
		{
			name: "moved, edited without identity", base: `{"l": [{"on": true}, ["x"], {"on": false, "m": [1]}]}`, a: `{"l": [["x"], {"on": false, "m": [1]}, {"on": true}]}`, b: `{"l": [{"on": true}, ["x"], {"on": false, "m": [1, 2]}]}`,
			want: `{"l": [["x"], {"on": false, "m": [1, 2]}, {"on": true}]}`,
		},
		{
			name: "moved and edited without identity by one, removed by the other", base: `{"l": [{"on": true, "a": 1, "m": [1]}, "x", "y"]}`, a: `{"l": ["x", "y", {"on": true, "a": 1, "m": [2]}]}`, b: `{"l": ["x", "y"]}`,
			want: `{"l": ["x", "y", {"on": true, "a": 1, "m": [2]}]}`, conflicts: "item /l/2",
		},
		{
			name: "moved and edited without identity by one, edited by the other", base: `{"l": [{"on": true, "a": 1, "m": [1]}, "x", "y"]}`, a: `{"l": ["x", "y", {"on": true, "a": 1, "m": [2]}]}`, b: `{"l": [{"on": false, "a": 1, "m": [1]}, "x", "y"]}`,
			want: `{"l": ["x", "y", {"on": false, "a": 1, "m": [1]}]}`, wantA: `{"l": ["x", "y", {"on": true, "a": 1, "m": [2]}]}`, conflicts: "item /l/2",
		},
		{
			name: "lists moved in moved items", base: `{"l": [{"id": 1, "l": ["b", "a"]}, {"id": 2, "l": ["d", "c"]}, {"id": 3}]}`,
			a: `{"l": [{"id": 3}, {"id": 2, "l": ["c", "d"]}, {"id": 1, "l": ["a", "b"]}]}`, b: `{"l": [{"id": 1, "l": ["b", "a", "e"]}, {"id": 2, "l": ["d", "c"]}, {"id": 3, "x": 1}]}`,
			want: `{"l": [{"id": 3, "x": 1}, {"id": 2, "l": ["c", "d"]}, {"id": 1, "l": ["a", "b", "e"]}]}`,
		},
		{name: "moved and removed in a typed list", base: `{"l": ["java.util.ArrayList", [1, 2, 3]]}`, a: `{"l": ["java.util.ArrayList", [2, 3, 1]]}`, b: `{"l": ["java.util.ArrayList", [2, 3]]}`, want: `{"l": ["java.util.ArrayList", [2, 3]]}`},
		{name: "added by both, in two orders", base: `{"l": ["a"]}`, a: `{"l": ["a", "x", "y"]}`, b: `{"l": ["a", "y", "x"]}`, want: `{"l": ["a", "x", "y"]}`},
		{name: "added by both, in two places", base: `{"l": ["a", "b"]}`, a: `{"l": ["x", "a", "b"]}`, b: `{"l": ["a", "b", "x"]}`, want: `{"l": ["a", "b", "x"]}`},
		{name: "added by both in one place", base: `{"l": ["a"]}`, a: `{"l": ["a", "y", "x"]}`, b: `{"l": ["a", "p", "x"]}`, want: `{"l": ["a", "p", "y", "x"]}`},
	})
}

// TestMergeOfSets: an element that both replaced is a conflict, and an object that both edited is one.
func TestMergeOfSets(t *testing.T) {
	set := func(elements string) string { return `{"s": ["java.util.HashSet", [` + elements + `]]}` }
	runIntents(t, []intent{
		{name: "added and removed", base: set(`"a", "b", "c"`), a: set(`"a", "b"`), b: set(`"b", "c", "d"`), want: set(`"b", "d"`)},
		{name: "the only one replaced", base: set(`"a"`), a: set(`"x"`), b: set(`"y"`), want: set(`"y"`), wantA: set(`"x"`), conflicts: "element /s/1/0"},
		{name: "one of several replaced", base: set(`"a", "b", "c"`), a: set(`"a", "x", "c"`), b: set(`"c", "y", "a"`), want: set(`"a", "c", "y"`), wantA: set(`"a", "c", "x"`), conflicts: "element /s/1/1"},
		{name: "replaced elsewhere", base: set(`"a", "b"`), a: set(`"b", "x"`), b: set(`"y", "b"`), want: set(`"b", "y"`), wantA: set(`"b", "x"`), conflicts: "element /s/1/0", conflictsA: "element /s/1/1"},
		{name: "replaced alike", base: set(`"a"`), a: set(`"x"`), b: set(`"x"`), want: set(`"x"`)},
		{name: "replaced alike, and one more", base: set(`"a"`), a: set(`"x"`), b: set(`"x", "y"`), want: set(`"x", "y"`)},
		{name: "replaced by one, removed by the other", base: set(`"a", "b"`), a: set(`"x", "b"`), b: set(`"b"`), want: set(`"b", "x"`)},
		{name: "replaced by one, others added", base: set(`"a", "b"`), a: set(`"x", "b"`), b: set(`"a", "b", "c"`), want: set(`"b", "x", "c"`)},
		{name: "two replaced by both", base: set(`"a", "b"`), a: set(`"p", "q"`), b: set(`"x", "y"`), want: set(`"x", "y"`), wantA: set(`"p", "q"`), conflicts: "element /s/1/0, element /s/1/1"},
		{
			name: "an object edited by both", base: set(`{"name": "Ann", "phone": 1, "mail": "a"}`), a: set(`{"name": "Ann", "phone": 2, "mail": "a"}`), b: set(`{"name": "Ann", "phone": 1, "mail": "b"}`),
			want: set(`{"name": "Ann", "phone": 2, "mail": "b"}`),
		},
		{
			name: "an object edited by both in one field", base: set(`{"name": "Ann", "phone": 1}, "x"`), a: set(`{"name": "Ann", "phone": 2}, "x"`), b: set(`"x", {"name": "Ann", "phone": 3}`),
			want: set(`{"name": "Ann", "phone": 3}, "x"`), wantA: set(`{"name": "Ann", "phone": 2}, "x"`), conflicts: "field /s/1/1/phone", conflictsA: "field /s/1/0/phone",
		},
		{
			name: "an object without identity edited by both", base: set(`{"on": true, "off": true}`), a: set(`{"on": false, "off": true}`), b: set(`{"on": true, "off": false}`),
			want: set(`{"on": true, "off": false}`), wantA: set(`{"on": false, "off": true}`), conflicts: "element /s/1/0",
		},
		{name: "an object edited by one, removed by the other", base: set(`{"name": "Ann", "phone": 1}`), a: set(`{"name": "Ann", "phone": 2}`), b: set(``), want: set(`{"name": "Ann", "phone": 2}`), conflicts: "element /s/1/0"},
		{name: "an object without identity edited by one, removed by the other", base: set(`{"on": true}`), a: set(`{"on": false}`), b: set(``), want: set(`{"on": false}`), conflicts: "element /s/1/0"},
		{name: "objects added by both, with one identity", base: set(``), a: set(`{"name": "Ann", "phone": 1}`), b: set(`{"name": "Ann", "mail": "a"}`), want: set(`{"name": "Ann", "phone": 1, "mail": "a"}`)},
		{name: "of another kind", base: set(`"a"`), a: set(`"a", "b"`), b: `{"s": ["java.util.ArrayList", ["a"]]}`, want: `{"s": ["java.util.ArrayList", ["a"]]}`, wantA: set(`"a", "b"`), conflicts: "collection /s"},
		{name: "of another class", base: set(`"a"`), a: set(`"a", "b"`), b: `{"s": ["java.util.TreeSet", ["a"]]}`, want: `{"s": ["java.util.TreeSet", ["a", "b"]]}`},
		{name: "made by both", base: `{}`, a: set(`"a"`), b: set(`"b"`), want: set(`"b"`), wantA: set(`"a"`), conflicts: "collection /s"},
	})
}

// TestMergeOfClasses: what has another class is another thing, but for the document itself.
func TestMergeOfClasses(t *testing.T) {
	runIntents(t, []intent{
		{
			name: "class and members", base: `{"o": {"@class": "x.A", "a": 1}}`, a: `{"o": {"@class": "x.B", "a": 1, "b": 2}}`, b: `{"o": {"@class": "x.A", "a": 1, "c": 3}}`,
			want: `{"o": {"@class": "x.A", "a": 1, "c": 3}}`, wantA: `{"o": {"@class": "x.B", "a": 1, "b": 2}}`, conflicts: "object /o",
		},
		{
			name: "class alone and a removal", base: `{"o": {"p": {"@class": "x.A", "a": 1, "b": 1}}}`, a: `{"o": {"p": {"@class": "x.B", "a": 1, "b": 1}}}`, b: `{"o": {"p": {"@class": "x.A", "a": 1}}}`,
			want: `{"o": {"p": {"@class": "x.A", "a": 1}}}`, wantA: `{"o": {"p": {"@class": "x.B", "a": 1, "b": 1}}}`, conflicts: "object /o/p",
		},
		{name: "class and nothing else", base: `{"o": {"@class": "x.A", "a": 1}, "n": 1}`, a: `{"o": {"@class": "x.B", "b": 2}, "n": 1}`, b: `{"o": {"@class": "x.A", "a": 1}, "n": 2}`, want: `{"o": {"@class": "x.B", "b": 2}, "n": 2}`},
		{
			name: "class taken away", base: `{"o": {"@class": "x.A", "a": 1}}`, a: `{"o": {"a": 1}}`, b: `{"o": {"@class": "x.A", "a": 2}}`,
			want: `{"o": {"@class": "x.A", "a": 2}}`, wantA: `{"o": {"a": 1}}`, conflicts: "object /o",
		},
		{name: "class of a map", base: `{"o": {"@class": "java.util.HashMap", "a": 1}}`, a: `{"o": {"@class": "java.util.TreeMap", "a": 1}}`, b: `{"o": {"@class": "java.util.HashMap", "a": 1, "b": 1}}`, want: `{"o": {"@class": "java.util.TreeMap", "a": 1, "b": 1}}`},
		{name: "of the document", base: `{"@class": "x.A", "a": 1}`, a: `{"@class": "x.B", "a": 1, "b": 2}`, b: `{"@class": "x.A", "a": 3}`, want: `{"@class": "x.B", "a": 3, "b": 2}`},
		{name: "of the document, by both", base: `{"@class": "x.A", "a": 1}`, a: `{"@class": "x.B", "a": 2}`, b: `{"@class": "x.C", "a": 1}`, want: `{"@class": "x.C", "a": 2}`, wantA: `{"@class": "x.B", "a": 2}`, conflicts: "field /@class"},
	})
}

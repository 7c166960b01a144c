package definition_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

// merge merges and checks that the arguments keep their bytes.
func merge(tb rapid.TB, name, base, later, earlier string) (definition.Merged, error) {
	tb.Helper()
	b, l, e := []byte(base), []byte(later), []byte(earlier)
	merged, err := definition.Merge(mustPath(tb, name), b, l, e)
	if string(b) != base || string(l) != later || string(e) != earlier {
		tb.Error("Merge changed an argument")
	}
	return merged, err
}

// conflicts writes conflicts as "pointer: base, later, earlier" each.
func conflicts(merged definition.Merged) string {
	var all []string
	for _, c := range merged.Conflicts {
		text := c.Pointer + ":"
		for _, side := range []definition.FieldText{c.Base, c.Later, c.Earlier} {
			text += " " + fieldText(side)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

type mergeTest struct {
	name, base, later, earlier string
	want, conflicts            string
}

func runMergeTests(t *testing.T, file string, tests []mergeTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			merged, err := merge(t, file, test.base, test.later, test.earlier)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(merged.Content); got != test.want {
				t.Errorf("base\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nwant\n%s", test.base, test.later, test.earlier, got, test.want)
			}
			if got := conflicts(merged); got != test.conflicts {
				t.Errorf("conflicts\n%s\nwant\n%s", got, test.conflicts)
			}
		})
	}
}

// TestMergeRules shows what becomes of each kind of value, in texts of one line.
func TestMergeRules(t *testing.T) {
	runMergeTests(t, "a.json", []mergeTest{
		{"fields of both", `{"a": 1, "b": 2}`, `{"a": 9, "b": 2}`, `{"a": 1, "b": 8}`, `{"a": 9, "b": 8}`, ""},
		{"one field, unequally", `{"a": 1}`, `{"a": 2}`, `{"a": 3}`, `{"a": 2}`, "/a: 1 2 3"},
		{"one field, equally", `{"a": 1, "b": 1}`, `{"a": 2, "b": 1}`, `{"b": 2, "a": 2}`, `{"a": 2, "b": 2}`, ""},
		{"equal but for its text", `{"a": 1, "b": 1}`, `{"a": "/", "b": 1}`, `{"a": "\/", "b": 2}`, `{"a": "/", "b": 2}`, ""},
		{"exact numbers", `{"id": 12345678901234567, "b": 1}`, `{"id": 12345678901234567, "b": 2}`, `{"id": 12345678901234568, "b": 1}`, `{"id": 12345678901234568, "b": 2}`, ""},
		{"added by both", `{}`, `{"a": 1}`, `{"b": 2}`, `{"b": 2, "a": 1}`, ""},
		{"added by both, one key", `{"c": 0}`, `{"c": 0, "a": 1}`, `{"c": 0, "a": 2}`, `{"c": 0, "a": 1}`, "/a: none 1 2"},
		{"added by both, objects", `{}`, `{"o": {"a": 1, "b": 0}}`, `{"o": {"a": 1, "c": 2}}`, `{"o": {"a": 1, "c": 2, "b": 0}}`, ""},
		{"removed by each", `{"a": 1, "b": 2, "c": 3}`, `{"b": 2, "c": 3}`, `{"a": 1, "b": 2}`, `{"b": 2}`, ""},
		{"removed by both", `{"a": 1, "b": 2}`, `{"b": 2}`, `{"b": 3}`, `{"b": 3}`, ""},
		{"all removed", `{"a": 1, "b": 2}`, `{"a": 1}`, `{"b": 2}`, `{}`, ""},
		{"edit against removal", `{"a": 1, "b": 2}`, `{"a": 9, "b": 2}`, `{"b": 2}`, `{"a": 9, "b": 2}`, "/a: 1 9 none"},
		{"removal against edit", `{"a": 1, "b": 2}`, `{"b": 3}`, `{"a": 9, "b": 2}`, `{"a": 9, "b": 3}`, "/a: 1 none 9"},
		{"key renamed", `{"a": 1, "b": 2}`, `{"a": 1, "b": 3}`, `{"z": 1, "b": 2}`, `{"z": 1, "b": 3}`, ""},
		{"key renamed, value edited", `{"a": 1, "b": 2}`, `{"a": 3, "b": 2}`, `{"z": 1, "b": 2}`, `{"z": 1, "a": 3, "b": 2}`, "/a: 1 3 none"},
		{"deep", `{"a": {"b": {"c": 1, "d": 2}}}`, `{"a": {"b": {"c": 9, "d": 2}}}`, `{"a": {"b": {"c": 1, "d": 8}}}`, `{"a": {"b": {"c": 9, "d": 8}}}`, ""},
		{"type changed by one", `{"a": 1, "b": 2}`, `{"a": 1, "b": 3}`, `{"a": {"x": []}, "b": 2}`, `{"a": {"x": []}, "b": 3}`, ""},
		{"type changed by both", `{"a": 1}`, `{"a": [1]}`, `{"a": {"x": 1}}`, `{"a": [1]}`, `/a: 1 [1] {"x": 1}`},
		{"null is a value", `{"a": null, "b": 1}`, `{"a": null, "b": 2}`, `{"b": 1}`, `{"b": 2}`, ""},
		{"order changed by one", `{"a": 1, "b": 2}`, `{"b": 2, "a": 1}`, `{"a": 1, "b": 3}`, `{"b": 3, "a": 1}`, ""},
		{"neighbour", `{"a": 1, "c": 3}`, `{"a": 1, "c": 4}`, `{"a": 1, "b": 2, "c": 3}`, `{"a": 1, "b": 2, "c": 4}`, ""},
		{"neighbour gone", `{"a": 1, "b": 2, "c": 3}`, `{"a": 1, "c": 3}`, `{"a": 1, "b": 2, "x": 0, "c": 3}`, `{"a": 1, "x": 0, "c": 3}`, ""},
		{"keys that pointers escape", `{"a/b~": {"": 1}}`, `{"a/b~": {"": 2}}`, `{"a/b~": {"": 3}}`, `{"a/b~": {"": 2}}`, "/a~1b~0/: 1 2 3"},
		{"root replaced", `{"a": 1}`, `{ "a": 1 }`, `[1]`, `[1]`, ""},
		{"root replaced by both", `{"a": 1}`, `{"a": 2}`, `[1]`, `{"a": 2}`, `: {"a": 1} {"a": 2} [1]`},

		{"class changed by one", `{"o": {"@class": "x.A", "a": 1}}`, `{"o": {"@class": "x.A", "a": 2}}`, `{"o": {"@class": "x.B", "a": 1, "b": 3}}`, `{"o": {"@class": "x.A", "a": 2}}`, `/o: {"@class": "x.A", "a": 1} {"@class": "x.A", "a": 2} {"@class": "x.B", "a": 1, "b": 3}`},
		{"class changed by one alone", `{"o": {"@class": "x.A", "a": 1}, "n": 1}`, `{"o": {"@class": "x.A", "a": 1}, "n": 2}`, `{"o": {"@class": "x.B", "b": 3}, "n": 1}`, `{"o": {"@class": "x.B", "b": 3}, "n": 2}`, ""},
		{"class changed by both alike", `{"o": {"@class": "x.A", "a": 1}}`, `{"o": {"@class": "x.B", "a": 1, "b": 2}}`, `{"o": {"@class": "x.B", "a": 1, "c": 3}}`, `{"o": {"@class": "x.B", "a": 1, "c": 3, "b": 2}}`, ""},
		{"class of the root", `{"@class": "x.A", "a": 1}`, `{"@class": "x.A", "a": 2}`, `{"@class": "x.B", "a": 1, "b": 3}`, `{"@class": "x.B", "a": 2, "b": 3}`, ""},
		{"class of the root, changed by both", `{"@class": "x.A", "a": 1}`, `{"@class": "x.B", "a": 1, "b": 3}`, `{"@class": "x.C", "a": 1, "c": 4}`, `{"@class": "x.B", "a": 1, "c": 4, "b": 3}`, `/@class: "x.A" "x.B" "x.C"`},
		{"class changed by both", `{"o": {"@class": "x.A", "a": 1}}`, `{"o": {"@class": "x.B", "b": 1}}`, `{"o": {"@class": "x.C", "c": 3}}`, `{"o": {"@class": "x.B", "b": 1}}`, `/o: {"@class": "x.A", "a": 1} {"@class": "x.B", "b": 1} {"@class": "x.C", "c": 3}`},
		{"class added by both", `{}`, `{"o": {"@class": "x.A", "a": 1}}`, `{"o": {"@class": "x.B", "b": 1}}`, `{"o": {"@class": "x.A", "a": 1}}`, `/o: none {"@class": "x.A", "a": 1} {"@class": "x.B", "b": 1}`},

		{"set", `["java.util.HashSet", ["a", "b", "c"]]`, `["java.util.HashSet", ["c", "x", "a"]]`, `["java.util.HashSet", ["y", "b", "a"]]`, `["java.util.HashSet", ["y", "x", "a"]]`, ""},
		{"set, added to by both", `["java.util.HashSet", []]`, `["java.util.HashSet", ["a", "b"]]`, `["java.util.HashSet", ["b", "c"]]`, `["java.util.HashSet", ["a", "b", "c"]]`, ""},
		{"set, in another order", `{"s": ["java.util.HashSet", ["a", "b"]], "n": 1}`, `{"s": ["java.util.HashSet", ["b", "a"]], "n": 1}`, `{"s": ["java.util.HashSet", ["a", "b"]], "n": 2}`, `{"s": ["java.util.HashSet", ["b", "a"]], "n": 2}`, ""},
		{"set, class changed", `["java.util.HashSet", ["a"]]`, `["java.util.HashSet", ["b", "a"]]`, `["java.util.LinkedHashSet", ["a"]]`, `["java.util.LinkedHashSet", ["b", "a"]]`, ""},
		{"set made a list", `["java.util.HashSet", ["a"]]`, `["java.util.HashSet", ["b", "a"]]`, `["java.util.ArrayList", ["a"]]`, `["java.util.HashSet", ["b", "a"]]`, `: ["java.util.HashSet", ["a"]] ["java.util.HashSet", ["b", "a"]] ["java.util.ArrayList", ["a"]]`},
		{"list", `["java.util.ArrayList", ["a", "b", "c"]]`, `["java.util.ArrayList", ["x", "a", "b", "c"]]`, `["java.util.ArrayList", ["a", "c", "y"]]`, `["java.util.ArrayList", ["x", "a", "c", "y"]]`, ""},
		{"list, added to by both", `["java.util.ArrayList", ["a"]]`, `["java.util.ArrayList", ["a", "x"]]`, `["java.util.ArrayList", ["a", "y", "x"]]`, `["java.util.ArrayList", ["a", "y", "x"]]`, ""},
		{"list, changed in one place", `["java.util.ArrayList", ["a", "b"]]`, `["java.util.ArrayList", ["a", "x"]]`, `["java.util.ArrayList", ["a", "y"]]`, `["java.util.ArrayList", ["a", "x"]]`, `/1/1: "b" "x" "y"`},
		{"map", `["java.util.TreeMap", {"a": 1}]`, `["java.util.TreeMap", {"a": 1, "b": 2}]`, `["java.util.TreeMap", {"a": 3}]`, `["java.util.TreeMap", {"a": 3, "b": 2}]`, ""},
		{"map, as object", `{"@class": "java.util.HashMap", "a": 1}`, `{"@class": "java.util.HashMap", "a": 1, "b": 2}`, `{"@class": "java.util.HashMap"}`, `{"@class": "java.util.HashMap", "b": 2}`, ""},
		{"collection made a map", `["java.util.HashSet", ["a"]]`, `["java.util.HashSet", ["b"]]`, `["java.util.HashMap", {"a": 1}]`, `["java.util.HashSet", ["b"]]`, `: ["java.util.HashSet", ["a"]] ["java.util.HashSet", ["b"]] ["java.util.HashMap", {"a": 1}]`},
		{"set of one, changed by both", `["java.util.Collections$SingletonSet", ["a"]]`, `["java.util.Collections$SingletonSet", ["x"]]`, `["java.util.Collections$SingletonSet", ["y"]]`, `["java.util.Collections$SingletonSet", ["x"]]`, `: ["java.util.Collections$SingletonSet", ["a"]] ["java.util.Collections$SingletonSet", ["x"]] ["java.util.Collections$SingletonSet", ["y"]]`},
		{"list, removed and inserted beside", `[1, 2]`, `[1]`, `[1, 2, 3]`, `[1, 3]`, ""},
		{"list, removal against edit", `[1, {"a": 1, "b": 1}]`, `[1]`, `[1, {"a": 1, "b": 2}]`, `[1, {"a": 1, "b": 2}]`, `/1: {"a": 1, "b": 1} none {"a": 1, "b": 2}`},
		{"objects of a list", `[{"id": 1, "x": 1}, {"id": 2, "x": 1}]`, `[{"id": 0}, {"id": 1, "x": 2}, {"id": 2, "x": 1}]`, `[{"id": 2, "x": 3}]`, `[{"id": 0}, {"id": 1, "x": 2}, {"id": 2, "x": 3}]`, `/1: {"id": 1, "x": 1} {"id": 1, "x": 2} none`},
		{"emptied and filled", `{"a": [1]}`, `{"a": []}`, `{"a": [1, 2]}`, `{"a": [2]}`, ""},
	})
}

func TestMergeFallsBack(t *testing.T) {
	tests := []struct{ name, file, base, later, earlier string }{
		{"opaque", "a.txt", "a", "b", "c"},
		{"base does not parse", "a.json", `{`, `{}`, `{"a": 1}`},
		{"no base", "a.json", "", `{}`, `{"a": 1}`},
		{"later does not parse", "a.json", `{}`, `{`, `{"a": 1}`},
		{"earlier does not parse", "a.json", `{}`, `{"a": 1}`, `{`},
		{"a new anchor", "a.yml", "a: 1\nb: 1\n", "a: &x 2\nb: 1\n", "a: 1\nb: 2\n"},
		{"what an alias refers to", "a.yml", "a: &x {c: 1}\nb: *x\nd: 1\n", "a: &x {c: 1}\nb: *x\nd: 2\n", "a: &x {c: 3}\nb: *x\nd: 1\n"},
		{"an alias removed", "a.yml", "a: &x {c: 1}\nb: *x\nd: 1\n", "a: &x {c: 1}\nd: 1\n", "a: &x {c: 1}\nb: *x\nd: 2\n"},
		{"an alias in a list", "a.yml", "a: &x 1\nb: [*x, 2]\nd: 1\n", "a: &x 1\nb: [*x, 2]\nd: 2\n", "a: &x 1\nb: [*x, *x, 2]\nd: 1\n"},
		{"explicit keys", "a.yml", "a: 1\nb: 1\n", "? a\n: 2\nb: 1\n", "a: 1\nb: 2\n"},
		{"pairs in brackets", "a.yml", "a: 1\nb: 1\n", "a: [c: d]\nb: 1\n", "a: 1\nb: 2\n"},
		{"unusual line breaks", "a.yml", "a: 1\nb: 1\n", "a: 2\rb: 1\n", "a: 1\nb: 2\n"},
		{"too large", "a.json", `{}`, `{"a": "` + strings.Repeat("x", definition.MaxSize-20) + `"}`, `{"b": "` + strings.Repeat("x", definition.MaxSize-20) + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			merged, err := merge(t, test.file, test.base, test.later, test.earlier)
			if !errors.Is(err, definition.ErrNoMerge) || merged.Content != nil || merged.Conflicts != nil {
				t.Errorf("Merge gives %.40q, %v, want ErrNoMerge", merged.Content, err)
			}
			for _, one := range []string{test.base, test.later} {
				for _, other := range []string{test.base, test.earlier} {
					if one == test.later && other == test.earlier {
						continue
					}
					want := one
					if one == test.base {
						want = other
					}
					if merged, err := merge(t, test.file, test.base, one, other); err != nil || string(merged.Content) != want {
						t.Errorf("a change of one side: %.40q, %v, want %.40q", merged.Content, err, want)
					}
				}
			}
		})
	}
}

// TestMergeSaysWhyNot wants the reason in words that lead a reader to the place.
func TestMergeSaysWhyNot(t *testing.T) {
	for _, test := range []struct{ name, base, later, earlier, want string }{
		{"anchors", "a: &x 1\nb: 1\n", "a: &x 2\nb: 1\n", "a: &x 1\nb: 2\n", "anchor"},
		{"explicit key", "a: 1\nb: 1\n", "? a\n: 2\nb: 1\n", "a: 1\nb: 2\n", `line 1, column 1: a key is written as "? key"`},
		{"explicit key in braces", "a: {c: 1}\nb: 1\n", "a: {? c : 2}\nb: 1\n", "a: {c: 1}\nb: 2\n", `line 1, column 5: a key is written as "? key"`},
		{"pair in brackets", "a: [1]\nb: 1\n", "a: [1, c: d]\nb: 1\n", "a: [1]\nb: 2\n", "line 1, column 8: a pair in brackets has no braces"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, sides := range [][2]string{{test.later, test.earlier}, {test.earlier, test.later}} {
				_, err := merge(t, "a.yml", test.base, sides[0], sides[1])
				if !errors.Is(err, definition.ErrNoMerge) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want ErrNoMerge that says %q", err, test.want)
				}
			}
		})
	}
}

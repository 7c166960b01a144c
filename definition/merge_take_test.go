package definition_test

import (
	"fmt"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// TestMergeOfCreations merges two sides that have no common ancestor, in each format.
func TestMergeOfCreations(t *testing.T) {
	for _, test := range []struct{ name, later, earlier, want, conflicts string }{
		{"equal but for one field", `{"a": 1, "d": "x"}`, `{"a": 1, "d": "y"}`, `{"a": 1, "d": "x"}`, `field /d`},
		{"one-sided fields", `{"a": 1, "b": 2}`, `{"c": 3, "a": 1}`, `{"c": 3, "a": 1, "b": 2}`, ""},
		{"in an object", `{"o": {"a": 1, "b": 1, "c": 1}}`, `{"o": {"a": 1, "b": 2, "d": 1}}`, `{"o": {"a": 1, "b": 1, "c": 1, "d": 1}}`, "field /o/b"},
		{"equal", `{"a": 1, "b": [1, {"c": 2}]}`, `{"b": [1, {"c": 2}], "a": 1}`, `{"a": 1, "b": [1, {"c": 2}]}`, ""},
		{"of other kinds", `{"a": 1}`, `[1]`, `{"a": 1}`, `field `},
		{"lists", `{"l": [1, 2], "a": 1}`, `{"l": [1, 3], "a": 1}`, `{"l": [1, 2], "a": 1}`, "collection /l"},
		{"sets", `{"s": ["java.util.HashSet", ["a", "b"]], "r": ["java.util.HashSet", ["a", "b"]]}`, `{"s": ["java.util.HashSet", ["c"]], "r": ["java.util.HashSet", ["b", "a"]]}`, `{"s": ["java.util.HashSet", ["a", "b"]], "r": ["java.util.HashSet", ["a", "b"]]}`, "collection /s"},
		{"maps", `{"m": {"@class": "java.util.HashMap", "a": 1}}`, `{"m": {"@class": "java.util.HashMap", "b": 1}}`, `{"m": {"@class": "java.util.HashMap", "a": 1, "b": 1}}`, ""},
		{"objects of two classes", `{"o": {"@class": "x.A", "a": 1}, "n": 1}`, `{"o": {"@class": "x.B", "b": 1}, "n": 1}`, `{"o": {"@class": "x.A", "a": 1}, "n": 1}`, "object /o"},
		{"documents of two classes", `{"@class": "x.A", "a": 1}`, `{"@class": "x.B", "a": 1}`, `{"@class": "x.A", "a": 1}`, "field /@class"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for file, format := range formats() {
				write := func(text string) []byte { return []byte(format.write(modelIn(t, "a.json", text))) }
				later, earlier := write(test.later), write(test.earlier)
				merged, err := definition.Merge(mustPath(t, file), nil, later, earlier)
				if err != nil {
					t.Errorf("%s: %v", file, err)
					continue
				}
				listed := ""
				for _, c := range merged.Conflicts {
					listed += fmt.Sprint(c.Kind, " ", c.Pointer)
					if c.Base.Present {
						t.Errorf("%s: the conflict %s has a base", file, c.Pointer)
					}
				}
				got, want := parseModel(t, file, string(merged.Content)), parseModel(t, "a.json", test.want)
				if got != want || listed != test.conflicts {
					t.Errorf("%s: merged into\n%s\nconflicts %q, want %q", file, merged.Content, listed, test.conflicts)
				}
			}
		})
	}
}

// TestTake takes the earlier side's values where Merge has conflicts.
func TestTake(t *testing.T) {
	base, later, earlier := `{"a": 1, "b": 1, "c": 1, "d": 1, "o": {"x": 1}}`, `{"a": 2, "b": 2, "c": 2, "d": 1, "o": {"x": 2}}`, `{"a": 3, "c": 3, "d": 3, "o": {"x": 3}}`
	for _, test := range []struct {
		name            string
		pointers        []string
		want, conflicts string
	}{
		{"none", nil, `{"a": 2, "b": 2, "c": 2, "d": 3, "o": {"x": 2}}`, "/a: 1 2 3; /b: 1 2 none; /c: 1 2 3; /o/x: 1 2 3"},
		{"one", []string{"/a"}, `{"a": 3, "b": 2, "c": 2, "d": 3, "o": {"x": 2}}`, "/b: 1 2 none; /c: 1 2 3; /o/x: 1 2 3"},
		{"a removal", []string{"/b"}, `{"a": 2, "c": 2, "d": 3, "o": {"x": 2}}`, "/a: 1 2 3; /c: 1 2 3; /o/x: 1 2 3"},
		{"below", []string{"/o", "/c"}, `{"a": 2, "b": 2, "c": 3, "d": 3, "o": {"x": 3}}`, "/a: 1 2 3; /b: 1 2 none"},
		{"all", []string{""}, earlier, ""},
		{"where there is no conflict", []string{"/d", "/z"}, `{"a": 2, "b": 2, "c": 2, "d": 3, "o": {"x": 2}}`, "/a: 1 2 3; /b: 1 2 none; /c: 1 2 3; /o/x: 1 2 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			merged, err := definition.Take(mustPath(t, "a.json"), []byte(base), []byte(later), []byte(earlier), test.pointers)
			if err != nil || string(merged.Content) != test.want || conflicts(merged) != test.conflicts {
				t.Errorf("taking %q gives %s, %v, conflicts %s, want %s and %s", test.pointers, merged.Content, err, conflicts(merged), test.want, test.conflicts)
			}
		})
	}
}

package definition_test

import (
	"testing"

	"github.com/starling-sync/starling/definition"
)

// TestMergeOfCreations merges two sides that have no common ancestor.
func TestMergeOfCreations(t *testing.T) {
	for _, test := range []struct{ name, later, earlier, want, conflicts string }{
		{"equal but for one field", `{"a": 1, "d": "x"}`, `{"a": 1, "d": "y"}`, `{"a": 1, "d": "x"}`, `/d: none "x" "y"`},
		{"one-sided fields", `{"a": 1, "b": 2}`, `{"c": 3, "a": 1}`, `{"c": 3, "a": 1, "b": 2}`, ""},
		{"in an object", `{"o": {"a": 1, "b": 1}}`, `{"o": {"a": 1, "b": 2}}`, `{"o": {"a": 1, "b": 1}}`, "/o/b: none 1 2"},
		{"equal but for layout", `{"a": 1, "b": 2}`, `{ "b": 2, "a": 1 }`, `{"a": 1, "b": 2}`, ""},
		{"of other kinds", `{"a": 1}`, `[1]`, `{"a": 1}`, `: none {"a": 1} [1]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			merged, err := definition.Merge(mustPath(t, "a.json"), nil, []byte(test.later), []byte(test.earlier))
			if err != nil || string(merged.Content) != test.want || conflicts(merged) != test.conflicts {
				t.Errorf("merged into %s, %v, conflicts %s, want %s and %s", merged.Content, err, conflicts(merged), test.want, test.conflicts)
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

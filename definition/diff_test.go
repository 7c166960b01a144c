package definition_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestDiff(t *testing.T) {
	tests := []struct{ name, file, from, to, want string }{
		{"equal", "a.json", `{"a": 1}`, `{"a": 1}`, ""},
		{"layout", "a.json", `{"a": 1, "b": [1, 2]}`, "{b: [1, 2,] # c\na: 1}", ""},
		{"changed", "a.json", `{"a": {"b": 1, "c": 2}}`, `{"a": {"b": 3, "c": 2}}`, "/a/b: 1 -> 3"},
		{"removed and added", "a.json", `{"a": 1, "b": 2}`, `{"c": 1, "b": 2, "d": 1}`, "/a: 1 -> none; /c: none -> 1; /d: none -> 1"},
		{"kind", "a.json", `{"a": 1}`, `{"a": "1"}`, `/a: 1 -> "1"`},
		{"null is a value", "a.json", `{"a": null}`, `{}`, "/a: null -> none"},
		{"root", "a.json", `{}`, `[]`, ": {} -> []"},
		{"set", "a.json", `{"s": ["java.util.HashSet", ["a", "b"]]}`, `{"s": ["java.util.HashSet", ["c", "b"]]}`, `/s/1/0: "a" -> none; /s/1/0: none -> "c"`},
		{"set, in another order", "a.json", `["java.util.HashSet", ["a", "b"]]`, `["java.util.HashSet", ["b", "a"]]`, ""},
		{"collection's class", "a.json", `["java.util.HashSet", ["a", "b"]]`, `["java.util.ArrayList", ["a", "b"]]`, `/0: "java.util.HashSet" -> "java.util.ArrayList"`},
		{"a typed collection that became a list", "a.json", `{"s": ["java.util.HashSet", ["a"]]}`, `{"s": ["a"]}`, `/s: ["java.util.HashSet", ["a"]] -> ["a"]`},
		{"list", "a.json", `[1, 2, 3]`, `[0, 1, 3, 4]`, "/0: none -> 0; /1: 2 -> none; /3: none -> 4"},
		{"list, changed", "a.json", `[{"a": 1, "b": 1}]`, `[{"a": 0}, {"a": 1, "b": 2}]`, `/0: none -> {"a": 0}; /1/b: 1 -> 2`},
		{"list in a map", "a.json", `["java.util.TreeMap", {"a": [1]}]`, `["java.util.TreeMap", {"a": []}]`, "/1/a/0: 1 -> none"},
		{"YAML", "a.yml", "--- !<x.A>\na: 1\nb:\n- x\n", "--- !<x.A>\n# c\na: \"1\"\nb:\n    - x\n    - y\nc:\n", `/a: 1 -> "1"; /b/1: none -> y; /c: none -> `},
		{"YAML null", "a.yml", "a: ~\n", "a: null\n", ""},
		{"YAML class", "a.yml", "a: !<x.A> {b: 1}\n", "a: !<x.B> {b: 1}\n", "/a: !<x.A> {b: 1} -> !<x.B> {b: 1}"},
		{"YAML set", "a.yml", "a: !<java.util.HashSet> [b, c]\n", "a: !<java.util.HashSet>\n- c\n- d\n", "/a/0: b -> none; /a/1: none -> d"},
		{"YAML with anchors", "a.yml", "a: &x 1\nb: *x\nc: 1\n", "a: &x 2\nb: *x\nc: 2\n", "/a: &x 1 -> &x 2; /b: *x -> *x; /c: 1 -> 2"},
		{"opaque", "a.txt", "x", "y", ": x -> y"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changes, err := definition.Diff(mustPath(t, test.file), []byte(test.from), []byte(test.to))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, c := range changes {
				all = append(all, c.Pointer+": "+fieldText(c.From)+" -> "+fieldText(c.To))
			}
			if got := strings.Join(all, "; "); got != test.want {
				t.Errorf("from %s to %s is\n%s\nwant\n%s", test.from, test.to, got, test.want)
			}
		})
	}
	for _, broken := range []struct{ file, from, to string }{{"a.json", `{`, `{}`}, {"a.json", `{}`, `{`}, {"a.yml", "a: &x 1\n", "a: *y\n"}} {
		changes, err := definition.Diff(mustPath(t, broken.file), []byte(broken.from), []byte(broken.to))
		if !errors.Is(err, definition.ErrSyntax) || changes != nil {
			t.Errorf("from %s to %s is %v, %v, want ErrSyntax", broken.from, broken.to, changes, err)
		}
	}
}

// fieldText is a field's text, or none.
func fieldText(f definition.FieldText) string {
	if !f.Present {
		return "none"
	}
	return f.Text
}

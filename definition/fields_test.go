package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestFields(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"scalars", "a.json", `{"a": 1, "b": {"c": "x", "~/": null}}`, `/a 1; /b/c "x"; /b/~0~1 null`},
		{"empty", "a.json", `{"a": {}, "b": [ ], "c": ["java.util.HashSet", []]}`, `/a {}; /b [ ]; /c/0 "java.util.HashSet"; /c/1 []`},
		{"root", "a.json", `{ }`, ` { }`},
		{"list", "a.json", `[1, {"a": 2}]`, `/0 1; /1/a 2`},
		{"sets", "a.json", `{"s": ["java.util.TreeSet", [1, {"a": 2}]], "l": ["java.util.ArrayList", [{"a": 2}]], "m": ["java.util.TreeMap", {"k": 3}]}`,
			`/s/0 "java.util.TreeSet"; /s/1/0 1; /s/1/1 {"a": 2}; /l/0 "java.util.ArrayList"; /l/1/0/a 2; /m/0 "java.util.TreeMap"; /m/1/k 3`},
		{"YAML", "a.yml", "--- !<x.A>\na: !<java.util.HashSet>\n- b\n- c: 1\nd:\n", `/a/0 b; /a/1 c: 1; /d `},
		{"anchors", "a.yml", "a: &x {c: 1}\nb: *x\n", "/a/c 1; /b *x"},
		{"explicit keys", "a.yml", "? a\n: 1\n", " ? a\n: 1\n"},
		{"broken", "a.json", "{", " {"},
		{"opaque", "a.txt", "x", " x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reader definition.FieldReader
			fields := reader.Read(mustPath(t, test.file), []byte(test.text))
			var got []string
			for _, f := range fields.All() {
				got = append(got, f.Pointer+" "+f.Text)
			}
			if got := strings.Join(got, "; "); got != test.want || len(fields.All()) != fields.Len() {
				t.Errorf("got %d fields\n%s\nwant\n%s", fields.Len(), got, test.want)
			}
		})
	}
}

func TestFieldsHeld(t *testing.T) {
	tests := []struct{ name, file, older, now, held, alike string }{
		{"changed", "a.json", `{"a": 1, "b": 2}`, `{"b": 2, "a": 3, "c": 1}`, "1 - -", "1 - -"},
		{"the same in another layout", "a.json", `{"a": {"b": 1, "c": [1, 2]}}`, "a: {\n c: [1\n2] // x\n b: 1}", "1 2 0", "1 2 0"},
		{"set", "a.json", `["java.util.HashSet", ["a", {"b": 1}]]`, `["java.util.HashSet", [{"b": 1}, "c", "a"]]`, "0 2 - 1", "0 2 - 1"},
		{"an element twice", "a.json", `["java.util.HashSet", ["a", "a"]]`, `["java.util.HashSet", ["a", "a"]]`, "0 1 1", "0 2 2"},
		{"equal sets", "a.yml", "a: !<java.util.HashSet> [b, c]\nd: 1\n", "d: 1\na: !<java.util.HashSet>\n- c\n- b\n", "2 1 0", "2 1 0"},
		{"a set that became a list", "a.json", `["java.util.HashSet", ["a", {"b": 1}]]`, `["java.util.ArrayList", ["a", {"b": 1}]]`, "- 1 -", "- 1 -"},
		{"list", "a.json", `[1, 2, {"a": 1, "b": 1}]`, `[2, {"a": 1, "b": 2}, 1]`, "1 2 - -", "1 2 - 0"},
		{"class", "a.yml", "a: !<x.A> {b: 1, c: 1}\n", "a: !<x.B> {b: 1, c: 2}\n", "- -", "0 -"},
		{"emptied", "a.json", `{"a": {"b": 1}, "c": []}`, `{"a": {}, "c": []}`, "- 1", "- 1"},
		{"whole", "a.yml", "a: &x 1\n", "a: &x 1\n", "0", "0"},
		{"whole, changed", "a.yml", "a: &x 1\n", "a: &x 2\n", "-", "-"},
		{"whole and not", "a.json", `{`, `{"a": 1}`, "-", "-"},
		{"not and whole", "a.json", `{"a": 1}`, `{`, "-", "-"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var reader definition.FieldReader
			p := mustPath(t, test.file)
			older, now := reader.Read(p, []byte(test.older)), reader.Read(p, []byte(test.now))
			for _, is := range []struct {
				what string
				got  []int
				want string
			}{{"held", now.HeldBy(older), test.held}, {"alike", now.AlikeIn(older), test.alike}} {
				if got := strings.ReplaceAll(strings.Trim(fmt.Sprint(is.got), "[]"), "-1", "-"); got != is.want {
					t.Errorf("%s: got %s, want %s", is.what, got, is.want)
				}
			}
		})
	}
}

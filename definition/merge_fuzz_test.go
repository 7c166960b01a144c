package definition_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// addTriples seeds a fuzz target with three texts each.
func addTriples(f *testing.F) {
	f.Helper()
	for _, content := range ownDefinitions(f) {
		text := string(content)
		f.Add(text, strings.Replace(text, "1", "2", 2), strings.Replace(text, "true", "false", 1))
		f.Add(text, strings.ReplaceAll(text, "\n", "\r\n"), strings.ToLower(text))
	}
	for _, s := range [][3]string{
		{`{"a": [1, 2]}`, `{"a": [2, 3]}`, `{"a": [0, 1], "b": {}}`},
		{"{a: b\n}", "{a: c\n d: '''\n e\n '''}", "{a: [b\n]\n}"},
		{"a: 1\nb:\n- c\n", "a: 2\nb: []\n", "b:\n- c\n- |\n  d\n"},
		{"- a: 1\n  b: 2\n", "- a: 1\n", "- b: 2\n  c: {d: e}\n"},
		{`["java.util.HashSet", ["a"]]`, `["java.util.HashSet", []]`, `["java.util.ArrayList", ["a", "b"]]`},
		{"\ufeffa: 1", "a: \"x\r\n y\"", "? a\n: 1"},
		{"!<x> {a: !<y> 1}", "!<x>\na: !<z> 1", "!<y> {a: 1, b: 2}"},
	} {
		f.Add(s[0], s[1], s[2])
	}
}

// FuzzMerge holds of any three texts that Merge does not panic, that its result parses and
// has only what a side has, and that one-sided changes come through exactly.
func FuzzMerge(f *testing.F) {
	addTriples(f)
	f.Fuzz(func(t *testing.T, base, later, earlier string) {
		for _, name := range []string{"a.json", "a.yml"} {
			merged, err := merge(t, name, base, later, earlier)
			if err != nil {
				if !errors.Is(err, definition.ErrNoMerge) || merged.Content != nil || merged.Conflicts != nil {
					t.Fatalf("%v, %v", merged, err)
				}
				continue
			}
			if later == base || earlier == base || later == earlier {
				continue // they need not even parse
			}
			checkLaws(t, name, []string{base, later, earlier}, merged)
		}
	})
}

// FuzzDiff holds that Diff never panics, and finds a difference where there is one in value and
// nowhere else.
func FuzzDiff(f *testing.F) {
	addTriples(f)
	f.Fuzz(func(t *testing.T, from, to, _ string) {
		for _, name := range []string{"a.json", "a.yml"} {
			path := mustPath(t, name)
			changes, err := definition.Diff(path, []byte(from), []byte(to))
			back, backErr := definition.Diff(path, []byte(to), []byte(from))
			if (err == nil) != (backErr == nil) || (len(changes) == 0) != (len(back) == 0) {
				t.Fatalf("from %q to %q: %v, %v, but back: %v, %v", from, to, changes, err, back, backErr)
			}
			if err != nil {
				continue
			}
			merged, err := definition.Merge(path, []byte(from), []byte(from+"\n"), []byte(to))
			if len(changes) == 0 && err == nil && from != to && !bytes.Equal(merged.Content, []byte(from+"\n")) {
				t.Fatalf("from %q to %q nothing changes, but the merge of both is %q", from, to, merged.Content)
			}
			for _, c := range changes {
				if c.From == c.To {
					t.Fatalf("%s does not change: %q", c.Pointer, c.From.Text)
				}
			}
		}
	})
}

package definition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
)

// basisCases are a version, what replaced it, and what was saved then.
var basisCases = []struct {
	name, path          string
	older, newer, saved string
	want                definition.Basis
}{
	{"another field", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 1}`, `{"x": 1, "y": 2}`, definition.OnOlder},
	{"the newer version with another field", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 1}`, `{"x": 2, "y": 2}`, definition.OnCurrent},
	{"the same field again", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 1}`, `{"x": 3, "y": 1}`, definition.OnCurrent},
	{"the same field and another", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 1}`, `{"x": 3, "y": 2}`, definition.OnCurrent},
	{"one of two back, one to a third value", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 2}`, `{"x": 1, "y": 3}`, definition.OnOlder},
	{"one of two back, the other kept", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 2}`, `{"x": 1, "y": 2}`, definition.OnCurrent},
	{"all back", "a.json", `{"x": 1, "y": 1}`, `{"x": 2, "y": 1}`, `{"x": 1, "y": 1}`, definition.Returned},
	{"all back in another layout", "a.json", `{"x": 1, "y": "v"}`, `{"x": 2, "y": "v"}`, "{\n  y: v\n  x: 1\n}", definition.Returned},
	{"another field in another layout", "a.json", `{"x": 1, "y": "v"}`, `{"x": 2, "y": "v"}`, "{\n  y: w\n  x: 1\n}", definition.OnOlder},
	{"the newer one in another layout", "a.json", `{"x": 1, "y": "v"}`, `{"x": 2, "y": "v"}`, "{\n  y: v\n  x: 2\n}", definition.OnCurrent},
	{"only the layout had changed", "a.json", `{"x": 1}`, "{\n  x: 1\n}", `{"x": 1}`, definition.OnCurrent},
	{"a member added by the newer one", "a.json", `{"x": 1}`, `{"x": 1, "n": 1}`, `{"x": 2}`, definition.OnOlder},
	{"a member removed by the newer one", "a.json", `{"x": 1, "n": 1}`, `{"x": 1}`, `{"x": 2, "n": 1}`, definition.OnOlder},
	{"another definition in its place", "a.json", `{"id": 2, "x": 0, "y": 5}`, `{"id": 2, "x": 1, "y": 0}`, `{"id": 3, "x": 0, "y": 3}`, definition.OnCurrent},
	{"next to nothing in its place", "a.json", `{"id": 2, "x": 0}`, `{"id": 2, "x": 0, "n": 1}`, `{}`, definition.OnCurrent},
	{"an object removed by the newer one, edited", "a.json", `{"x": 1, "o": {"p": 1, "q": 1}}`, `{"x": 1}`, `{"x": 1, "o": {"p": 2, "q": 1}}`, definition.OnOlder},
	{"a nested field", "a.json", `{"o": {"x": 1, "y": 1}}`, `{"o": {"x": 2, "y": 1}}`, `{"o": {"x": 1, "y": 2}}`, definition.OnOlder},
	{"a nested field, kept", "a.json", `{"o": {"x": 1, "y": 1}}`, `{"o": {"x": 2, "y": 1}}`, `{"o": {"x": 2, "y": 2}}`, definition.OnCurrent},
	{"an item added", "a.json", `{"l": [1], "y": 1}`, `{"l": [1, 2], "y": 1}`, `{"l": [1], "y": 2}`, definition.OnOlder},
	{"items added by both", "a.json", `{"l": [1]}`, `{"l": [1, 2]}`, `{"l": [1, 3]}`, definition.OnOlder},
	{"an item added after the newer one's", "a.json", `{"l": [1]}`, `{"l": [1, 2]}`, `{"l": [1, 2, 3]}`, definition.OnCurrent},
	{"an item removed", "a.json", `{"l": [1, 2], "y": 1}`, `{"l": [1], "y": 1}`, `{"l": [1, 2], "y": 2}`, definition.OnOlder},
	{"items in another order", "a.json", `{"l": [1, 2, 3], "y": 1}`, `{"l": [3, 1, 2], "y": 1}`, `{"l": [1, 2, 3], "y": 2}`, definition.OnOlder},
	{"items in another order, kept", "a.json", `{"l": [1, 2, 3], "y": 1}`, `{"l": [3, 1, 2], "y": 1}`, `{"l": [3, 1, 2], "y": 2}`, definition.OnCurrent},
	{
		"an item's field", "a.json", `{"l": [{"id": 1, "x": 1, "y": 1}, {"id": 2}]}`, `{"l": [{"id": 1, "x": 2, "y": 1}, {"id": 2}]}`,
		`{"l": [{"id": 1, "x": 1, "y": 2}, {"id": 2}]}`, definition.OnOlder,
	},
	{
		"an element of a set", "a.json", `{"s": ["java.util.HashSet", ["a"]], "y": 1}`, `{"s": ["java.util.HashSet", ["a", "b"]], "y": 1}`,
		`{"s": ["java.util.HashSet", ["a"]], "y": 2}`, definition.OnOlder,
	},
	{
		"a set in another order", "a.json", `{"s": ["java.util.HashSet", ["a", "b"]], "y": 1}`, `{"s": ["java.util.HashSet", ["a", "b"]], "y": 2}`,
		`{"s": ["java.util.HashSet", ["b", "a"]], "y": 2, "z": 1}`, definition.OnCurrent,
	},
	{"a comment added, lost with all others", "a.json", `{"x": 1}`, "{\n# c\n\"x\": 1}", `{"x": 2}`, definition.OnCurrent},
	{"a comment added, others there", "a.json", "{\n# o\n\"x\": 1}", "{\n# o\n# c\n\"x\": 1}", "{\n# o\n\"x\": 2}", definition.OnOlder},
	{"a comment edited, the older one there", "a.json", "{\n# o\n\"x\": 1}", "{\n# n\n\"x\": 1}", "{\n# o\n\"x\": 2}", definition.OnOlder},
	{"a comment edited, the newer one there", "a.json", "{\n# o\n\"x\": 1}", "{\n# n\n\"x\": 1}", "{\n# n\n\"x\": 2}", definition.OnCurrent},
	{"a comment edited and back", "a.json", "{\n# o\n\"x\": 1}", "{\n# n\n\"x\": 1}", "{\n# o\n\"x\": 1}", definition.Returned},
	{"all comments dropped by the newer one, there again", "a.json", "{\n# o\n\"x\": 1}", "{\n\"x\": 1}", "{\n# o\n\"x\": 2}", definition.OnCurrent},
	{"all comments dropped", "a.json", "{\n# o\n\"x\": 1}", "{\n# n\n\"x\": 1}", "{\n\"x\": 1}", definition.OnCurrent},
	{"YAML", "a.yml", "x: 1\ny: 1\n", "x: 2\ny: 1\n", "x: 1\ny: 2\n", definition.OnOlder},
	{"YAML, the newer version", "a.yml", "x: 1\ny: 1\n", "x: 2\ny: 1\n", "x: 2\ny: 2\n", definition.OnCurrent},
	{"YAML with a comment", "a.yml", "# o\nx: 1\ny: 1\n", "# o\n# n\nx: 1\ny: 1\n", "# o\nx: 1\ny: 2\n", definition.OnOlder},
	{"YAML with anchors", "a.yml", "x: &a {p: 1}\ny: *a\nz: 1\nw: 1\n", "x: &a {p: 1}\ny: *a\nz: 2\nw: 1\n", "x: &a {p: 1}\ny: *a\nz: 1\nw: 2\n", definition.OnOlder},
	{"YAML with a tag", "a.yml", "--- !<x.Y>\nx: 1\ny: 1\n", "--- !<x.Y>\nx: 2\ny: 1\n", "--- !<x.Y>\nx: 1\ny: 1\n", definition.Returned},
	{"no structure", "a.conf", "x 1\ny 1\n", "x 2\ny 1\n", "x 1\ny 2\n", definition.OnOlder},
	{"no structure, the newer version", "a.conf", "x 1\ny 1\n", "x 2\ny 1\n", "x 2\ny 2\n", definition.OnCurrent},
	{"no definition", "a.json", `{"x": 1}`, `{"x": 2}`, `{"x": `, definition.OnCurrent},
}

func TestBasisOf(t *testing.T) {
	for _, c := range basisCases {
		t.Run(c.name, func(t *testing.T) {
			path := mustPath(t, c.path)
			if got := definition.BasisOf(path, []byte(c.older), []byte(c.newer), []byte(c.saved)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestBasisOfDeleted(t *testing.T) {
	const older = `{"@class": "x.Y", "id": 1, "name": "n", "d": 1}`
	for _, c := range []struct {
		saved string
		want  definition.Basis
	}{
		{older, definition.Returned},
		{"{\n  @class: x.Y\n  id: 1\n  name: n\n  d: 1\n}", definition.Returned},
		{`{"@class": "x.Y", "id": 1, "name": "n", "d": 2}`, definition.OnOlder},
		{`{"@class": "x.Y", "id": 2, "name": "m", "d": 7}`, definition.OnCurrent},
		{`{"v": 1}`, definition.OnCurrent},
	} {
		if got := definition.BasisOf(mustPath(t, "a.json"), []byte(older), nil, []byte(c.saved)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.saved, got, c.want)
		}
	}
}

// TestBasisOfRandom edits fields of random documents apart: what was made on the older
// version is found, and what was made on the newer one is never taken for it.
func TestBasisOfRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 3000 {
		older := randomFields(r)
		keys := slices.Sorted(maps.Keys(older))
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		split := 1 + r.IntN(len(keys)-1)
		newer, edited := maps.Clone(older), maps.Clone(older)
		editFields(r, newer, keys[:1+r.IntN(split)])
		fields := keys[split : split+r.IntN(len(keys)-split+1)]
		editFields(r, edited, fields)
		onNewer := maps.Clone(newer)
		for _, key := range fields {
			if v, ok := edited[key]; ok {
				onNewer[key] = v
			} else {
				delete(onNewer, key)
			}
		}
		want := definition.OnOlder
		if len(fields) == 0 {
			want = definition.Returned
		}
		path := mustPath(t, []string{"a.json", "a.yml"}[r.IntN(2)])
		write := func(m map[string]any) []byte { return writeFields(t, r, path, m) }
		o, n, e, on := write(older), write(newer), write(edited), write(onNewer)
		if got := definition.BasisOf(path, o, n, e); got != want {
			t.Fatalf("seed %d, document %d: got %v, want %v:\n%s\n---\n%s\n---\n%s", seed, i, got, want, o, n, e)
		}
		if got := definition.BasisOf(path, o, n, on); got != definition.OnCurrent {
			t.Fatalf("seed %d, document %d: an edit of the newer version: got %v, want current:\n%s\n---\n%s\n---\n%s", seed, i, got, o, n, on)
		}
	}
}

func randomFields(r *rand.Rand) map[string]any {
	m := make(map[string]any)
	for i := range 2 + r.IntN(8) {
		m[fmt.Sprintf("field%d", i)] = randomField(r)
	}
	return m
}

func randomField(r *rand.Rand) any {
	switch r.IntN(4) {
	case 0:
		return r.IntN(1 << 40)
	case 1:
		return fmt.Sprintf("text %d", r.IntN(1<<40))
	case 2:
		return map[string]any{"p": r.IntN(1 << 40), "q": r.IntN(1 << 40)}
	}
	return []any{r.IntN(1 << 40), r.IntN(1 << 40), "x"}
}

// editFields changes each of the fields, or removes it.
func editFields(r *rand.Rand, m map[string]any, keys []string) {
	for _, key := range keys {
		switch v := m[key].(type) {
		case map[string]any:
			m[key] = map[string]any{"p": v["p"], "q": r.IntN(1 << 40)}
		case []any:
			m[key] = append(slices.Clone(v), r.IntN(1<<40))
		default:
			if m[key] = r.IntN(1 << 40); len(m) > 2 && r.IntN(4) == 0 {
				delete(m, key)
			}
		}
	}
}

// writeFields writes a document in one of several layouts.
func writeFields(t *testing.T, r *rand.Rand, path definition.Path, m map[string]any) []byte {
	indent := []string{"", "  ", "\t"}[r.IntN(3)]
	if path.Ext() != ".json" {
		indent = ""
	}
	text, err := json.MarshalIndent(m, "", indent)
	if err != nil {
		t.Fatal(err)
	}
	if path.Ext() == ".json" && r.IntN(2) == 0 {
		return []byte(strings.Replace(string(text), "{", "{ # written by a program\n", 1))
	}
	return text
}

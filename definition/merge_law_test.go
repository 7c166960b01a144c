package definition_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

// TestMergeLaws merges versions of small documents, each written in a layout of its own, and
// compares the result with an oracle that knows values only.
func TestMergeLaws(t *testing.T) {
	for _, format := range []struct {
		name, file string
		layout     func(*rapid.T) layout
	}{
		{"JSON", "a.json", drawJSON},
		{"HJSON", "a.json", drawHJSON},
		{"YAML in blocks", "a.yml", drawYAML},
		{"YAML in brackets too", "a.yml", drawMixedYAML},
	} {
		t.Run(format.name, func(t *testing.T) {
			var merges, withConflicts int
			rapid.Check(t, func(t *rapid.T) {
				base := drawObject(t, 3)
				later, earlier := drawEdited(t, base), drawEdited(t, base)
				texts := make([]string, 3)
				for i, side := range []*model{base, later, earlier} {
					texts[i] = format.layout(t).write(side)
					checkModel(t, format.file, texts[i], side)
				}
				merges++
				merged, err := merge(t, format.file, texts[0], texts[1], texts[2])
				if err != nil {
					t.Fatalf("%v\nbase\n%s\nlater\n%s\nearlier\n%s", err, texts[0], texts[1], texts[2])
				}
				if len(merged.Conflicts) > 0 {
					withConflicts++
				}
				checkLaws(t, format.file, texts, merged)
				want, known := oracle(base, later, earlier)
				if got := parseModel(t, format.file, string(merged.Content)); known && got != want.canonical() {
					t.Fatalf("base\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nwhich is\n%s\nwant\n%s", texts[0], texts[1], texts[2], merged.Content, got, want.canonical())
				}
			})
			t.Logf("%d merges, %d with conflicts", merges, withConflicts)
		})
	}
}

// checkLaws checks what holds of every merge.
func checkLaws(tb rapid.TB, file string, texts []string, merged definition.Merged) {
	tb.Helper()
	base, later, earlier, got := texts[0], texts[1], texts[2], string(merged.Content)
	path := mustPath(tb, file)
	doc, err := definition.Parse(path, merged.Content)
	if err != nil {
		tb.Fatalf("the result does not parse: %v\n%s", err, got)
	}
	again, err := definition.Merge(path, []byte(base), []byte(later), []byte(earlier))
	if err != nil || string(again.Content) != got || conflicts(again) != conflicts(merged) {
		tb.Fatalf("once more gives\n%s\n%v, not\n%s", again.Content, err, got)
	}
	for _, one := range []struct{ base, later, earlier, want string }{
		{base, later, later, later}, {base, later, base, later}, {base, base, earlier, earlier},
		{later, got, later, got}, {base, got, base, got},
	} {
		m, err := definition.Merge(path, []byte(one.base), []byte(one.later), []byte(one.earlier))
		if err != nil || string(m.Content) != one.want || len(m.Conflicts) > 0 {
			tb.Fatalf("what one side changed is\n%s\n%v, %s, want\n%s", m.Content, err, conflicts(m), one.want)
		}
	}
	if json.Valid([]byte(later)) && json.Valid([]byte(earlier)) && !json.Valid(merged.Content) {
		tb.Fatalf("of two texts in strict JSON\n%s\n%s\nthe merge is none:\n%s", later, earlier, got)
	}
	written := map[string]bool{}
	for _, side := range []string{later, earlier} {
		doc, err := definition.Parse(path, []byte(side))
		if err != nil {
			tb.Fatal(err)
		}
		eachScalar(doc.Root(), func(text string) { written[text] = true })
	}
	eachScalar(doc.Root(), func(text string) {
		if !written[text] {
			tb.Fatalf("%s is in the result, but in no side\nbase\n%s\nlater\n%s\nearlier\n%s\nresult\n%s", text, base, later, earlier, got)
		}
	})
	for _, c := range merged.Conflicts {
		stands := c.Later
		if !stands.Present {
			stands = c.Earlier
		}
		if c.Kind == definition.FieldComment {
			for line := range strings.Lines(stands.Text) {
				if !strings.Contains(got, strings.TrimSpace(line)) {
					tb.Fatalf("the comment %q of %s is not in\n%s", line, c.Pointer, got)
				}
			}
			continue
		}
		if at, ok := resolve(doc.Root(), c.Pointer); !ok {
			tb.Fatalf("conflict %s is nowhere in\n%s", c.Pointer, got)
		} else if file == "a.json" && strings.Count(stands.Text, "\n") == 0 && outline(at) != outlineOfText(tb, stands.Text) {
			tb.Fatalf("at %s there is %q, want %q", c.Pointer, merged.Content[at.Start:at.End], stands.Text)
		}
	}
}

// outlineOfText returns what the text of a value in JSON or HJSON says.
func outlineOfText(tb rapid.TB, text string) string {
	tb.Helper()
	doc, err := definition.Parse(mustPath(tb, "a.json"), []byte("["+text+"\n]"))
	if err != nil {
		tb.Fatal(err)
	}
	return outline(doc.Root().Items[0])
}

// eachScalar visits keys and scalars as texts.
func eachScalar(v definition.Value, visit func(string)) {
	for _, m := range v.Members {
		visit("key " + m.Key)
		eachScalar(m.Value, visit)
	}
	for _, item := range v.Items {
		eachScalar(item, visit)
	}
	if v.Kind != definition.Object && v.Kind != definition.Array {
		visit(outline(v))
	}
}

// resolve follows a JSON pointer.
func resolve(v definition.Value, pointer string) (definition.Value, bool) {
	if pointer == "" {
		return v, true
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v.Kind {
		case definition.Array:
			var i int
			if _, err := fmt.Sscan(token, &i); err != nil || i < 0 || i >= len(v.Items) {
				return v, false
			}
			v = v.Items[i]
		default:
			var ok bool
			if v, ok = v.Get(token); !ok {
				return v, false
			}
		}
	}
	return v, true
}

// oracle merges by value. It reports false if it does not know: of lists that both
// sides changed, and of typed collections whose class changed.
func oracle(b, l, e *model) (result *model, known bool) {
	same := func(x, y *model) bool {
		if x == nil || y == nil {
			return x == y
		}
		return x.canonical() == y.canonical()
	}
	switch {
	case same(l, e), same(b, e):
		return l, true
	case same(b, l):
		return e, true
	case l == nil:
		return e, true
	case e == nil:
		return l, true
	case l.kind != e.kind && l.class != "" && e.class != "" && l.kind != "object" && e.kind != "object":
		return nil, false
	case l.kind != e.kind || l.class != e.class && (b == nil || b.class != l.class && b.class != e.class):
		return l, true
	case l.class != e.class && l.kind != "object":
		return nil, false
	case l.kind == "set" && b != nil && b.kind == "list" && b.class != "":
		return nil, false
	case l.kind == "set":
		return oracleSet(b, l, e), true
	case l.kind == "list":
		return nil, false
	case l.kind != "object":
		return l, true
	}
	result = &model{kind: "object", class: l.class}
	if b != nil && b.class == l.class {
		result.class = e.class
	}
	var keys []string
	for _, m := range slices.Concat(l.kids, e.kids) {
		if !slices.Contains(keys, m.key) {
			keys = append(keys, m.key)
		}
	}
	known = true
	for _, key := range keys {
		var inBase *model
		if b != nil && b.kind == "object" {
			inBase = b.member(key)
		}
		kid, ok := oracle(inBase, l.member(key), e.member(key))
		known = known && ok
		if kid != nil {
			kid = kid.clone()
			kid.key = key
			result.kids = append(result.kids, kid)
		}
	}
	return result, known
}

func oracleSet(b, l, e *model) *model {
	has := func(m *model, item *model) bool {
		return m != nil && m.kind == "set" && slices.ContainsFunc(m.kids, func(k *model) bool { return k.canonical() == item.canonical() })
	}
	result := &model{kind: "set", class: l.class}
	for _, item := range slices.Concat(l.kids, e.kids) {
		if !has(result, item) && (has(l, item) && has(e, item) || !has(b, item)) {
			result.kids = append(result.kids, item)
		}
	}
	return result
}

package definition_test

import (
	"encoding/json"
	"errors"
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
				want, known := oracle(base, later, earlier, true)
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
	checkSymmetry(tb, file, texts, merged)
	checkItems(tb, file, texts, merged)
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
					tb.Fatalf("base\n%s\nlater\n%s\nearlier\n%s\nthe comment %q of %s is not in\n%s\nconflicts %s", base, later, earlier, line, c.Pointer, got, conflicts(merged))
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

// checkSymmetry checks that it makes no difference which side is later, but for what stands in a
// conflict, and that a side that is merged again changes nothing.
func checkSymmetry(tb rapid.TB, file string, texts []string, merged definition.Merged) {
	tb.Helper()
	show := func() string {
		return fmt.Sprintf("base\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nconflicts %s", texts[0], texts[1], texts[2], merged.Content, conflicts(merged))
	}
	swapped, err := merge(tb, file, texts[0], texts[2], texts[1])
	if err != nil {
		if errors.Is(err, definition.ErrNoMerge) {
			return // the layouts fit into one another in one direction only
		}
		tb.Fatal(err)
	}
	if got, want := listed(swapped, true), listed(merged, false); got != want {
		tb.Fatalf("%s\nwith the sides swapped the conflicts are\n%s\nnot\n%s", show(), got, want)
	}
	if len(merged.Conflicts) > 0 {
		return
	}
	want := parseModel(tb, file, string(merged.Content))
	if got := parseModel(tb, file, string(swapped.Content)); got != want {
		tb.Fatalf("%s\nwhich is\n%s\nbut with the sides swapped\n%s", show(), want, got)
	}
	for _, text := range texts {
		if repeats(modelIn(tb, file, text)) {
			return // of equal items nothing tells which went and which came
		}
	}
	for _, side := range texts[1:] {
		again, err := merge(tb, file, texts[0], string(merged.Content), side)
		if errors.Is(err, definition.ErrNoMerge) {
			continue
		}
		// Of lists in a list nothing tells which one was edited if another went; then it is listed.
		if slices.ContainsFunc(again.Conflicts, func(c definition.FieldConflict) bool {
			return !c.Later.Present && strings.Trim(c.Pointer[strings.LastIndexByte(c.Pointer, '/')+1:], "0123456789") == ""
		}) {
			continue
		}
		// Where both added an item in two places, the order may become that of the other side.
		if got, want := unordered(modelIn(tb, file, string(again.Content))), unordered(modelIn(tb, file, string(merged.Content))); got != want {
			tb.Fatalf("%s\nwhich is\n%s\nbut merged again with\n%s\nit is\n%s\nwith conflicts %s", show(), want, side, got, conflicts(again))
		}
	}
}

// unordered is equal for values that are equal but for the order of lists.
func unordered(m *model) string {
	m = m.clone()
	for _, c := range slices.Backward(m.containers()) {
		if c.kind == "list" {
			slices.SortFunc(c.kids, func(a, b *model) int { return strings.Compare(a.canonical(), b.canonical()) })
		}
	}
	return m.canonical()
}

// repeats reports whether a list holds an item twice.
func repeats(m *model) bool {
	seen := map[string]bool{}
	for _, kid := range m.kids {
		if text := kid.canonical(); m.kind == "list" && seen[text] {
			return true
		} else if seen[text] = true; repeats(kid) {
			return true
		}
	}
	return false
}

// listed writes conflicts but for their pointers, which depend on what stands, in some order.
func listed(merged definition.Merged, swap bool) string {
	var all []string
	for _, c := range merged.Conflicts {
		if c.Kind == definition.FieldComment {
			continue // TestMergeCommentLaws has these
		}
		if swap {
			c.Later, c.Earlier = c.Earlier, c.Later
		}
		all = append(all, fmt.Sprintf("%s: %q %q %q", c.Kind, fieldText(c.Base), fieldText(c.Later), fieldText(c.Earlier)))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// checkItems checks of a merge without conflicts that each container in a list or a set is one
// that a side wrote, or an object that all sides have with one member by which it may be
// told.
func checkItems(tb rapid.TB, file string, texts []string, merged definition.Merged) {
	tb.Helper()
	if len(merged.Conflicts) > 0 {
		return
	}
	var sides [3][]*model
	written := map[string]bool{}
	for i, text := range texts {
		sides[i] = itemsIn(modelIn(tb, file, text))
		for _, item := range sides[i] {
			written[item.canonical()] = true
		}
	}
	for _, item := range itemsIn(modelIn(tb, file, string(merged.Content))) {
		if written[item.canonical()] || item.kind == "object" && slices.ContainsFunc(item.kids, func(kid *model) bool {
			has := func(items []*model) bool {
				return slices.ContainsFunc(items, func(other *model) bool {
					member := other.member(kid.key)
					return other.kind == "object" && other.class == item.class && member != nil && member.canonical() == kid.canonical()
				})
			}
			return has(sides[1]) && has(sides[2])
		}) {
			continue
		}
		tb.Fatalf("base\n%s\nlater\n%s\nearlier\n%s\nmerge into\n%s\nwhere nobody wrote the item\n%s", texts[0], texts[1], texts[2], merged.Content, item.canonical())
	}
}

// itemsIn lists the containers that are items of lists or elements of sets, at any depth.
func itemsIn(m *model) (items []*model) {
	for _, kid := range m.kids {
		if m.kind != "object" && kid.kind != "string" && kid.kind != "literal" {
			items = append(items, kid)
		}
		items = append(items, itemsIn(kid)...)
	}
	return items
}

// oracle merges by value. It reports false if it does not know: of lists that both
// sides changed, of containers in sets, of what
// decides access, and of typed collections whose class changed.
func oracle(b, l, e *model, root bool) (result *model, known bool) {
	same := func(x, y *model) bool {
		if x == nil || y == nil {
			return x == y
		}
		return x.canonical() == y.canonical()
	}
	if b != nil && b.text == "null" && b.kind == "literal" && l != nil && e != nil && l.kind == "object" && e.kind == "object" {
		b = nil // an empty value of YAML is none
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
	case l.key == "requiredAttributes":
		return nil, false
	case l.kind != e.kind && l.class != "" && e.class != "" && l.kind != "object" && e.kind != "object":
		return nil, false
	case l.kind != e.kind, b == nil && l.kind != "object":
		return l, true
	case l.kind == "object" && l.class != e.class && !root:
		return l, true
	case l.kind == "object" && b != nil && b.kind != "object":
		return l, true
	case l.class != e.class && l.kind != "object":
		return nil, false
	case l.kind == "set" && b.kind != "set":
		return nil, false
	case l.kind == "set":
		return oracleSet(b, l, e)
	case l.kind == "list":
		return nil, false
	case l.kind != "object":
		return l, true
	}
	result = &model{kind: "object", class: l.class}
	if b != nil && b.class == l.class || l.class == "" {
		result.class = e.class
	}
	if b != nil && b.class == e.class {
		result.class = l.class
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
		if b != nil {
			inBase = b.member(key)
		}
		kid, ok := oracle(inBase, l.member(key), e.member(key), false)
		known = known && ok
		if kid != nil {
			kid = kid.clone()
			kid.key = key
			result.kids = append(result.kids, kid)
		}
	}
	return result, known
}

// oracleSet merges sets by what was added and removed. What each put for an element that both
// removed is a conflict, in which the later side's stands.
func oracleSet(b, l, e *model) (result *model, known bool) {
	has := func(m *model, item *model) bool {
		return slices.ContainsFunc(m.kids, func(k *model) bool { return k.canonical() == item.canonical() })
	}
	without := func(m *model, others ...*model) (rest []*model) {
		for _, item := range m.kids {
			if !slices.ContainsFunc(others, func(other *model) bool { return has(other, item) }) {
				rest = append(rest, item)
			}
		}
		return rest
	}
	for _, changed := range slices.Concat(without(b, l), without(b, e), without(l, b), without(e, b)) {
		if changed.kind != "string" && changed.kind != "literal" {
			return nil, false
		}
	}
	byLater, byEarlier := without(l, b, e), without(e, b, l)
	lost := min(len(without(b, l, e)), len(byLater), len(byEarlier))
	result = &model{kind: "set", class: l.class}
	for _, item := range slices.Concat(l.kids, byEarlier[lost:]) {
		if !has(result, item) && (!has(b, item) || has(e, item)) {
			result.kids = append(result.kids, item)
		}
	}
	return result, true
}

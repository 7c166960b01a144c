package definition_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

// TestDiffLaws compares versions of small documents, each written in a layout of its own: what
// Diff reports, made to the one, gives the other, and nothing of it can be left out.
func TestDiffLaws(t *testing.T) {
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
			var pairs, changes int
			rapid.Check(t, func(t *rapid.T) {
				one := drawObject(t, 3)
				other := drawEdited(t, one)
				from, to := format.layout(t).write(one), format.layout(t).write(other)
				checkModel(t, format.file, from, one)
				checkModel(t, format.file, to, other)
				pairs++
				changes += len(checkDiff(t, format.file, from, to))
				if got, want := outlineOf(checkDiff(t, format.file, to, from), true), outlineOf(checkDiff(t, format.file, from, to), false); got != want {
					t.Fatalf("from\n%s\nto\n%s\nis\n%s\nand back\n%s", from, to, want, got)
				}
				if again := format.layout(t).write(one); len(checkDiff(t, format.file, from, again)) > 0 {
					t.Fatalf("of the same values\n%s\nand\n%s\nsomething differs", from, again)
				}
				checkHeld(t, format.file, from, to)
			})
			t.Logf("%d pairs, %d changes", pairs, changes)
		})
	}
}

// checkDiff checks what holds of every comparison, and returns it.
func checkDiff(tb rapid.TB, file, from, to string) []definition.FieldChange {
	tb.Helper()
	changes, err := definition.Diff(mustPath(tb, file), []byte(from), []byte(to))
	if err != nil {
		tb.Fatal(err)
	}
	told := func(changes []definition.FieldChange) string {
		var b strings.Builder
		for _, c := range changes {
			fmt.Fprintf(&b, "%s: %s -> %s\n", c.Pointer, fieldText(c.From), fieldText(c.To))
		}
		return b.String()
	}
	seen := make(map[string]bool)
	for _, c := range changes {
		if !c.From.Present && !c.To.Present {
			tb.Fatalf("from\n%s\nto\n%s\nat %s there is nothing", from, to, c.Pointer)
		}
		if key := fmt.Sprint(c.Pointer, c.To.Present); seen[key] {
			tb.Fatalf("from\n%s\nto\n%s\n%s comes twice in\n%s", from, to, c.Pointer, told(changes))
		} else {
			seen[key] = true
		}
	}
	got := changed(tb, file, from, to, changes)
	want := parseModel(tb, file, to)
	if got != want {
		tb.Fatalf("from\n%s\nto\n%s\nis\n%swhich leads to\n%s\nnot to\n%s", from, to, told(changes), got, want)
	}
	if repeatsInSet(modelIn(tb, file, from)) || repeatsInSet(modelIn(tb, file, to)) {
		return changes // of equal elements one would do
	}
	for i, c := range changes {
		if class, ok := strings.CutSuffix(parent(c.Pointer), "/1"); ok && seen[fmt.Sprint(class+"/0", true)] {
			continue // of a list that became a set some elements may be the same
		}
		less := slices.Delete(slices.Clone(changes), i, i+1)
		if changed(tb, file, from, to, less) == want {
			tb.Fatalf("from\n%s\nto\n%s\nis\n%sof which %s is too much", from, to, told(changes), changes[i].Pointer)
		}
	}
	return changes
}

// repeatsInSet reports whether a set is written with an element twice.
func repeatsInSet(m *model) bool {
	seen := map[string]bool{}
	for _, kid := range m.kids {
		if text := kid.canonical(); m.kind == "set" && seen[text] {
			return true
		} else if seen[text] = true; repeatsInSet(kid) {
			return true
		}
	}
	return false
}

// outlineOf writes changes, or their reverse. It leaves out those of items, which have other
// indices on the way back, and of which others may be as much alike.
func outlineOf(changes []definition.FieldChange, reverse bool) string {
	var lines []string
	for _, c := range changes {
		from, to := fieldText(c.From), fieldText(c.To)
		if reverse {
			from, to = to, from
		}
		isIndex := func(token string) bool { _, err := strconv.Atoi(token); return err == nil }
		if !slices.ContainsFunc(strings.Split(c.Pointer, "/"), isIndex) {
			lines = append(lines, c.Pointer+": "+from+" -> "+to)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// parent returns the pointer of what a value is in.
func parent(pointer string) string { return pointer[:max(0, strings.LastIndexByte(pointer, '/'))] }

// changed makes changes to a text and returns the canonical form of what it says then. New
// values are taken from where the pointer leads in the text that comes out.
func changed(tb rapid.TB, file, from, to string, changes []definition.FieldChange) string {
	tb.Helper()
	old, err := definition.Parse(mustPath(tb, file), []byte(from))
	if err != nil {
		tb.Fatal(err)
	}
	now, err := definition.Parse(mustPath(tb, file), []byte(to))
	if err != nil {
		tb.Fatal(err)
	}
	c := changer{tb: tb, to: now.Root()}
	if file == "a.json" {
		c.text = to
	}
	var all steps
	for _, change := range changes {
		var tokens []string
		if change.Pointer != "" {
			tokens = strings.Split(change.Pointer[1:], "/")
		}
		all = append(all, step{tokens, change})
	}
	return modelOf(c.value(old.Root(), all)).canonical()
}

// step is a change with the tokens of its pointer that are left.
type step struct {
	left   []string
	change definition.FieldChange
}

// steps are the changes of one value.
type steps []step

// below returns those of what is below a token and stays.
func (all steps) below(token string) (below steps) {
	for _, s := range all {
		if s.left[0] == token && (len(s.left) > 1 || s.change.To.Present) {
			below = append(below, step{s.left[1:], s.change})
		}
	}
	return below
}

func (all steps) removes(token string) bool {
	return slices.ContainsFunc(all, func(s step) bool { return len(s.left) == 1 && s.left[0] == token && !s.change.To.Present })
}

// added returns the index of the step that adds something at a token, or -1.
func (all steps) added(token string) int {
	return slices.IndexFunc(all, func(s step) bool { return len(s.left) == 1 && s.left[0] == token && !s.change.From.Present })
}

// changer makes changes to values.
type changer struct {
	tb   rapid.TB
	to   definition.Value
	text string // of to, in JSON
}

// value returns what a value becomes.
func (c *changer) value(v definition.Value, all steps) definition.Value {
	c.tb.Helper()
	out := v
	switch at := slices.IndexFunc(all, func(s step) bool { return len(s.left) == 0 }); {
	case at >= 0:
		return c.new(all[at])
	case v.Kind == definition.Object:
		out.Members = nil
		for _, m := range v.Members {
			if token := escape(m.Key); !all.removes(token) {
				m.Value = c.value(m.Value, all.below(token))
				out.Members = append(out.Members, m)
			}
		}
		for _, s := range all {
			if len(s.left) == 1 && !s.change.From.Present {
				out.Members = append(out.Members, definition.Member{Key: unescape(s.left[0]), Value: c.new(s)})
			}
		}
	case v.Kind == definition.Array:
		was, ok := v.TypedCollection()
		if !ok {
			out.Items = c.list(v.Items, all)
			break
		}
		out.Items = []definition.Value{c.value(v.Items[0], all.below("0")), v.Items[1]}
		if is, _ := out.TypedCollection(); was.Kind == definition.SetCollection && is.Kind == definition.SetCollection {
			out.Items[1].Items = c.set(v.Items[1].Items, all.below("1"))
		} else {
			out.Items[1] = c.value(v.Items[1], all.below("1"))
		}
	}
	return out
}

// list gives what was added the place that it says, and what stays the rest in its order.
func (c *changer) list(items []definition.Value, all steps) (out []definition.Value) {
	c.tb.Helper()
	var stay []definition.Value
	for i, item := range items {
		if !all.removes(strconv.Itoa(i)) {
			stay = append(stay, item)
		}
	}
	for {
		token := strconv.Itoa(len(out))
		switch at := all.added(token); {
		case at >= 0:
			out = append(out, c.new(all[at]))
		case len(stay) == 0:
			return out
		default:
			out, stay = append(out, c.value(stay[0], all.below(token))), stay[1:]
		}
	}
}

// set puts what was added behind what stays: the order is of no account.
func (c *changer) set(items []definition.Value, all steps) (out []definition.Value) {
	c.tb.Helper()
	for i, item := range items {
		if !all.removes(strconv.Itoa(i)) {
			out = append(out, item)
		}
	}
	for _, s := range all {
		if s.change.To.Present {
			out = append(out, c.new(s))
		}
	}
	return out
}

// new returns a change's new value.
func (c *changer) new(s step) definition.Value {
	c.tb.Helper()
	v, ok := resolve(c.to, s.change.Pointer)
	if !ok {
		c.tb.Fatalf("%s is nowhere in the new version", s.change.Pointer)
	}
	if c.text != "" && c.text[v.Start:v.End] != s.change.To.Text {
		c.tb.Fatalf("at %s is %s, not %s", s.change.Pointer, c.text[v.Start:v.End], s.change.To.Text)
	}
	return v
}

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
}

// checkHeld checks that the fields of a version that an older one holds are those that Diff does
// not report, and are equal.
func checkHeld(tb rapid.TB, file, from, to string) {
	tb.Helper()
	path := mustPath(tb, file)
	changes, err := definition.Diff(path, []byte(from), []byte(to))
	if err != nil {
		tb.Fatal(err)
	}
	var reader definition.FieldReader
	older, now := reader.Read(path, []byte(from)), reader.Read(path, []byte(to))
	olds, held := older.All(), now.HeldBy(older)
	valueAt := func(text, pointer string) (definition.Value, string) {
		doc, err := definition.Parse(path, []byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		v, ok := resolve(doc.Root(), pointer)
		if !ok {
			tb.Fatalf("field %s is nowhere in\n%s", pointer, text)
		}
		return v, modelOf(v).canonical()
	}
	for i, f := range now.All() {
		v, value := valueAt(to, f.Pointer)
		reported := slices.ContainsFunc(changes, func(c definition.FieldChange) bool {
			return c.To.Present && (c.Pointer == f.Pointer || strings.HasPrefix(f.Pointer, c.Pointer+"/"))
		})
		switch {
		case held[i] >= 0 && reported:
			tb.Fatalf("from\n%s\nto\n%s\nfield %s is held, but reported: %v", from, to, f.Pointer, changes)
		case held[i] >= 0:
			if _, was := valueAt(from, olds[held[i]].Pointer); was != value {
				tb.Fatalf("from\n%s\nto\n%s\nfield %s is %s, but was %s", from, to, f.Pointer, value, was)
			}
		case !reported && len(v.Items)+len(v.Members) == 0 && v.Kind != definition.Array && v.Kind != definition.Object:
			tb.Fatalf("from\n%s\nto\n%s\nfield %s is neither held nor reported: %v", from, to, f.Pointer, changes)
		}
	}
}

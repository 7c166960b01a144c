package definition_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
)

// TestMergeIsBounded merges the most awkward of large texts.
func TestMergeIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	shuffled := func(items []string) []string {
		items = append([]string(nil), items...)
		random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		return items
	}
	many := func(n int, text func(int) string) []string {
		items := make([]string, n)
		for i := range items {
			items[i] = text(i)
		}
		return items
	}
	list := func(items []string) string { return "[" + strings.Join(items, ",") + "]" }
	numbers := many(37_000, func(i int) string { return fmt.Sprint(i) })
	bits := many(120_000, func(int) string { return fmt.Sprint(random.IntN(2)) })
	objects := many(5_000, func(i int) string { return fmt.Sprintf(`{"id":%d,"n":%d}`, i, i%7) })
	changed := func(n int) []string {
		return many(5_000, func(i int) string { return fmt.Sprintf(`{"id":%d,"n":%d}`, i, i%7+n) })
	}
	unnamed := func(n int) []string {
		return many(5_000, func(i int) string { return fmt.Sprintf(`{"on":true,"n":[%d]}`, i*n) })
	}
	nested := func(order ...int) string {
		text := "7"
		for range 9 {
			items := make([]string, len(order))
			for i, id := range order {
				items[i] = fmt.Sprintf(`{"id":%d,"l":[%s]}`, id, text)
			}
			text = strings.Join(items, ",")
			if len(text) > 60_000 {
				break
			}
		}
		return list([]string{text})
	}
	members := many(20_000, func(i int) string { return fmt.Sprintf(`"%d":%d`, i, i%10) })
	object := func(items []string) string { return "{" + strings.Join(items, ",") + "}" }
	deep := func(inner string) string {
		return strings.Repeat(`{"a":[`, 49) + inner + strings.Repeat(`]}`, 49)
	}
	set := func(items []string) string { return `["java.util.HashSet",` + list(items) + `]` }
	blocks := func(items []string) string { return "- " + strings.Join(items, "\n- ") + "\n" }
	notes := func(word string, n int) string {
		return strings.Join(many(n, func(i int) string { return fmt.Sprintf("# %s %d", word, i) }), "\n") + "\n"
	}
	behind := func(word string, n int) string {
		return strings.Join(many(n, func(i int) string { return fmt.Sprintf("k%d: %d # %s", i, i, word) }), "\n") + "\n"
	}
	inLine := func(word string, n int) string {
		return "{" + strings.Join(many(n, func(i int) string { return fmt.Sprintf("\"%d\":%d/*%s*/", i, i, word) }), ",") + "}"
	}
	tests := []struct {
		name, file           string
		base, later, earlier string
	}{
		{"comments in one place", "a.yml", notes("a", 15_000) + "a: 1\n", notes("b", 15_000) + "a: 1\n", notes("c", 15_000) + "a: 2\n"},
		{"comments in one place in other orders", "a.yml", notes("a", 15_000) + "a: 1\n", strings.Join(shuffled(strings.SplitAfter(notes("a", 15_000), "\n")), "") + "a: 1\n", strings.Join(shuffled(strings.SplitAfter(notes("a", 15_000), "\n")), "") + "a: 2\n"},
		{"comments of equal words", "a.yml", strings.Repeat("#\n", 100_000) + "a: 1\n", strings.Repeat("#\n", 80_000) + "# x\na: 1\n", "# y\n" + strings.Repeat("#\n", 90_000) + "a: 2\n"},
		{"a comment of each member edited", "a.yml", behind("a", 10_000), behind("b", 10_000), strings.Replace(behind("c", 10_000), ": 1 ", ": 2 ", 1)},
		{"a comment of each member removed", "a.json", inLine("a", 10_000), inLine("a", 10_000) + " ", strings.ReplaceAll(inLine("a", 10_000), "/*a*/", "")},
		{"a comment of each member in one line", "a.json", inLine("a", 10_000), inLine("b", 10_000), inLine("c", 10_000)},
		{"each member with its comment gone", "a.yml", "z: 1\n" + behind("a", 9_000), "z: 1\n", "z: 2\n" + behind("b", 9_000)},
		{"lists in other orders", "a.json", list(numbers), list(shuffled(numbers)), list(shuffled(numbers))},
		{"lists of few values", "a.json", list(bits), list(shuffled(bits)), list(shuffled(bits))},
		{"lists of equal values", "a.json", "[" + strings.Repeat("0,", 120_000) + "]", "[" + strings.Repeat("0,", 110_000) + "1]", "[1," + strings.Repeat("0,", 100_000) + "]"},
		{"lists of changed objects", "a.json", list(objects), list(changed(1)), list(changed(2))},
		{"sets in other orders", "a.json", set(numbers), set(shuffled(numbers)[1:]), set(shuffled(numbers)[1:])},
		{"objects in other orders", "a.json", object(members), object(shuffled(members)[1:]), object(shuffled(members)[1:])},
		{"new members on both sides", "a.json", "{}", object(members[:10_000]), object(members[10_000:])},
		{"every value of a line, and one", "a.json", object(members), strings.Replace(object(members), `"5":5`, `"5":0`, 1), strings.ReplaceAll(object(members), `:5,`, `:6,`)},
		{"every value of a line by the later", "a.json", object(members), strings.ReplaceAll(object(members), `:`, `:1`), strings.Replace(object(members), `"5":5`, `"5":0`, 1)},
		{"every value of a line by the earlier", "a.json", object(members), strings.Replace(object(members), `"5":5`, `"5":0`, 1), strings.ReplaceAll(object(members), `:`, `:1`)},
		{"a line behind much white space", "a.json", strings.Repeat(" ", 100_000) + object(members[:10_000]), strings.Repeat(" ", 100_000) + strings.Replace(object(members[:10_000]), `"5":5`, `"5":0`, 1), strings.ReplaceAll(object(members[:10_000]), `:`, `:1`)},
		{"lists of objects, moved and changed", "a.json", list(objects), list(shuffled(objects)), list(changed(2))},
		{"lists of objects, moved by both", "a.json", list(objects), list(shuffled(objects)), list(shuffled(changed(2)))},
		{"lists of objects without identity", "a.json", list(unnamed(1)), list(shuffled(unnamed(2))), list(shuffled(unnamed(3)))},
		{"sets of changed objects", "a.json", set(objects), set(shuffled(changed(1))), set(shuffled(changed(2)))},
		{"sets of replaced elements", "a.json", set(numbers[:18_000]), set(numbers[9_000:27_000]), set(shuffled(numbers[10_000:])[:18_000])},
		{"what decides access", "a.json", `{"requiredAttributes":` + list(objects) + `}`, `{"requiredAttributes":` + list(shuffled(changed(1))) + `}`, `{"requiredAttributes":` + list(shuffled(objects)[1:]) + `}`},
		{"lists moved in moved lists", "a.json", nested(1, 2, 3), nested(3, 1, 2), strings.ReplaceAll(nested(1, 2, 3), "7", "8")},
		{"many fields below a long key", "a.json", "{}", `{"` + strings.Repeat("k", 100_000) + `":` + object(members[:9_000]) + "}", `{"` + strings.Repeat("k", 100_000) + `":` + strings.ReplaceAll(object(members[:9_000]), ":", ":1") + "}"},
		{"deep", "a.json", deep("1,2"), deep("1,3"), deep("0,2")},
		{"YAML of one line", "a.yml", list(numbers[:30_000]), list(shuffled(numbers[:30_000])), list(shuffled(numbers[:30_000]))},
		{"YAML in blocks", "a.yml", blocks(numbers[:25_000]), blocks(shuffled(numbers[:25_000])), blocks(numbers[1:25_000])},
		{"YAML over lines", "a.yml", "a: 1\n", "a: x\n" + strings.Repeat("  y\n", 60_000), "b: 1\na: 1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			merged, err := merge(t, test.file, test.base, test.later, test.earlier)
			took := time.Since(began)
			t.Logf("%d KiB each: %v, %d conflicts, %v", len(test.base)>>10, took.Round(time.Millisecond), len(merged.Conflicts), err)
			if err != nil && !errors.Is(err, definition.ErrNoMerge) {
				t.Error(err)
			}
			if limit := 20 * time.Second; took > limit {
				t.Errorf("it took %v, want less than %v", took, limit)
			}
			if _, err := definition.Diff(mustPath(t, test.file), []byte(test.later), []byte(test.earlier)); err != nil {
				t.Error(err)
			}
		})
	}
}

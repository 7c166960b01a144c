package definition_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// ownDefinitions returns definitions written for these tests, by name.
func ownDefinitions(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	names, err := filepath.Glob("testdata/definitions/*")
	if err != nil || len(names) == 0 {
		tb.Fatal("no definitions in testdata", err)
	}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			tb.Fatal(err)
		}
	}
	return files
}

// fieldLine is a line that holds one field or list item with a scalar value.
type fieldLine struct {
	before, value, comma, after string
	member                      bool
}

var (
	memberLine = regexp.MustCompile(`^(\s*(?:- )?(?:"[^"]*"|[\w@.]+) ?: *)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\[{|>!,#/][^"]*?)(,?)(\s*(?://.*|#.*|/\*.*\*/)?)$`)
	itemLine   = regexp.MustCompile(`^(\s*(?:- )?)("(?:[^"\\]|\\.)*"|\w+)(,?)(\s*(?://.*|#.*|/\*.*\*/)?)$`)
	wordInList = regexp.MustCompile(`[\[ ]("?)(\w+)("?)[, \]]`)
)

func parseFieldLine(line string) (fieldLine, bool) {
	if m := memberLine.FindStringSubmatch(line); m != nil {
		return fieldLine{m[1], m[2], m[3], m[4], true}, true
	}
	if m := itemLine.FindStringSubmatch(line); m != nil && !strings.Contains(line, "java.util.") {
		return fieldLine{m[1], m[2], m[3], m[4], false}, true
	}
	return fieldLine{}, false
}

// other returns another value, told apart by n, in the style of the line's.
func (f fieldLine) other(n int) string {
	switch first := f.value[0]; {
	case first == '"' || first == '\'':
		return fmt.Sprintf("%c%s %d%c", first, "other", n, first)
	case first >= '0' && first <= '9':
		return fmt.Sprint(10000 + n)
	case f.value == "true":
		return "false"
	case f.value == "false":
		return "true"
	}
	return fmt.Sprintf("other%d", n)
}

// lineEdit is an edit of one line of a text.
type lineEdit struct {
	line   int
	kind   string // replace, insert (behind the line) or remove
	text   string
	scalar bool // it replaces the value of a field by another
	item   bool // it is of a list's item
}

// edited returns the lines after edits, of which no two are of the same line.
func edited(lines []string, edits ...lineEdit) string {
	byLine := map[int]lineEdit{}
	for _, e := range edits {
		byLine[e.line] = e
	}
	var out []string
	for i, line := range lines {
		e, ok := byLine[i]
		switch {
		case !ok:
			out = append(out, line)
		case e.kind == "replace":
			out = append(out, e.text)
		case e.kind == "insert":
			out = append(out, line, e.text)
		}
	}
	return strings.Join(out, "\n")
}

// randomEdit returns an edit of one line, or reports false if the line is not fit for one.
func randomEdit(random *rand.Rand, lines []string, line, n int, needsComma bool) (lineEdit, bool) {
	f, ok := parseFieldLine(lines[line])
	if !ok {
		key, list, _ := strings.Cut(lines[line], "[")
		words := wordInList.FindAllStringSubmatchIndex(list, -1)
		if words == nil {
			return lineEdit{}, false
		}
		at := words[random.IntN(len(words))]
		return lineEdit{line: line, kind: "replace", text: fmt.Sprintf("%s[%sword%d%s", key, list[:at[4]], n, list[at[5]:]), item: true}, true
	}
	if whole := f.comma != "" || !needsComma; whole && random.IntN(3) > 0 {
		if random.IntN(2) == 0 {
			return lineEdit{line: line, kind: "remove", item: !f.member}, true
		}
		text := strings.Repeat(" ", len(f.before)-len(strings.TrimLeft(f.before, " \t")))
		switch dash := strings.HasPrefix(strings.TrimSpace(f.before), "-"); {
		case f.member && dash:
			text += fmt.Sprintf("  new%d: %s", n, f.other(n))
		case f.member && strings.HasPrefix(strings.TrimSpace(f.before), `"`):
			text += fmt.Sprintf(`"new%d": %s%s`, n, f.other(n), f.comma)
		case f.member:
			text += fmt.Sprintf("new%d: %s%s", n, f.other(n), f.comma)
		case dash:
			text += "- " + f.other(n)
		default:
			text += f.other(n) + f.comma
		}
		return lineEdit{line: line, kind: "insert", text: text, item: !f.member}, true
	}
	return lineEdit{line: line, kind: "replace", text: f.before + f.other(n) + f.comma + f.after, scalar: true, item: !f.member}, true
}

// formatOf names the format of a definition for the table.
func formatOf(doc definition.Document, content []byte) string {
	if doc.Syntax() == definition.JSON && !json.Valid(content) {
		return "json with comments"
	}
	return doc.Syntax().String()
}

// brackets counts empty collections in brackets.
func brackets(text string) int { return strings.Count(text, "{}") + strings.Count(text, "[]") }

// isText reports for each line whether it is in a string of several lines.
func isText(lines []string) []bool {
	inside := make([]bool, len(lines))
	quotes, block := false, -1
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if block >= 0 && indent <= block && strings.TrimSpace(line) != "" {
			block = -1
		}
		marks := strings.Count(line, "'''")
		inside[i] = quotes || marks > 0 || block >= 0
		quotes = quotes != (marks%2 == 1)
		if block < 0 && (strings.HasSuffix(line, "|") || strings.HasSuffix(line, ">-")) {
			block = indent
		}
	}
	return inside
}

// TestMergeOfFieldEdits lets two sides edit some fields of each definition: lines that hold
// one field or item each, so that applying the edits of both to the lines gives what their
// merge must be, byte by byte.
func TestMergeOfFieldEdits(t *testing.T) {
	rounds := 1000
	if testing.Short() || raceEnabled {
		rounds = 50
	}
	if os.Getenv("STARLING_LONG") != "" {
		rounds = 5000
	}
	type row struct{ files, pairs, clean, conflict, fellBack int }
	table := map[string]*row{}
	files := ownDefinitions(t)
	maps.Copy(files, corpus(t))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		doc, err := definition.Parse(mustPath(t, name), content)
		if err != nil || strings.Contains(string(content), "\t") {
			continue
		}
		format := formatOf(doc, content)
		if table[format] == nil {
			table[format] = &row{}
		}
		count := table[format]
		count.files++
		lines := strings.Split(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
		base := strings.Join(lines, "\n")
		text := isText(lines)
		baseOutline := outline(doc.Root())

		random := rand.New(rand.NewPCG(1, uint64(len(content))))
		for round := range rounds {
			free := random.Perm(len(lines))
			n := 0
			edits := func(most int) (edits []lineEdit) {
				for want := 1 + random.IntN(most); len(edits) < want && len(free) > 0; free = free[1:] {
					n++
					edit, ok := randomEdit(random, lines, free[0], n+round*100, doc.Syntax() == definition.JSON || strings.Contains(base, ",\n"))
					if !ok || text[free[0]] || edit.item && slices.ContainsFunc(edits, func(e lineEdit) bool { return e.item }) {
						continue // of two edited items nothing tells which was which
					}
					if after, err := definition.Parse(mustPath(t, name), []byte(edited(lines, edit))); err == nil && after.Syntax() == doc.Syntax() && outline(after.Root()) != baseOutline {
						edits = append(edits, edit)
					}
				}
				return edits
			}
			later, earlier := edits(3), edits(3)
			if len(later) == 0 || len(earlier) == 0 {
				break
			}
			count.pairs++
			want := edited(lines, append(slices.Clone(later), earlier...)...)
			if _, err := definition.Parse(mustPath(t, name), []byte(want)); err != nil {
				continue // they are not disjoint after all, such as all items of a YAML list removed
			}
			merged, err := merge(t, name, base, edited(lines, later...), edited(lines, earlier...))
			switch {
			case err != nil:
				count.fellBack++
				t.Errorf("%s: %v\nlater %+v\nearlier %+v", name, err, later, earlier)
			case len(merged.Conflicts) > 0:
				count.conflict++
				t.Errorf("%s: conflicts %s\nlater %+v\nearlier %+v", name, conflicts(merged), later, earlier)
			default:
				count.clean++
				got := string(merged.Content)
				if doc.Syntax() == definition.YAML && brackets(got) > brackets(want) {
					break // the two removed all lines of a mapping or a sequence: Merge leaves brackets
				}
				if got != want {
					t.Errorf("%s: later %+v\nearlier %+v\nmerge into\n%s\nwant\n%s", name, later, earlier, got, want)
				}
			}
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	t.Logf("%-20s %5s %7s %7s %9s %9s", "edits of 1 to 3 fields", "files", "pairs", "clean", "conflict", "fell back")
	for _, format := range slices.Sorted(maps.Keys(table)) {
		r := table[format]
		t.Logf("%-22s %5d %7d %7d %9d %9d", format, r.files, r.pairs, r.clean, r.conflict, r.fellBack)
	}
}

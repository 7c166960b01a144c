package definition_test

import (
	"bytes"
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
func edited(lines []string, edits ...lineEdit) string { return commented(lines, nil, edits...) }

// commented returns the lines after edits, with comments above some of them.
func commented(lines []string, comments map[int]string, edits ...lineEdit) string {
	byLine := map[int]lineEdit{}
	for _, e := range edits {
		byLine[e.line] = e
	}
	var out []string
	for i, line := range lines {
		if comment, ok := comments[i]; ok {
			out = append(out, comment)
		}
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
func brackets(text string) int { return strings.Count(text, "{") + strings.Count(text, "[") }

// nulls counts values of YAML without text.
func nulls(v definition.Value) (n int) {
	if v.Kind == definition.Null || v.Kind == definition.String && v.Text == "" && v.Tag != "" {
		n = 1
	}
	for _, item := range v.Items {
		n += nulls(item)
	}
	for _, m := range v.Members {
		n += nulls(m.Value)
	}
	return n
}

// scalarItems returns the scalar items of all lists.
func scalarItems(v definition.Value) (items []string) {
	for _, item := range v.Items {
		if item.Kind != definition.Object && item.Kind != definition.Array {
			items = append(items, outline(item))
		}
		items = append(items, scalarItems(item)...)
	}
	for _, m := range v.Members {
		items = append(items, scalarItems(m.Value)...)
	}
	return items
}

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

// fieldEdits is one definition that two sides edit.
type fieldEdits struct {
	name, base string
	lines      []string
	text       []bool // see isText
	doc        definition.Document
	random     *rand.Rand
}

func newFieldEdits(tb testing.TB, name string, content []byte) *fieldEdits {
	tb.Helper()
	base := strings.ReplaceAll(string(content), "\r\n", "\n")
	doc, err := definition.Parse(mustPath(tb, name), []byte(base))
	if err != nil {
		tb.Fatal(err)
	}
	lines := strings.Split(base, "\n")
	return &fieldEdits{name, base, lines, isText(lines), doc, rand.New(rand.NewPCG(1, uint64(len(content))))}
}

// draw takes up to most edits of lines in free, and returns the rest of those.
func (f *fieldEdits) draw(tb testing.TB, free []int, most, n int) (edits []lineEdit, rest []int) {
	tb.Helper()
	needsComma := f.doc.Syntax() == definition.JSON || strings.Contains(f.base, ",\n")
	for want := 1 + f.random.IntN(most); len(edits) < want && len(free) > 0; free = free[1:] {
		n++
		edit, ok := randomEdit(f.random, f.lines, free[0], n, needsComma)
		if !ok || f.text[free[0]] || strings.Contains(f.lines[free[0]], "@class") && edit.kind != "insert" {
			continue // another class of an object is a conflict with every edit in it
		}
		after, err := definition.Parse(mustPath(tb, f.name), []byte(edited(f.lines, edit)))
		if err != nil || after.Syntax() != f.doc.Syntax() || outline(after.Root()) == outline(f.doc.Root()) {
			continue
		}
		// In HJSON a text without quotes may look like a member.
		edit.item = edit.item || !slices.Equal(scalarItems(after.Root()), scalarItems(f.doc.Root()))
		if edit.item && slices.ContainsFunc(edits, func(e lineEdit) bool { return e.item }) {
			continue // of two edited items nothing tells which was which
		}
		edits = append(edits, edit)
	}
	return edits, free
}

// comments draws comments above some lines.
func (f *fieldEdits) comments() map[int]string {
	comments := map[int]string{}
	for range f.random.IntN(3) {
		line := 1 + f.random.IntN(len(f.lines)-1)
		if f.text[line] || f.text[line-1] {
			continue
		}
		mark := "#"
		if f.doc.Syntax() == definition.JSON {
			mark = "//"
		}
		comments[line] = fmt.Sprintf("  %s note %d", mark, f.random.IntN(100))
	}
	return comments
}

// mergeCount is a row of a table by format.
type mergeCount struct{ files, pairs, clean, conflict, fellBack int }

func (c *mergeCount) add(merged definition.Merged, err error) {
	c.pairs++
	switch {
	case err != nil:
		c.fellBack++
	case len(merged.Conflicts) > 0:
		c.conflict++
	default:
		c.clean++
	}
}

func logTable(t *testing.T, title string, table map[string]*mergeCount) {
	t.Helper()
	t.Logf("%-30s %5s %7s %7s %9s %9s", title, "files", "pairs", "clean", "conflict", "fell back")
	for _, format := range slices.Sorted(maps.Keys(table)) {
		c := table[format]
		t.Logf("%-30s %5d %7d %7d %9d %9d", format, c.files, c.pairs, c.clean, c.conflict, c.fellBack)
	}
}

// eachDefinition runs a test for our own and the collected definitions.
func eachDefinition(t *testing.T, test func(*fieldEdits, *mergeCount)) map[string]*mergeCount {
	t.Helper()
	table := map[string]*mergeCount{}
	files := ownDefinitions(t)
	maps.Copy(files, corpus(t))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if bytes.IndexByte(files[name], '\t') >= 0 {
			continue // the edits would not fit in
		}
		f := newFieldEdits(t, name, files[name])
		format := formatOf(f.doc, files[name])
		if table[format] == nil {
			table[format] = &mergeCount{}
		}
		table[format].files++
		test(f, table[format])
	}
	return table
}

// mergeRounds is how often something random is done for each definition.
func mergeRounds() int {
	switch {
	case os.Getenv("STARLING_LONG") != "":
		return 5000
	case testing.Short() || raceEnabled:
		return 50
	}
	return 300
}

// asWhole reports whether a merge has conflicts of an item of a list that both sides edited, or of
// a collection that one side added to and the other removed from. It checks that they did.
func (f *fieldEdits) asWhole(tb testing.TB, merged definition.Merged, later, earlier []lineEdit) (found bool) {
	tb.Helper()
	adds := func(e lineEdit) bool { return e.kind != "remove" }
	removes := func(e lineEdit) bool { return e.kind != "insert" }
	for _, c := range merged.Conflicts {
		within := func(edits []lineEdit) (in []lineEdit) {
			for _, e := range edits {
				if strings.Contains(c.Base.Text, strings.TrimPrefix(strings.TrimSpace(f.lines[e.line]), "- ")) {
					in = append(in, e)
				}
			}
			return in
		}
		l, e := within(later), within(earlier)
		switch {
		case c.Kind == definition.FieldItem && len(l) > 0 && len(e) > 0:
		case c.Kind == definition.FieldCollection && slices.ContainsFunc(l, adds) && slices.ContainsFunc(e, removes):
		case c.Kind == definition.FieldCollection && slices.ContainsFunc(e, adds) && slices.ContainsFunc(l, removes):
		case c.Kind == definition.FieldValue:
			continue
		default:
			tb.Fatalf("%s: later %+v\nearlier %+v\nconflict of the %s %s", f.name, later, earlier, c.Kind, c.Pointer)
		}
		found = true
	}
	return found
}

// TestMergeOfDisjointEdits lets two sides edit some fields of each definition each, and the later
// one add comments. What is edited are lines that hold one field or item, so that all edits
// applied to the lines give what the merge must be, byte by byte.
func TestMergeOfDisjointEdits(t *testing.T) {
	table := eachDefinition(t, func(f *fieldEdits, count *mergeCount) {
		for round := range mergeRounds() {
			later, free := f.draw(t, f.random.Perm(len(f.lines)), 3, 100*round)
			earlier, _ := f.draw(t, free, 3, 100*round+50)
			if len(later) == 0 || len(earlier) == 0 {
				return // too few lines are fit for edits
			}
			comments := f.comments()
			laterText, earlierText := commented(f.lines, comments, later...), edited(f.lines, earlier...)
			want := commented(f.lines, comments, slices.Concat(later, earlier)...)
			if after, err := definition.Parse(mustPath(t, f.name), []byte(laterText)); err != nil || after.Syntax() != f.doc.Syntax() {
				continue // a comment became something else
			}
			if after, err := definition.Parse(mustPath(t, f.name), []byte(earlierText)); err != nil || nulls(after.Root()) > nulls(f.doc.Root()) {
				continue // a mapping of YAML whose lines are all gone became null
			}
			merged, err := merge(t, f.name, f.base, laterText, earlierText)
			count.add(merged, err)
			got := string(merged.Content)
			if f.asWhole(t, merged, later, earlier) {
				continue
			}
			if f.doc.Syntax() == definition.YAML && brackets(got) > brackets(want) {
				continue // the two removed all lines of a mapping or a sequence: Merge leaves brackets
			}
			if got != want || err != nil || len(merged.Conflicts) > 0 {
				t.Fatalf("%s: later %+v %v\nearlier %+v\nmerge into\n%s\nwant\n%s\n%v, conflicts %s", f.name, later, comments, earlier, got, want, err, conflicts(merged))
			}
		}
	})
	logTable(t, "1 to 3 edits, disjoint", table)
}

// TestMergeOfEditsOfOneField lets two sides give one field different values, and edit others
// besides. (Two values of @class would be a conflict of the object as a whole.)
func TestMergeOfEditsOfOneField(t *testing.T) {
	table := eachDefinition(t, func(f *fieldEdits, count *mergeCount) {
		for round := range mergeRounds() {
			n := 1000 + 100*round
			free := f.random.Perm(len(f.lines))
			var both lineEdit
			for ; len(free) > 0 && !both.scalar; free = free[1:] {
				edit, ok := randomEdit(f.random, f.lines, free[0], n, false)
				if ok && edit.scalar && !edit.item && !strings.Contains(edit.text, "@class") && !f.text[free[0]] && strings.Contains(edit.text, fmt.Sprint(n)) {
					both = edit
				}
			}
			if !both.scalar {
				continue
			}
			inLater, inEarlier := both, both
			inEarlier.text = strings.Replace(both.text, fmt.Sprint(n), fmt.Sprint(n+99), 1)
			later, free := f.draw(t, free, 1, n)
			earlier, _ := f.draw(t, free, 1, n+50)
			merged, err := merge(t, f.name, f.base, edited(f.lines, append(later, inLater)...), edited(f.lines, append(earlier, inEarlier)...))
			count.add(merged, err)
			want := edited(f.lines, slices.Concat(later, earlier, []lineEdit{inLater})...)
			got := string(merged.Content)
			if f.asWhole(t, merged, append(later, inLater), append(earlier, inEarlier)) {
				continue
			}
			if f.doc.Syntax() == definition.YAML && brackets(got) > brackets(want) {
				continue
			}
			if err != nil || got != want || len(merged.Conflicts) != 1 {
				t.Fatalf("%s: both %+v\nlater %+v\nearlier %+v\nmerge into\n%s\nwant\n%s\n%v, conflicts %s", f.name, both, later, earlier, got, want, err, conflicts(merged))
			}
			c := merged.Conflicts[0]
			if line := f.lines[both.line]; !strings.Contains(line, c.Base.Text) || !strings.Contains(inLater.text, c.Later.Text) || !strings.Contains(inEarlier.text, c.Earlier.Text) || c.Later == c.Earlier {
				t.Fatalf("%s: the conflict is %s, want that of\n%s\n%s\n%s", f.name, conflicts(merged), line, inLater.text, inEarlier.text)
			}
		}
	})
	logTable(t, "one field edited by both", table)
}

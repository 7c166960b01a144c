package definition_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/definition"
)

// model is a value of a document that the laws of merging are tested with.
type model struct {
	kind  string // object, set, list, string or literal
	class string // of an object, set or list; empty for none
	key   string // if it is a member
	text  string // of a string or literal
	kids  []*model
}

var (
	modelKeys    = []string{"a", "b", "c", "d", "long name", "é/~", "name", "requiredAttributes"}
	modelStrings = []string{"x", "y", "two words", "it's", "a \"quote\"", "#no comment", "key: value", "", "true", "12", "é", "{", "one\ntwo", "one\n  two\n\nthree", "http://a/b", "z, y", "-"}
	modelClasses = []string{"org.x.A", "org.x.B"}
)

func drawScalar(t *rapid.T) *model {
	if rapid.Bool().Draw(t, "literal") {
		return &model{kind: "literal", text: rapid.SampledFrom([]string{"1", "2", "12345678901234567", "true", "false", "null"}).Draw(t, "value")}
	}
	return &model{kind: "string", text: rapid.SampledFrom(modelStrings).Draw(t, "string")}
}

func drawModel(t *rapid.T, depth int) *model {
	kind := rapid.SampledFrom([]string{"scalar", "scalar", "object", "set", "list"}).Draw(t, "kind")
	switch {
	case depth == 0 || kind == "scalar":
		return drawScalar(t)
	case kind == "object":
		return drawObject(t, depth)
	}
	m := &model{kind: kind}
	if kind == "set" {
		m.class = rapid.SampledFrom([]string{"java.util.HashSet", "java.util.LinkedHashSet"}).Draw(t, "class")
	} else if rapid.Bool().Draw(t, "typed") {
		m.class = "java.util.ArrayList"
	}
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		m.add(drawModel(t, depth-1), 0)
	}
	return m
}

func drawObject(t *rapid.T, depth int) *model {
	m := &model{kind: "object"}
	if rapid.IntRange(0, 2).Draw(t, "with class") == 0 {
		m.class = rapid.SampledFrom(modelClasses).Draw(t, "class")
	}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		m.put(t, drawModel(t, depth-1))
	}
	return m
}

// put gives an object a new member, if a free key is drawn.
func (m *model) put(t *rapid.T, kid *model) {
	kid.key = rapid.SampledFrom(modelKeys).Draw(t, "key")
	if m.member(kid.key) == nil {
		m.kids = slices.Insert(m.kids, rapid.IntRange(0, len(m.kids)).Draw(t, "place"), kid)
	}
}

// add gives a set or list a new item.
func (m *model) add(kid *model, at int) {
	if m.kind == "set" && slices.ContainsFunc(m.kids, func(k *model) bool { return k.canonical() == kid.canonical() }) {
		return
	}
	m.kids = slices.Insert(m.kids, at, kid)
}

func (m *model) member(key string) *model {
	for _, kid := range m.kids {
		if kid.key == key {
			return kid
		}
	}
	return nil
}

func (m *model) clone() *model {
	c := *m
	c.kids = nil
	for _, kid := range m.kids {
		c.kids = append(c.kids, kid.clone())
	}
	return &c
}

// containers lists m and what is below it, but for scalars.
func (m *model) containers() []*model {
	if m.kind == "string" || m.kind == "literal" {
		return nil
	}
	all := []*model{m}
	for _, kid := range m.kids {
		all = append(all, kid.containers()...)
	}
	return all
}

// drawEdited returns a copy with some edits.
func drawEdited(t *rapid.T, base *model) *model {
	m := base.clone()
	for range rapid.IntRange(1, 3).Draw(t, "edits") {
		all := m.containers()
		in := all[rapid.IntRange(0, len(all)-1).Draw(t, "in")]
		at := rapid.IntRange(0, len(in.kids)).Draw(t, "at")
		switch edit := rapid.SampledFrom([]string{"add", "remove", "replace", "class", "move"}).Draw(t, "edit"); {
		case edit == "add" && in.kind == "object":
			in.put(t, drawModel(t, 1))
		case edit == "add":
			in.add(drawModel(t, 1), at)
		case at == len(in.kids):
		case edit == "move":
			kid := in.kids[at]
			in.kids = slices.Delete(in.kids, at, at+1)
			in.kids = slices.Insert(in.kids, rapid.IntRange(0, len(in.kids)).Draw(t, "to"), kid)
		case edit == "remove":
			in.kids = slices.Delete(in.kids, at, at+1)
		case edit == "replace":
			kid := drawModel(t, 1)
			kid.key = in.kids[at].key
			in.kids = slices.Delete(in.kids, at, at+1)
			if in.kind == "set" {
				in.add(kid, at)
			} else {
				in.kids = slices.Insert(in.kids, at, kid)
			}
		case edit == "class" && in.kind == "object":
			in.class = rapid.SampledFrom(modelClasses).Draw(t, "class")
		case edit == "class" && in.kind == "set":
			in.class = "java.util.TreeSet"
		}
	}
	return m
}

// canonical is equal for equal values.
func (m *model) canonical() string {
	var kids []string
	for _, kid := range m.kids {
		text := kid.canonical()
		if m.kind == "object" {
			text = fmt.Sprintf("%q: %s", kid.key, text)
		}
		kids = append(kids, text)
	}
	switch m.kind {
	case "object":
		if m.class != "" {
			kids = append(kids, fmt.Sprintf(`"@class": %q`, m.class))
		}
		slices.Sort(kids)
		return "{" + strings.Join(kids, ", ") + "}"
	case "set":
		slices.Sort(kids)
		kids = slices.Compact(kids)
		return m.class + "(" + strings.Join(kids, ", ") + ")"
	case "list":
		return m.class + "[" + strings.Join(kids, ", ") + "]"
	case "string":
		return fmt.Sprintf("%q", m.text)
	}
	return m.text
}

// parseModel reads a text and returns its value's canonical form.
func parseModel(tb rapid.TB, file, text string) string {
	tb.Helper()
	return modelIn(tb, file, text).canonical()
}

func modelIn(tb rapid.TB, file, text string) *model {
	tb.Helper()
	doc, err := definition.Parse(mustPath(tb, file), []byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return modelOf(doc.Root())
}

func modelOf(v definition.Value) *model {
	m := &model{text: v.Text}
	switch v.Kind {
	case definition.Object:
		m.kind = "object"
		for _, member := range v.Members {
			if member.Key == "@class" {
				m.class = member.Value.Text
				continue
			}
			kid := modelOf(member.Value)
			kid.key = member.Key
			m.kids = append(m.kids, kid)
		}
	case definition.Array:
		m.kind = "list"
		items := v.Items
		if c, ok := v.TypedCollection(); ok && c.Kind != definition.MapCollection {
			m.class, items = c.Class, c.Elements.Items
			if c.Kind == definition.SetCollection {
				m.kind = "set"
			}
		}
		for _, item := range items {
			m.kids = append(m.kids, modelOf(item))
		}
	case definition.String:
		m.kind = "string"
	default:
		m.kind = "literal"
	}
	return m
}

// checkModel checks that a text says what it was written for.
func checkModel(tb rapid.TB, file, text string, m *model) {
	tb.Helper()
	if got, want := parseModel(tb, file, text), m.canonical(); got != want {
		tb.Fatalf("the test wrote\n%s\nwhich is\n%s\nnot\n%s", text, got, want)
	}
}

// layout writes models as text.
type layout struct {
	yaml, hjson bool
	step        string // of indentation
	lines       bool   // one kid a line
	brackets    bool   // some collections of YAML in brackets
	trailing    bool   // a comma after the last kid
	noCommas    bool   // HJSON separated by lines
	comments    bool
	tight       bool // no spaces

	choices []int // what is chosen next, in turn
	chosen  *int
}

func drawLayout(t *rapid.T, l layout) layout {
	l.step = rapid.SampledFrom([]string{"  ", "    ", " "}).Draw(t, "step")
	l.comments = rapid.Bool().Draw(t, "comments")
	l.choices = rapid.SliceOfN(rapid.IntRange(0, 5), 8, 8).Draw(t, "choices")
	l.chosen = new(int)
	return l
}

func drawJSON(t *rapid.T) layout {
	return drawLayout(t, layout{
		lines: rapid.Bool().Draw(t, "lines"), trailing: rapid.Bool().Draw(t, "trailing"), tight: rapid.Bool().Draw(t, "tight"),
	})
}

func drawHJSON(t *rapid.T) layout {
	l := drawJSON(t)
	l.hjson, l.noCommas = true, l.lines && rapid.Bool().Draw(t, "no commas")
	return l
}

func drawYAML(t *rapid.T) layout { return drawLayout(t, layout{yaml: true}) }

func drawMixedYAML(t *rapid.T) layout { return drawLayout(t, layout{yaml: true, brackets: true}) }

// choose returns the next choice of n.
func (l layout) choose(n int) int {
	*l.chosen++
	return l.choices[*l.chosen%len(l.choices)] % n
}

func (l layout) write(m *model) string {
	if l.yaml {
		text := strings.TrimPrefix(l.writeYAML(m, "", false), "\n")
		if l.comments {
			text = "# head\n" + text
		}
		return strings.TrimPrefix(text, " ") + "\n"
	}
	return l.comment("", "// head\n") + l.writeJSON(m, "") + "\n"
}

// comment returns a comment now and then.
func (l layout) comment(otherwise, text string) string {
	if l.comments && l.choose(3) == 0 {
		return text
	}
	return otherwise
}

// kidsOf lists what is written in the brackets of m: pairs of key and value.
func (m *model) written() []*model {
	switch {
	case m.kind == "object" && m.class != "":
		return append([]*model{{kind: "string", key: "@class", text: m.class}}, m.kids...)
	case m.kind != "object" && m.class != "":
		return []*model{{kind: "string", text: m.class}, {kind: "list", kids: m.kids}}
	}
	return m.kids
}

// What may be written without quotes in HJSON to the end of a line, and in YAML anywhere.
var (
	bareLine = regexp.MustCompile(`^[a-z][a-z ./:,]*$`)
	bareWord = regexp.MustCompile(`^[a-z][a-z ./]*$`)
)

func quoteJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func (l layout) writeJSON(m *model, indent string) string {
	switch m.kind {
	case "literal":
		return m.text
	case "string":
		switch {
		case l.hjson && l.lines && strings.Contains(m.text, "\n") && l.choose(2) == 0:
			return "'''\n" + indent + strings.ReplaceAll(m.text, "\n", "\n"+indent) + "\n" + indent + "'''"
		case l.hjson && l.choose(3) == 0 && !strings.ContainsAny(m.text, "'\n"):
			return "'" + strings.ReplaceAll(m.text, `\`, `\\`) + "'"
		}
		return quoteJSON(m.text)
	}
	open, closing := "[", "]"
	if m.kind == "object" {
		open, closing = "{", "}"
	}
	kids := m.written()
	if len(kids) == 0 {
		return open + l.comment("", " /* none */ ") + closing
	}
	inner := indent + l.step
	var b strings.Builder
	b.WriteString(open)
	for i, kid := range kids {
		switch {
		case l.lines:
			b.WriteString(l.comment("", " // behind") + "\n" + l.comment("", inner+"/* above */\n") + inner)
		case i > 0 && !l.tight:
			b.WriteString(l.comment(" ", " /* before */ "))
		}
		if m.kind == "object" {
			key := quoteJSON(kid.key)
			if l.hjson && !strings.ContainsAny(kid.key, " ") && l.choose(2) == 0 {
				key = kid.key
			}
			b.WriteString(key + ":")
			if !l.tight {
				b.WriteString(" ")
			}
		}
		if l.noCommas && kid.kind == "string" && bareLine.MatchString(kid.text) && kid.text != "true" {
			b.WriteString(kid.text + "\n" + inner)
			continue
		}
		text := l.writeJSON(kid, inner)
		if strings.HasPrefix(text, "'''") {
			// The quotes tell how much the lines are indented: give them a line of their own.
			text = "\n" + inner + text
		}
		b.WriteString(text + l.comment("", " /* value */"))
		if !l.noCommas && (i < len(kids)-1 || l.trailing) {
			b.WriteString(",")
		}
	}
	if l.lines {
		b.WriteString("\n" + indent)
	} else if !l.tight {
		b.WriteString(" ")
	}
	return b.String() + closing
}

// writeYAML writes a value behind its key or dash: with a leading space, or with a leading
// line break if it takes lines of its own.
func (l layout) writeYAML(m *model, indent string, flow bool) string {
	switch m.kind {
	case "literal":
		return " " + m.text
	case "string":
		switch {
		case strings.Contains(m.text, "\n") && !flow && l.choose(2) == 0:
			return " |-\n" + indent + l.step + strings.ReplaceAll(m.text, "\n", "\n"+indent+l.step)
		case bareWord.MatchString(m.text) && m.text != "true" && l.choose(3) > 0:
			return " " + m.text
		case !strings.Contains(m.text, "\n") && l.choose(2) == 0:
			return " '" + strings.ReplaceAll(m.text, "'", "''") + "'"
		}
		return " " + quoteJSON(m.text)
	}
	kids := m.written()
	open, closing := "[", "]"
	if m.kind == "object" {
		open, closing = "{", "}"
	}
	if flow || len(kids) == 0 || l.brackets && l.choose(3) == 0 {
		var texts []string
		for _, kid := range kids {
			text := strings.TrimPrefix(l.writeYAML(kid, "", true), " ")
			if m.kind == "object" {
				text = quoteJSON(kid.key) + ": " + text
			}
			texts = append(texts, text)
		}
		return " " + open + strings.Join(texts, ", ") + closing
	}
	var b strings.Builder
	for i, kid := range kids {
		if i > 0 || l.choose(2) == 0 || m.kind == "object" {
			b.WriteString(l.comment("", "\n"+indent+"# above"))
		}
		b.WriteString("\n" + indent)
		if m.kind == "object" {
			key := quoteJSON(kid.key)
			if bareWord.MatchString(kid.key) && l.choose(2) == 0 {
				key = kid.key
			}
			b.WriteString(key + ":")
		} else {
			b.WriteString("-")
		}
		text := l.writeYAML(kid, indent+l.step, false)
		if kid.kind == "string" && strings.HasPrefix(text, " |") {
			text = l.writeYAML(kid, indent, false)
		}
		beside, ok := strings.CutPrefix(text, "\n"+indent+l.step)
		if m.kind != "object" && ok && len(l.step) > 1 && beside[0] != '#' && l.choose(2) == 0 {
			text = l.step[1:] + beside // the first kid beside the dash
		}
		b.WriteString(text)
		if !strings.Contains(text, "\n") {
			b.WriteString(l.comment("", " # behind"))
		}
	}
	return b.String()
}

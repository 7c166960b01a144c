package definition_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// notedValue is a value of a document with its comments, each of one word that is nowhere else.
type notedValue struct {
	kind   string // object, list or scalar
	key    string
	text   string // of a scalar: a word or a number
	kids   []*notedValue
	above  []string
	open   string // behind what opens a container
	behind string
	end    []string // at the end of a container
}

func (v *notedValue) clone() *notedValue {
	c := *v
	c.above, c.end, c.kids = slices.Clone(v.above), slices.Clone(v.end), nil
	for _, kid := range v.kids {
		c.kids = append(c.kids, kid.clone())
	}
	return &c
}

// each visits v and what is below it.
func (v *notedValue) each(visit func(*notedValue)) {
	visit(v)
	for _, kid := range v.kids {
		kid.each(visit)
	}
}

// notes visits the comments at and below v, and sets each to what visit returns.
func (v *notedValue) notes(visit func(string) string) {
	all := func(notes []string) (out []string) {
		for _, note := range notes {
			if note = visit(note); note != "" {
				out = append(out, note)
			}
		}
		return out
	}
	v.each(func(n *notedValue) {
		n.above, n.end = all(n.above), all(n.end)
		if n.open != "" {
			n.open = visit(n.open)
		}
		if n.behind != "" {
			n.behind = visit(n.behind)
		}
	})
}

// notedDocuments draws documents and their edits.
type notedDocuments struct {
	*rand.Rand
	words int // so many are used
}

func (d *notedDocuments) note() string {
	d.words++
	return fmt.Sprintf("c%dc", d.words)
}

func (d *notedDocuments) maybeNote() string {
	if d.IntN(3) == 0 {
		return d.note()
	}
	return ""
}

func (d *notedDocuments) notesMaybe() (notes []string) {
	for d.IntN(4) == 0 {
		notes = append(notes, d.note())
	}
	return notes
}

func (d *notedDocuments) scalar() string {
	d.words++
	return fmt.Sprintf("v%d", d.words)
}

func (d *notedDocuments) draw(depth int) *notedValue {
	v := &notedValue{kind: "scalar", text: d.scalar(), behind: d.maybeNote()}
	if depth > 0 && d.IntN(3) == 0 {
		v.kind = []string{"object", "list"}[d.IntN(2)]
		v.open, v.end = d.maybeNote(), d.notesMaybe()
		for range d.IntN(4) {
			v.add(d.draw(depth-1), d)
		}
	}
	v.above = d.notesMaybe()
	return v
}

// add gives a container a new kid.
func (v *notedValue) add(kid *notedValue, d *notedDocuments) {
	d.words++
	kid.key = fmt.Sprintf("k%d", d.words)
	v.kids = slices.Insert(v.kids, d.IntN(len(v.kids)+1), kid)
}

func (d *notedDocuments) root() *notedValue {
	root := d.draw(0)
	root.kind, root.behind = "object", ""
	root.end = d.notesMaybe()
	for range 1 + d.IntN(5) {
		root.add(d.draw(2), d)
	}
	return root
}

// edited returns a copy with some edits by a side, whose name its edits of comments end with.
func (d *notedDocuments) edited(base *notedValue, side string) *notedValue {
	root := base.clone()
	for range 1 + d.IntN(4) {
		var all, containers []*notedValue
		root.each(func(v *notedValue) {
			all = append(all, v)
			if v.kind != "scalar" {
				containers = append(containers, v)
			}
		})
		v, in := all[d.IntN(len(all))], containers[d.IntN(len(containers))]
		switch d.IntN(11) {
		case 0, 1:
			if v.kind == "scalar" {
				v.text = d.scalar()
			}
		case 2: // a value with its comment
			if v.kind == "scalar" {
				v.text = d.scalar()
				if v.behind != "" {
					v.behind = strings.TrimRight(v.behind, "LEB") + side
				}
			}
		case 3:
			in.add(d.draw(1), d)
		case 4:
			if len(in.kids) > 0 {
				i := d.IntN(len(in.kids))
				in.kids = slices.Delete(in.kids, i, i+1)
			}
		case 5: // comment one out
			if len(in.kids) > 0 {
				i := d.IntN(len(in.kids))
				in.kids = slices.Delete(in.kids, i, i+1)
				if i < len(in.kids) {
					in.kids[i].above = append([]string{d.note()}, in.kids[i].above...)
				} else {
					in.end = append([]string{d.note()}, in.end...)
				}
			}
		case 6, 7: // edit comments
			v.notes(func(note string) string {
				if d.IntN(2) == 0 {
					return note
				}
				return strings.TrimRight(note, "LEB") + []string{side, side, "B"}[d.IntN(3)]
			})
		case 8: // remove some
			v.notes(func(note string) string { return []string{note, ""}[d.IntN(2)] })
		case 9: // add some
			v.above = append(v.above, d.notesMaybe()...)
			if v.behind == "" && v != root {
				v.behind = d.maybeNote()
			}
			if v.kind != "scalar" {
				v.end = append(v.end, d.notesMaybe()...)
			}
		case 10:
			if in.kind == "object" {
				d.Shuffle(len(in.kids), func(i, j int) { in.kids[i], in.kids[j] = in.kids[j], in.kids[i] })
			}
		}
	}
	return root
}

// notedLayout writes such documents.
type notedLayout struct {
	syntax, step string
	lines        bool
	blocks       bool // comments as /* */
	newline      string
}

func (d *notedDocuments) layout(syntax string) notedLayout {
	l := notedLayout{syntax: syntax, step: []string{"  ", "    "}[d.IntN(2)], lines: true, newline: "\n"}
	l.blocks = syntax == "json" && d.IntN(3) == 0
	l.lines = !l.blocks || d.IntN(2) == 0
	return l
}

func (l notedLayout) note(word string) string {
	switch {
	case l.blocks:
		return "/* " + word + " */"
	case l.syntax == "json":
		return "// " + word
	}
	return "# " + word
}

// above writes the comments above something, each on a line.
func (l notedLayout) above(notes []string, indent string) string {
	text := ""
	for _, note := range notes {
		text += l.note(note) + l.breakLine(indent)
	}
	return text
}

func (l notedLayout) breakLine(indent string) string {
	if l.lines {
		return "\n" + indent
	}
	return " "
}

func (l notedLayout) behind(note string) string {
	if note == "" {
		return ""
	}
	return " " + l.note(note)
}

func (l notedLayout) write(root *notedValue) string {
	if l.syntax == "yaml" {
		head := l.above(root.above, "")
		return head + "---" + l.behind(root.open) + l.yaml(root, "") + l.end(root, "") + "\n"
	}
	return l.above(root.above, "") + l.json(root, "") + "\n"
}

func (l notedLayout) end(v *notedValue, indent string) string {
	text := ""
	for _, note := range v.end {
		text += "\n" + indent + l.note(note)
	}
	return text
}

// json writes a value in JSON or HJSON.
func (l notedLayout) json(v *notedValue, indent string) string {
	open, closing := "[", "]"
	switch v.kind {
	case "scalar":
		if l.syntax == "hjson" && v.behind == "" {
			return v.text
		}
		return `"` + v.text + `"`
	case "object":
		open, closing = "{", "}"
	}
	inner := indent + l.step
	text := open + l.behind(v.open)
	for i, kid := range v.kids {
		text += l.breakLine(inner) + l.above(kid.above, inner)
		if v.kind == "object" {
			text += `"` + kid.key + `": `
		}
		text += l.json(kid, inner)
		comma := ""
		if i+1 < len(v.kids) && l.syntax == "json" {
			comma = ","
		}
		if l.blocks {
			text += l.behind(kid.behind) + comma
		} else {
			text += comma + l.behind(kid.behind)
		}
	}
	for _, note := range v.end {
		text += l.breakLine(inner) + l.note(note)
	}
	return text + l.breakLine(indent) + closing
}

// yaml writes a value behind its key or dash.
func (l notedLayout) yaml(v *notedValue, indent string) string {
	switch {
	case v.kind == "scalar":
		return " " + v.text + l.behind(v.behind)
	case len(v.kids) == 0 && v.kind == "object":
		return " {}" + l.behind(v.behind)
	case len(v.kids) == 0:
		return " []" + l.behind(v.behind)
	}
	text := ""
	for _, kid := range v.kids {
		text += "\n" + indent + l.above(kid.above, indent)
		if v.kind == "object" {
			text += kid.key + ":"
		} else {
			text += "-"
		}
		if kid.kind == "scalar" || len(kid.kids) == 0 {
			text += l.yaml(kid, indent+l.step)
			continue
		}
		text += l.behind(kid.open) + l.yaml(kid, indent+l.step) + l.end(kid, indent+l.step)
	}
	return text
}

var keyWord = regexp.MustCompile(`k[0-9]+`)

var noteWord = regexp.MustCompile(`c[0-9]+c[LEB]*`)

// notesIn finds the comments of a text by their words: for each what it was first, and what is
// there now.
func notesIn(text string) map[string][]string {
	notes := map[string][]string{}
	for _, word := range noteWord.FindAllString(text, -1) {
		note := strings.TrimRight(word, "LEB")
		notes[note] = append(notes[note], word)
	}
	return notes
}

// commentRounds is how many documents are tried in each syntax.
func commentRounds() int {
	switch {
	case os.Getenv("STARLING_LONG") != "":
		return 40_000
	case testing.Short() || raceEnabled:
		return 300
	}
	return 2000
}

// TestMergeCommentLaws merges documents of which both sides edited values and comments. What became
// of each comment is compared with what the sides did to it, which words in the texts tell.
func TestMergeCommentLaws(t *testing.T) {
	for _, syntax := range []string{"json", "hjson", "yaml"} {
		t.Run(syntax, func(t *testing.T) {
			file := "a.json"
			if syntax == "yaml" {
				file = "a.yml"
			}
			counts := map[string]int{}
			for seed := range uint64(commentRounds()) {
				d := &notedDocuments{Rand: rand.New(rand.NewPCG(seed, uint64(len(syntax))))}
				base := d.root()
				later, earlier := d.edited(base, "L"), d.edited(base, "E")
				layouts := [3]notedLayout{d.layout(syntax), d.layout(syntax), d.layout(syntax)}
				if d.IntN(2) == 0 {
					layouts = [3]notedLayout{layouts[0], layouts[0], layouts[0]}
				}
				if d.IntN(6) == 0 { // as CAS saves it: without comments, in a layout of its own
					resaved := []*notedValue{later, earlier}[d.IntN(2)]
					resaved.notes(func(string) string { return "" })
				}
				var texts, bare [3]string
				for i, v := range []*notedValue{base, later, earlier} {
					texts[i] = layouts[i].write(v)
					v = v.clone()
					v.notes(func(string) string { return "" })
					bare[i] = layouts[i].write(v)
				}
				for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}} {
					b, l, e := texts[order[0]], texts[order[1]], texts[order[2]]
					fail := func(format string, args ...any) {
						t.Helper()
						t.Fatalf("seed %d: base\n%s\nlater\n%s\nearlier\n%s\n%s", seed, b, l, e, fmt.Sprintf(format, args...))
					}
					merged, err := merge(t, file, b, l, e)
					plain, plainErr := merge(t, file, bare[order[0]], bare[order[1]], bare[order[2]])
					if (err == nil) != (plainErr == nil) {
						fail("merge: %v; without comments: %v", err, plainErr)
					}
					if err != nil {
						if !errors.Is(err, definition.ErrNoMerge) {
							fail("%v", err)
						}
						counts["given up"]++
						continue
					}
					counts["merges"]++
					if got, want := parseModel(t, file, string(merged.Content)), parseModel(t, file, string(plain.Content)); got != want {
						fail("merge into\n%s\nwhich is\n%s\nbut without comments\n%s", merged.Content, got, want)
					}
					problem := checkNotes(b, l, e, merged, counts)
					if problem == "" && layouts[1].lines && layouts[2].lines {
						problem = checkBeside(l, e, string(merged.Content), counts)
					}
					if problem != "" {
						fail("merge into\n%s\nconflicts %s\n%s", merged.Content, conflicts(merged), problem)
					}
				}
			}
			t.Logf("%v", counts)
		})
	}
}

// checkNotes checks what became of each comment, and says what is wrong.
func checkNotes(base, later, earlier string, merged definition.Merged, counts map[string]int) string {
	inBase, inLater, inEarlier, inResult := notesIn(base), notesIn(later), notesIn(earlier), notesIn(string(merged.Content))
	conflicts, keys := "", map[string]bool{}
	for _, c := range merged.Conflicts {
		conflicts += " " + c.Base.Text + " " + c.Later.Text + " " + c.Earlier.Text
		if c.Kind != definition.FieldComment {
			keys[c.Pointer[strings.LastIndexByte(c.Pointer, '/')+1:]] = true
		}
	}
	listed := notesIn(conflicts)
	all := map[string]bool{}
	for _, notes := range []map[string][]string{inBase, inLater, inEarlier} {
		for note := range notes {
			all[note] = true
		}
	}
	one := func(notes map[string][]string, note string) string {
		if len(notes[note]) == 0 {
			return ""
		}
		return notes[note][0]
	}
	for note := range all {
		b, l, e, is := one(inBase, note), one(inLater, note), one(inEarlier, note), inResult[note]
		has := func(word string) bool { return slices.Contains(is, word) }
		known := func(word string) bool { return word == "" || has(word) || slices.Contains(listed[note], word) }
		problem := ""
		counts["comments"]++
		switch {
		case len(is) > 2 || len(is) > 1 && is[0] == is[1]:
			problem = "twice"
		case !known(l) && l != b || !known(e) && e != b:
			problem = "lost"
		case l == e:
			if !known(l) || l == "" && len(is) > 0 {
				problem = "not as both have it"
			} else if l != b {
				counts["changed equally"]++
			}
		case l == b || e == b:
			want := l
			if l == b {
				want = e
			}
			counts["changed by one"]++
			switch {
			case slices.Equal(is, []string{want}), want == "" && len(is) == 0:
			case keys[keyOf(base, note)], keys[keyOf(later, note)], keys[keyOf(earlier, note)]:
				counts["beside a value in conflict"]++ // and so it stands or falls with that
			case known(want):
				counts["not kept, but listed"]++
			default:
				problem = "not as one side changed it"
			}
		case l == "" || e == "":
			counts["edited and removed"]++
		case b != "":
			if len(is) == 1 && len(listed[note]) == 0 {
				problem = "not listed"
			}
			counts["edited by both"]++
		}
		if problem != "" {
			return fmt.Sprintf("%s was %q, later %q, earlier %q, and is %q: %s", note, b, l, e, is, problem)
		}
	}
	return ""
}

// checkBeside checks that each comment behind a member is behind the one that a side has it behind.
// The texts have a line for each member.
func checkBeside(later, earlier, result string, counts map[string]int) string {
	inLater, inEarlier := besideKeys(later), besideKeys(earlier)
	for word, key := range besideKeys(result) {
		counts["behind"]++
		if key != inLater[word] && key != inEarlier[word] {
			return fmt.Sprintf("%s is behind %s, want %q or %q", word, key, inLater[word], inEarlier[word])
		}
	}
	return ""
}

// besideKeys returns the last key on the line of each comment that has one there.
func besideKeys(text string) map[string]string {
	beside := map[string]string{}
	for line := range strings.Lines(text) {
		for _, word := range noteWord.FindAllString(line, -1) {
			if key := keyOf(line, word); key != "" {
				beside[word] = key
			}
		}
	}
	return beside
}

// keyOf returns the last key before a comment.
func keyOf(text, note string) string {
	before, _, ok := strings.Cut(text, note)
	keys := keyWord.FindAllString(before, -1)
	if !ok || len(keys) == 0 {
		return ""
	}
	return keys[len(keys)-1]
}

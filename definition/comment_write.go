package definition

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
)

// noteWriter writes comments into the text that a merge of values gave.
type noteWriter struct {
	*commentMerger
	patches []patch
}

// withComments returns the result of a merge of values with the comments that belong into it, and
// the conflicts about comments. A comment that finds no place in the text is one.
func (m *merger) withComments(path Path, result *side, from origin) ([]byte, []FieldConflict) {
	c := m.mergeComments(result, from)
	if c == nil {
		return result.content, nil
	}
	content, written := result.content, result
	var good []int
	attempts := 0
	var try func(keys []int)
	try = func(keys []int) {
		if len(keys) == 0 || attempts == maxAttempts {
			return
		}
		attempts++
		text := c.write(append(slices.Clone(good), keys...))
		s, err := parseSide(path, text, m.ids)
		switch {
		case err == nil && s.root.id == result.root.id:
			content, written, good = text, s, append(good, keys...)
		case len(keys) > 1:
			try(keys[:len(keys)/2])
			try(keys[len(keys)/2:])
		}
	}
	try(c.changedSlots())
	c.noteMissing(written)
	return content, c.fieldConflicts()
}

// maxAttempts is how often comments are written into one text, each time fewer of them at once,
// to find those that have no place in it.
const maxAttempts = 40

// changedSlots returns the slots of the result whose comments are not those that are wanted. Those
// at the end of containers come last, the innermost first: they have one place in the text.
func (c *commentMerger) changedSlots() []int {
	var keys []int
	add := func(key int) {
		has, want := c.bySlot[ofResult][key], c.want[key]
		same := len(has) == len(want)
		for i := 0; same && i < len(has); i++ {
			same = c.notes[ofResult][has[i]].text == c.comment(want[i]).text
		}
		if !same {
			keys = append(keys, key)
		}
	}
	for key := range c.want {
		add(key)
	}
	for key := range c.bySlot[ofResult] {
		if _, ok := c.want[key]; !ok {
			add(key)
		}
	}
	slices.SortFunc(keys, func(a, b int) int {
		x, y := isAtEnd(a), isAtEnd(b)
		switch {
		case x && y:
			return cmp.Compare(b, a)
		case x:
			return 1
		case y:
			return -1
		}
		return cmp.Compare(a, b)
	})
	return keys
}

// isAtEnd reports whether a slot is at the end of a container or of the document, whose root is the
// first quad.
func isAtEnd(key int) bool { return relation(key%relations) == ending || key == int(behind) }

// noteMissing notes a conflict for each comment that is wanted, but is not in the written text.
func (c *commentMerger) noteMissing(written *side) {
	there := make(map[string]int, len(written.notes))
	for _, n := range written.notes {
		there[wordsOf(written.content[n.start:n.end])]++
	}
	for _, key := range slices.Sorted(maps.Keys(c.want)) {
		for _, w := range c.want[key] {
			if text := c.comment(w).text; there[text] > 0 {
				there[text]--
				continue
			}
			later, earlier := FieldText{Present: true}, c.textOf(w.side, w.of[w.side])
			if w.side == ofLater {
				later, earlier = earlier, FieldText{}
			}
			c.note(key/relations, c.textOf(ofBase, w.of[ofBase]), later, earlier)
		}
	}
}

// write returns the result's text with the comments that are wanted in some slots. That it says
// nothing else is for the caller to check, by reading it.
func (c *commentMerger) write(keys []int) []byte {
	w := noteWriter{commentMerger: c}
	for _, key := range keys {
		w.slot(key)
	}
	return w.apply()
}

// comment returns the comment that is wanted.
func (c *commentMerger) comment(of wanted) *comment { return &c.notes[of.side][of.of[of.side]] }

// has returns the comments of the result in a slot.
func (w *noteWriter) has(key int) []int { return w.bySlot[ofResult][key] }

// slot brings the comments of one slot to what is wanted.
func (w *noteWriter) slot(key int) {
	has, want := w.has(key), w.want[key]
	texts := make([]string, len(want))
	for i := range want {
		texts[i] = w.comment(want[i]).text
	}
	stays := commonTexts(textsOf(w.notes[ofResult], has), texts)
	var before *comment // in the result
	at := 0             // in want
	for i := 0; i <= len(has); {
		end, to := i, len(want)
		for end < len(has) && stays[end] < 0 {
			end++
		}
		var after *comment
		if end < len(has) {
			to, after = stays[end], &w.notes[ofResult][has[end]]
		}
		for ; i < end; i++ {
			n := &w.notes[ofResult][has[i]]
			if at < to {
				w.replace(n, want[at])
				before = n
				at++
			} else {
				w.remove(n)
			}
		}
		for ; at < to; at++ {
			w.insert(key, want[at], before, after)
		}
		before, at, i = after, to+1, end+1
	}
}

// lines returns a comment's text for a line that begins with indent.
func (w *noteWriter) lines(of wanted, indent string) string {
	n, from := w.comment(of), w.text(of.side)
	text := strings.ReplaceAll(string(from.content[n.start:n.end]), "\r\n", "\n")
	if !strings.Contains(text, "\n") {
		return text
	}
	strip := len(from.indentation(n.start))
	lines := strings.Split(text, "\n")
	for i := 1; i < len(lines); i++ {
		lines[i] = lines[i][min(strip, leading(lines[i])):]
		if lines[i] != "" {
			lines[i] = indent + lines[i]
		}
	}
	return strings.Join(lines, w.result.newline)
}

func (w *noteWriter) patch(start, end int, text string) {
	w.patches = append(w.patches, patch{start, end, text})
}

// replace puts a wanted comment in the place of one of the result.
func (w *noteWriter) replace(n *comment, by wanted) {
	indent := w.result.indentation(n.start)
	text := w.lines(by, indent)
	if !w.comment(by).block {
		if _, ok := w.result.tail(n.end); !ok {
			text += w.result.newline + indent
		}
	}
	w.patch(n.start, n.end, text)
}

// remove takes a comment out, with its line if that has nothing else.
func (w *noteWriter) remove(n *comment) {
	s := w.result
	after := skipBlank(s.content, n.end)
	endsLine := after == len(s.content) || s.content[after] == '\n' || s.content[after] == '\r'
	switch start := s.lineStart(n.start); {
	case endsLine && s.headsLine(n.start) && after == len(s.content):
		if before, ok := s.breakBefore(n.start); ok {
			start = before
		}
		w.patch(start, after, "")
	case endsLine && s.headsLine(n.start):
		end := lineEnd(s.content, after)
		if next, ok := s.tail(end); ok && n.owner == s.root && n.rel == above && end < len(s.content) && next == skipBlank(s.content, end) {
			end = lineEnd(s.content, next) // the blank line that parts the head of the document from the rest
		}
		w.patch(start, end, "")
	case endsLine:
		w.patch(trimBlank(s.content, n.start), n.end, "")
	case after == n.end:
		w.patch(trimBlank(s.content, n.start), n.end, "")
	default:
		w.patch(n.start, after, "")
	}
}

// insert puts a wanted comment into a slot, between two comments of the result that stay there, if
// there are such.
func (w *noteWriter) insert(key int, of wanted, before, after *comment) {
	s, at := w.result, relation(key%relations)
	n := w.quads[key/relations].nodes[ofResult]
	inFlow := n.inFlow || at != above && s.isBracketed(n)
	onLines := at == above || at == ending || at == behind && w.quads[key/relations].parent < 0
	switch {
	case onLines && after != nil && s.headsLine(after.start):
		indent := s.indentation(after.start)
		w.patch(s.lineStart(after.start), s.lineStart(after.start), indent+w.lines(of, indent)+s.newline)
	case onLines && before != nil && s.headsLine(before.start):
		indent := s.indentation(before.start)
		if end, ok := s.tail(before.end); ok {
			w.patch(end, end, s.newline+indent+w.lines(of, indent))
			return
		}
		w.insertInLine(before.end, of, inFlow)
	case key == int(behind) && before != nil:
		end, _ := s.tail(before.end)
		w.patch(end, end, s.newline+w.lines(of, ""))
	case after != nil:
		w.insertInLine(after.start, of, inFlow)
	case before != nil:
		w.insertBehind(before.end, of)
	default:
		w.insertFirst(n, at, of)
	}
}

// insertInLine puts a comment before what stands at an offset; inFlow says that this is in
// brackets.
func (w *noteWriter) insertInLine(at int, of wanted, inFlow bool) {
	s := w.result
	indent := s.indentation(at)
	switch {
	case s.headsLine(at):
	case s.syntax == YAML && !inFlow: // an entry beside the dash of its parent
		indent = strings.Repeat(" ", s.columnOf(at))
	default:
		indent += "  "
	}
	text := w.lines(of, indent)
	if at > 0 && bytes.IndexByte([]byte(" \t\n"), s.content[at-1]) < 0 {
		text = " " + text
	}
	if !w.comment(of).block {
		text += s.newline + indent
	} else {
		text += " "
	}
	w.patch(at, at, text)
}

// insertBehind puts a comment behind what ends at an offset; what follows on the line comes to
// another, if it must.
func (w *noteWriter) insertBehind(at int, of wanted) {
	s := w.result
	indent := s.indentation(at)
	text := " " + w.lines(of, indent)
	if at > 0 && (s.content[at-1] == ' ' || s.content[at-1] == '\t') {
		text = text[1:]
	}
	if !w.comment(of).block {
		end, ok := s.tail(at)
		if !ok {
			w.patch(at, skipBlank(s.content, at), text+s.newline+indent+"  ")
			return
		}
		at = trimBlank(s.content, end)
	}
	w.patch(at, at, text)
}

// insertFirst puts a comment into a slot of a value that has none there. Where the value's
// layout has no such slot, it takes the nearest.
func (w *noteWriter) insertFirst(n *node, at relation, of wanted) {
	s := w.result
	bracketed := s.isBracketed(n)
	switch at {
	case above:
		w.insertAbove(n, of)
	case inside:
		switch {
		case bracketed && len(n.kids) == 0:
			w.insertFirst(n, ending, of)
		case bracketed:
			w.insertBehind(n.body+1, of)
		case n.block && (n != s.root || n.props > n.start):
			at := w.headerEnd(n)
			if n.isContainer() && s.lineOf(at) == s.lineOf(n.body) { // what is beside the dash comes to a line
				indent := strings.Repeat(" ", s.columnOf(n.body))
				w.patch(at, n.body, " "+w.lines(of, indent)+s.newline+indent)
				return
			}
			w.insertBehind(at, of)
		case n == s.root:
			w.insertAbove(n, of)
		case !w.comment(of).block || s.syntax == YAML:
			w.insertFirst(n, behind, of)
		default:
			w.insertInLine(n.body, of, n.inFlow)
		}
	case behind:
		switch {
		case n == s.root && !bracketed:
			w.insertFirst(n, ending, of)
		case n == s.root && (w.want[int(behind)][0] != of || w.text(of.side).headsLine(w.comment(of).start)):
			end, _ := s.tail(n.end)
			w.patch(end, end, s.newline+w.lines(of, ""))
		case n.block:
			w.insertFirst(n, inside, of)
		case s.isBare(n):
			w.insertAbove(n, of)
		default:
			at := w.behindComma(n)
			if _, ok := s.tail(at); !ok && w.comment(of).block {
				at = n.end // behind the comma it would be the next one's
			}
			w.insertBehind(at, of)
		}
	case ending:
		w.insertAtEnd(n, of)
	}
}

// headerEnd returns where the header of a value in block style ends, which is on the line of its
// key or dash.
func (w *noteWriter) headerEnd(n *node) int {
	if n.isContainer() {
		return n.header()
	}
	_, end, _ := w.result.valueParts(n)
	return end
}

// behindComma returns the offset behind a value of the result and behind its comma, if that is
// on the same line.
func (w *noteWriter) behindComma(n *node) int {
	s := w.result
	at := w.quads[n.quad]
	if at.parent < 0 {
		return n.end
	}
	parent := w.quads[at.parent].nodes[ofResult]
	next := parent.end
	if at.index+1 < len(parent.kids) {
		next = parent.kids[at.index+1].entry
	}
	if comma := s.comma(n.end, next); comma >= 0 && s.lineOf(comma) == s.lineOf(n.end) && !parent.block {
		return comma + 1
	}
	return n.end
}

// insertAbove puts a comment before a member or item, or at the head of the document.
func (w *noteWriter) insertAbove(n *node, of wanted) {
	s := w.result
	if n != s.root {
		if !s.headsLine(n.entry) {
			w.insertInLine(n.entry, of, n.inFlow)
			return
		}
		indent := s.indentation(n.entry)
		w.patch(s.lineStart(n.entry), s.lineStart(n.entry), indent+w.lines(of, indent)+s.newline)
		return
	}
	at := s.lineStart(n.start)
	if c := w.comment(of); c.block && s.lineStart(n.start) == n.start {
		if from := w.text(of.side); from.lineOf(c.end) == from.lineOf(from.root.start) {
			w.insertInLine(at, of, false)
			return
		}
	}
	text := w.lines(of, "") + s.newline
	if !s.isBracketed(n) && n.props == n.start {
		text += s.newline // a blank line parts it from the first entry
	}
	w.patch(at, at, text)
}

// insertAtEnd puts a comment at the end of a container of the result, or above what is none.
func (w *noteWriter) insertAtEnd(n *node, of wanted) {
	s := w.result
	if !n.isContainer() {
		w.insertAbove(n, of)
		return
	}
	if !s.isBracketed(n) {
		indent, end := strings.Repeat(" ", s.columnOf(n.kids[0].entry)), n.end
		if s.syntax == HJSON {
			end = n.kids[len(n.kids)-1].end
		}
		at, _ := s.tail(end)
		w.patch(at, at, s.newline+indent+w.lines(of, indent))
		return
	}
	closing := n.end - 1
	own := s.indentation(n.body)
	indent := own + "  "
	for i := range n.kids {
		if s.headsLine(n.kids[i].entry) {
			indent = s.indentation(n.kids[i].entry)
			break
		}
	}
	from := trimBlank(s.content, closing)
	switch {
	case s.headsLine(closing):
		w.patch(s.lineStart(closing), s.lineStart(closing), indent+w.lines(of, indent)+s.newline)
	case !w.comment(of).block && len(n.kids) == 0:
		w.patch(from, closing, s.newline+indent+w.lines(of, indent)+s.newline+own)
	case !w.comment(of).block:
		w.patch(from, closing, " "+w.lines(of, indent)+s.newline+own)
	default:
		w.patch(from, closing, " "+w.lines(of, indent)+" ")
	}
}

// apply makes the patches. What two of them take out is taken out once.
func (w *noteWriter) apply() []byte {
	slices.SortStableFunc(w.patches, func(a, b patch) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	src := w.result.content
	var out bytes.Buffer
	at := 0
	for _, p := range w.patches {
		if p.start > at {
			out.Write(src[at:p.start])
			at = p.start
		}
		out.WriteString(p.text)
		at = max(at, p.end)
	}
	out.Write(src[at:])
	return out.Bytes()
}

package definition

import (
	"bytes"
	"slices"
	"strings"
)

// enclosure is a container of the later side in brackets or braces or, as HJSON's root may
// be, in nothing; its kids are separated by commas or, in HJSON, by line ends.
type enclosure struct {
	*splicer
	*revision

	src         []byte // the later side's
	open, close int    // from where to where its inside is
	bare        bool   // it has no brackets
	commas      []int  // the comma behind each kid, or -1
	wantsCommas bool   // commas separate the kids
	trailing    bool   // the last kid has a comma too
	gap         string // what follows a comma inside a line
	filled      bool   // something is inserted before the first kid
	followed    []bool // whether a kid that stays follows each kid on its line
}

// enclosed makes a revision in such a container.
func (s *splicer) enclosed(r *revision) {
	c := &enclosure{splicer: s, revision: r, src: s.later.content}
	c.open, c.close = r.container.body+1, r.container.end-1
	if first := c.src[r.container.body]; first != '{' && first != '[' {
		c.open, c.close, c.bare = r.container.body, r.container.end, true
	}
	c.findCommas()

	behind := make([][]int, len(r.fates)+1) // what is inserted before the first kid, behind it, and so on
	for _, in := range r.insertions {
		behind[in.after+1] = append(behind[in.after+1], in.kid)
	}
	last := -1 // the last kid that stays
	c.followed = make([]bool, len(r.fates))
	for i := len(r.fates) - 1; i >= 0; i-- {
		if !r.fates[i].removed {
			last = max(last, i)
		}
		if i+1 < len(r.fates) {
			next := &r.container.kids[i+1]
			stays, until := true, next.entry
			if r.fates[i+1].removed {
				stays, until = c.followed[i+1], next.end
			}
			c.followed[i] = stays && bytes.IndexByte(c.src[r.container.kids[i].end:until], '\n') < 0
		}
	}
	if c.filled = len(behind[0]) > 0; c.filled {
		c.insertFirst(behind[0], last >= 0)
	}
	for i := range r.fates {
		if r.fates[i].removed {
			c.remove(i)
			continue
		}
		inserted := behind[i+1]
		line := c.ownLineBehind(i)
		c.keep(i, len(inserted) > 0 && (c.wantsCommas || !line), i == last && len(inserted) == 0)
		if len(inserted) > 0 {
			c.insertBehind(i, inserted, line, i < last)
		}
	}
}

// findCommas finds out how the kids are separated.
func (c *enclosure) findCommas() {
	kids := c.container.kids
	c.commas = c.later.commas(kids, c.close)
	c.gap = " "
	for i, at := range slices.Backward(c.commas) {
		if at < 0 {
			continue
		}
		c.wantsCommas = true
		if next := skipBlank(c.src, at+1); i < len(kids)-1 && next == kids[i+1].entry {
			c.gap = string(c.src[at+1 : next])
		}
	}
	switch {
	case len(kids) > 0:
		c.trailing = c.commas[len(kids)-1] >= 0
		if len(kids) > 1 || c.wantsCommas {
			return
		}
		fallthrough
	default: // no kid tells
		e := c.source
		c.wantsCommas = c.later.syntax != HJSON || len(e.kids) < 2 ||
			c.earlier.commas(e.kids, e.end)[0] >= 0
	}
}

// commas returns where the comma behind each of a container's kids is, or -1.
func (s *side) commas(kids []node, end int) []int {
	at := make([]int, len(kids))
	for i := range kids {
		next := end
		if i+1 < len(kids) {
			next = kids[i+1].entry
		}
		at[i] = s.comma(kids[i].end, next)
	}
	return at
}

// behind returns the offset behind a kid and its comma, if that is on the same line.
func (c *enclosure) behind(i int) int {
	end, comma := c.container.kids[i].end, c.commas[i]
	if comma >= 0 && bytes.IndexByte(c.src[end:comma], '\n') < 0 {
		return comma + 1
	}
	return end
}

// ownLineBehind reports whether what is inserted behind a kid gets a line of its own.
func (c *enclosure) ownLineBehind(i int) bool {
	kids := c.container.kids
	if _, ok := c.later.tail(max(c.behind(i), c.commas[i]+1)); !ok {
		return false
	}
	return c.later.headsLine(kids[i].entry) || i+1 < len(kids) && c.later.headsLine(kids[i+1].entry) ||
		c.later.isBare(&kids[i])
}

// isBare reports whether a value is a string of HJSON without quotes, which takes all
// of its line.
func (s *side) isBare(n *node) bool {
	return s.syntax == HJSON && n.kind == String && s.content[n.start] != '"' && s.content[n.start] != '\''
}

// keep writes the value of a kid that stays, and its comma: comma says that it needs one
// if it has none, last that it needs none.
func (c *enclosure) keep(i int, comma, last bool) {
	kid, by := &c.container.kids[i], c.fates[i].by
	bare := c.later.isBare(kid)
	if by != nil {
		bare = c.earlier.isBare(by)
		indent := c.later.indentation(kid.start)
		var text string
		if c.earlier.needsLine(by) && !c.later.headsLine(kid.entry) {
			text = c.later.newline + indent + c.text(by, by.start, indent, len(indent))
		} else {
			text = c.text(by, by.start, indent, c.later.columnOf(kid.start))
		}
		if bare && !c.endsLine(i) {
			text += c.later.newline + indent
		}
		if kid.start == kid.end { // an empty value of YAML, directly behind its colon
			text = " " + text
		}
		c.patch(kid.start, kid.end, text)
	}
	switch at := c.commas[i]; {
	case at >= 0 && (by != nil && bare || last && !c.trailing):
		c.patch(at, at+1, "")
	case at < 0 && comma && !bare:
		c.patch(kid.end, kid.end, ",")
	}
}

// endsLine reports whether nothing but a comma is behind a kid on its line.
func (c *enclosure) endsLine(i int) bool {
	at := skipBlank(c.src, c.container.kids[i].end)
	if at == c.commas[i] {
		at = skipBlank(c.src, at+1)
	}
	return at == len(c.src) || c.src[at] == '\n' || c.src[at] == '\r'
}

// text returns the earlier side's text from an offset up to the end of n.
func (c *enclosure) text(n *node, from int, indent string, column int) string {
	e := c.earlier
	if e.syntax == YAML && !n.inFlow { // its text may need lines of its own, which brackets do not give
		if from < n.start {
			return e.flowEntry(n, Object)
		}
		return e.flowText(n)
	}
	if bytes.IndexByte(e.content[from:n.end], '\n') < 0 {
		return string(e.content[from:n.end])
	}
	return e.piece(n, from, len(e.indentation(from)), indent, column)
}

// entry returns the text of an insertion: a kid of the earlier side with its key. comma says whether a comma must follow it.
func (c *enclosure) entry(i int, indent string, line, comma bool) string {
	kid := &c.source.kids[i]
	from := kid.entry
	if c.container.kind == Array {
		from = kid.start // without a dash
	}
	text := c.text(kid, from, indent, len(indent))
	if comma && !c.earlier.isBare(kid) {
		text += ","
	}
	if line {
		return text
	}
	if c.earlier.needsLine(kid) {
		text = c.later.newline + indent + text
	}
	if c.earlier.isBare(kid) {
		text += c.later.newline + indent
	}
	return text
}

// remove takes a kid out with its comma, and with its line if that has nothing else but
// a comment behind the kid.
func (c *enclosure) remove(i int) {
	kids := c.container.kids
	kid, end := &kids[i], c.behind(i)
	if end <= c.commas[i] { // the comma is on another line
		c.patch(c.commas[i], c.commas[i]+1, "")
	}
	if tail, ok := c.later.tail(end); ok && c.later.headsLine(kid.entry) {
		c.removeLines(kid.entry, tail)
		return
	}
	switch {
	case c.followed[i]:
		c.patch(kid.entry, skipBlank(c.src, end), "")
	case i == 0 && c.filled: // what was inserted stands where this did
		c.patch(kid.entry, end, "")
	default:
		c.patch(trimBlank(c.src, kid.entry), end, "")
	}
}

// insertBehind inserts kids of the earlier side behind a kid that stays; more says that
// another one of the later side follows.
func (c *enclosure) insertBehind(i int, inserted []int, line, more bool) {
	at, indent := max(c.behind(i), c.commas[i]+1), c.later.indentation(c.container.kids[i].entry)
	gap := c.gap
	if line {
		at, _ = c.later.tail(at)
		indent = c.lineIndent(i, inserted[0])
		gap = c.later.newline + indent
	}
	for j, kid := range inserted {
		comma := (c.wantsCommas || !line) && (j+1 < len(inserted) || more || c.trailing)
		c.patch(at, at, gap+c.entry(kid, indent, line, comma))
	}
}

// lineIndent returns the indentation of lines that are inserted near a kid of the later
// side.
func (c *enclosure) lineIndent(near, inserted int) string {
	kids := c.container.kids
	for _, i := range []int{near, near + 1, 0} {
		if i >= 0 && i < len(kids) && c.later.headsLine(kids[i].entry) {
			return c.later.indentation(kids[i].entry)
		}
	}
	own := c.later.indentation(c.container.body)
	if entry := c.source.kids[inserted].entry; c.earlier.headsLine(entry) {
		parent := c.earlier.indentation(c.source.body)
		if step, ok := strings.CutPrefix(c.earlier.indentation(entry), parent); ok {
			return own + step
		}
	}
	return own + "  "
}

// insertFirst inserts kids of the earlier side before all that stay; more says that there
// are such.
func (c *enclosure) insertFirst(inserted []int, more bool) {
	kids := c.container.kids
	if len(kids) == 0 {
		c.fill(inserted)
		return
	}
	line := c.later.headsLine(kids[0].entry)
	indent, gap := c.later.indentation(c.container.body), c.gap
	if line {
		indent = c.lineIndent(0, inserted[0])
		gap = c.later.newline + indent
	}
	texts := make([]string, len(inserted))
	for j, kid := range inserted {
		comma := (c.wantsCommas || !line) && (j+1 < len(inserted) || more || c.trailing)
		texts[j] = c.entry(kid, indent, line, comma)
	}
	text := strings.Join(texts, gap)
	tail, ok := c.later.tail(c.open)
	switch {
	case line && ok && !c.bare:
		c.patch(tail, tail, gap+text)
	case line:
		c.insertAbove(kids[0].entry, indent+text)
	case more && !c.earlier.isBare(&c.source.kids[inserted[len(inserted)-1]]):
		c.patch(kids[0].entry, kids[0].entry, text+gap)
	default:
		c.patch(kids[0].entry, kids[0].entry, text)
	}
}

// fill inserts kids of the earlier side into a container that has none: on lines, if they
// are on lines there.
func (c *enclosure) fill(inserted []int) {
	tail, ok := c.later.tail(c.open)
	empty := len(bytes.Trim(c.src[c.open:c.close], " \t")) == 0 // no comment is inside, and no line break
	own := c.later.indentation(c.container.body)
	end := c.open
	if empty {
		end = c.close
	}
	line := (ok || empty) && !c.source.block && c.earlier.headsLine(c.source.kids[inserted[0]].entry)
	indent, gap := own, c.gap
	if line {
		indent = c.lineIndent(0, inserted[0])
		gap = c.later.newline + indent
	}
	texts := make([]string, len(inserted))
	for j, kid := range inserted {
		texts[j] = c.entry(kid, indent, line, (c.wantsCommas || !line) && j+1 < len(inserted))
	}
	text := strings.Join(texts, gap)
	switch {
	case line && empty:
		c.patch(c.open, c.close, gap+text+c.later.newline+own)
	case line:
		c.patch(tail, tail, gap+text)
	case c.source.block:
		c.patch(c.open, end, text)
	default:
		inside := c.source.body + 1
		pad := string(c.earlier.content[inside:skipBlank(c.earlier.content, inside)])
		text = pad + text
		if !c.earlier.isBare(&c.source.kids[inserted[len(inserted)-1]]) {
			text += pad
		}
		c.patch(c.open, end, text)
	}
}

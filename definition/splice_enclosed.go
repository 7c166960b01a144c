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
	src         []byte
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
	c.open, c.close = r.later.body+1, r.later.end-1
	if first := c.src[r.later.body]; first != '{' && first != '[' {
		c.open, c.close, c.bare = r.later.body, r.later.end, true
	}
	c.findCommas()

	behind := make([][]*node, len(r.fates)+1) // the insertions before the first kid, behind it, and so on
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
			next := &r.later.kids[i+1]
			stays, until := true, next.entry
			if r.fates[i+1].removed {
				stays, until = c.followed[i+1], next.end
			}
			c.followed[i] = stays && bytes.IndexByte(c.src[r.later.kids[i].end:until], '\n') < 0
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
	kids := c.revision.later.kids
	c.commas = c.splicer.later.commas(kids, c.close)
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
		e := c.revision.earlier
		c.wantsCommas = c.splicer.later.syntax != HJSON || len(e.kids) < 2 ||
			c.splicer.earlier.commas(e.kids, e.end)[0] >= 0
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
	end, comma := c.revision.later.kids[i].end, c.commas[i]
	if comma >= 0 && bytes.IndexByte(c.src[end:comma], '\n') < 0 {
		return comma + 1
	}
	return end
}

// ownLineBehind reports whether what is inserted behind a kid gets a line of its own.
func (c *enclosure) ownLineBehind(i int) bool {
	kids := c.revision.later.kids
	if _, ok := c.splicer.later.tail(max(c.behind(i), c.commas[i]+1)); !ok {
		return false
	}
	return headsLine(c.src, kids[i].entry) || i+1 < len(kids) && headsLine(c.src, kids[i+1].entry) ||
		c.splicer.later.isBare(&kids[i])
}

// isBare reports whether a value is a string of HJSON without quotes, which takes all
// of its line.
func (s *side) isBare(n *node) bool {
	return s.syntax == HJSON && n.kind == String && s.content[n.start] != '"' && s.content[n.start] != '\''
}

// keep writes the value of a kid that stays, and its comma: comma says that it needs one
// if it has none, last that it needs none.
func (c *enclosure) keep(i int, comma, last bool) {
	kid, by := &c.revision.later.kids[i], c.fates[i].by
	bare := c.splicer.later.isBare(kid)
	if by != nil {
		bare = c.splicer.earlier.isBare(by)
		indent := indentation(c.src, kid.start)
		var text string
		if c.splicer.earlier.needsLine(by) && !headsLine(c.src, kid.entry) {
			text = c.splicer.later.newline + indent + c.text(by, by.start, indent, len(indent))
		} else {
			text = c.text(by, by.start, indent, columnOf(c.src, kid.start))
		}
		if bare && !c.endsLine(i) {
			text += c.splicer.later.newline + indent
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
	at := skipBlank(c.src, c.revision.later.kids[i].end)
	if at == c.commas[i] {
		at = skipBlank(c.src, at+1)
	}
	return at == len(c.src) || c.src[at] == '\n' || c.src[at] == '\r'
}

// text returns the earlier side's text from an offset up to the end of n.
func (c *enclosure) text(n *node, from int, indent string, column int) string {
	if n.block {
		c.failed = true // it needs lines of its own, which brackets do not give
	}
	e := c.splicer.earlier
	if bytes.IndexByte(e.content[from:n.end], '\n') < 0 {
		return string(e.content[from:n.end])
	}
	return e.piece(n, from, len(indentation(e.content, from)), indent, column)
}

// entry returns the text of an insertion: a kid of the earlier side with its key.
func (c *enclosure) entry(n *node, indent string, column int) string {
	if c.revision.later.kind == Array {
		return c.text(n, n.start, indent, column)
	}
	return c.text(n, n.entry, indent, column)
}

// remove takes a kid out with its comma, and with its line if that has nothing else but
// a comment behind the kid.
func (c *enclosure) remove(i int) {
	kids := c.revision.later.kids
	kid, end := &kids[i], c.behind(i)
	if end <= c.commas[i] { // the comma is on another line
		c.patch(c.commas[i], c.commas[i]+1, "")
	}
	if tail, ok := c.splicer.later.tail(end); ok && headsLine(c.src, kid.entry) {
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
func (c *enclosure) insertBehind(i int, kids []*node, line, more bool) {
	at, indent := max(c.behind(i), c.commas[i]+1), indentation(c.src, c.revision.later.kids[i].entry)
	if line {
		at, _ = c.splicer.later.tail(at)
		indent = c.lineIndent(i, kids[0])
	}
	var b strings.Builder
	for j, kid := range kids {
		if line || c.splicer.earlier.needsLine(kid) {
			b.WriteString(c.splicer.later.newline + indent)
		} else {
			b.WriteString(c.gap)
		}
		b.WriteString(c.entry(kid, indent, len(indent)))
		bare := c.splicer.earlier.isBare(kid)
		switch {
		case bare && !line:
			b.WriteString(c.splicer.later.newline + indent)
		case !bare && (c.wantsCommas || !line) && (j+1 < len(kids) || more || c.trailing):
			b.WriteByte(',')
		}
	}
	c.patch(at, at, b.String())
}

// lineIndent returns the indentation of lines that are inserted near a kid of the later
// side.
func (c *enclosure) lineIndent(near int, inserted *node) string {
	kids := c.revision.later.kids
	for _, i := range []int{near, near + 1, 0} {
		if i >= 0 && i < len(kids) && headsLine(c.src, kids[i].entry) {
			return indentation(c.src, kids[i].entry)
		}
	}
	own := indentation(c.src, c.revision.later.body)
	src := c.splicer.earlier.content
	if headsLine(src, inserted.entry) {
		parent := indentation(src, c.revision.earlier.body)
		if step, ok := strings.CutPrefix(indentation(src, inserted.entry), parent); ok {
			return own + step
		}
	}
	return own + "  "
}

// insertFirst inserts kids of the earlier side before all that stay; more says that there
// are such.
func (c *enclosure) insertFirst(inserted []*node, more bool) {
	kids, nl := c.revision.later.kids, c.splicer.later.newline
	e := c.splicer.earlier
	tail, ok := c.splicer.later.tail(c.open)
	empty := len(bytes.Trim(c.src[c.open:c.close], " \t")) == 0
	line := len(kids) > 0 && headsLine(c.src, kids[0].entry) ||
		len(kids) == 0 && (ok || empty) && headsLine(e.content, inserted[0].entry)
	indent := indentation(c.src, c.revision.later.body)
	if line {
		indent = c.lineIndent(0, inserted[0])
	}
	texts := make([]string, len(inserted))
	bare := false // the last of texts
	for j, kid := range inserted {
		texts[j] = c.entry(kid, indent, len(indent))
		if !line && e.needsLine(kid) {
			texts[j] = nl + indent + texts[j]
		}
		bare = e.isBare(kid)
		switch {
		case bare && !line:
			texts[j] += nl + indent
		case !bare && (c.wantsCommas || !line) && (j+1 < len(inserted) || more || c.trailing):
			texts[j] += ","
		}
	}
	switch {
	case len(kids) == 0 && empty && line:
		c.patch(c.open, c.close, nl+indent+strings.Join(texts, nl+indent)+nl+indentation(c.src, c.revision.later.body))
	case len(kids) == 0 && !line:
		inside := c.revision.earlier.body + 1
		pad := string(e.content[inside:skipBlank(e.content, inside)])
		text, end := pad+strings.Join(texts, c.gap), c.open
		if !bare {
			text += pad
		}
		if empty {
			end = c.close
		}
		c.patch(c.open, end, text)
	case line && ok && !c.bare:
		c.patch(tail, tail, nl+indent+strings.Join(texts, nl+indent))
	case line:
		c.insertAbove(kids[0].entry, indent+strings.Join(texts, nl+indent))
	default:
		text := strings.Join(texts, c.gap)
		if more && !bare {
			text += c.gap
		}
		c.patch(kids[0].entry, kids[0].entry, text)
	}
}

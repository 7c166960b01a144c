package definition

import (
	"bytes"
	"strings"
)

// relation is where a comment is at the member, item or document that it belongs to.
type relation uint8

const (
	above     relation = iota // before it; of the root, at the head of the document
	inside                    // between its key and its value, or behind the bracket that opens it
	behind                    // behind it, on its line; of the root, at the tail of the document
	ending                    // before the end of a container, and anywhere in an empty one
	relations = 4
)

// comment is one comment of a text.
type comment struct {
	span
	text  string // its words, see wordsOf
	block bool   // it is in /* and */, the others take the rest of their line
	owner *node
	rel   relation
}

// key tells the slots of one merge apart, once the owner has its quad.
func (c *comment) key() int { return c.owner.quad*relations + int(c.rel) }

// attacher finds out what the comments of a text belong to. It walks the values and the
// comments side by side, in the order of the text.
type attacher struct {
	side     *side
	rest     []span // the comments that are not attached yet
	comments []comment
}

// attach returns the comments of a text, in their order.
func (s *side) attach() []comment {
	if s.root == nil || len(s.notes) == 0 {
		return nil
	}
	a := attacher{side: s, rest: s.notes, comments: make([]comment, 0, len(s.notes))}
	root := s.root
	if root.isContainer() && !s.isBracketed(root) && root.props == root.start && len(root.kids) > 0 {
		// Nothing but a blank line parts the head of the document from its first entry.
		for i, c := range s.notes {
			next := root.start
			if i+1 < len(s.notes) {
				next = min(next, s.notes[i+1].start)
			}
			if c.start < root.start && s.lineOf(next) > s.lineOf(c.end)+1 {
				a.upTo(next, root, above)
			}
		}
		a.upTo(root.start, &root.kids[0], above)
	}
	a.upTo(root.start, root, above)
	a.value(root, -1)
	a.upTo(len(s.content)+1, root, behind)
	return a.comments
}

// isBracketed reports whether a container of s is in brackets or braces.
func (s *side) isBracketed(n *node) bool {
	return n.isContainer() && !n.block && (s.content[n.body] == '{' || s.content[n.body] == '[')
}

// next returns the next comment that begins before an offset.
func (a *attacher) next(until int) (c span, ok bool) {
	if len(a.rest) == 0 || a.rest[0].start >= until {
		return span{}, false
	}
	return a.rest[0], true
}

// take attaches the next comment.
func (a *attacher) take(owner *node, at relation) {
	c := a.rest[0]
	a.rest = a.rest[1:]
	text := a.side.content[c.start:c.end]
	a.comments = append(a.comments, comment{c, wordsOf(text), bytes.HasPrefix(text, []byte("/*")), owner, at})
}

// upTo attaches all comments that begin before an offset.
func (a *attacher) upTo(until int, owner *node, at relation) {
	for _, ok := a.next(until); ok; _, ok = a.next(until) {
		a.take(owner, at)
	}
}

// wordsOf returns what a comment says: its lines without the white space around them, and
// without the marks of comments. Comments of equal words are equal.
func wordsOf(comment []byte) string {
	switch {
	case bytes.HasPrefix(comment, []byte("/*")):
		comment = bytes.TrimSuffix(comment[2:], []byte("*/"))
	case bytes.HasPrefix(comment, []byte("//")):
		comment = comment[2:]
	default:
		comment = comment[1:]
	}
	comment = bytes.TrimSpace(comment)
	if bytes.IndexByte(comment, '\n') < 0 {
		return string(comment)
	}
	lines := strings.Split(string(comment), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// value attaches what is before and in a value. The next entry of a container in block style that
// holds it begins at following, which is -1 if there is none.
func (a *attacher) value(n *node, following int) {
	s := a.side
	switch {
	case !n.isContainer():
		a.upTo(n.end, n, inside)
	case s.isBracketed(n):
		a.upTo(n.body, n, inside)
		first, line := n.end-1, s.lineOf(n.body)
		if len(n.kids) > 0 {
			first = n.kids[0].entry
		}
		for c, ok := a.next(first); ok && s.lineOf(c.start) == line && s.lineOf(c.end) < s.lineOf(first); c, ok = a.next(first) {
			a.take(n, inside)
		}
		a.kids(n, n.end-1)
		a.upTo(n.end-1, n, ending)
	case n.block:
		line := s.lineOf(n.header())
		for c, ok := a.next(n.body); ok && s.lineOf(c.start) == line; c, ok = a.next(n.body) {
			a.take(n, inside)
		}
		a.kids(n, following)
		if n != s.root { // whose end is that of the document
			a.ending(n, following)
		}
	default: // an object of HJSON without braces
		a.kids(n, -1)
	}
}

// header returns where what a container in block style has on the line of its key or dash ends.
func (n *node) header() int {
	if n.props > n.start || n.after == 0 {
		return n.props
	}
	return n.after
}

// kids attaches what belongs to the kids of a container. What follows the last one begins at
// following, which is -1 if that is nothing.
func (a *attacher) kids(n *node, following int) {
	for i := range n.kids {
		kid, next := &n.kids[i], following
		a.upTo(kid.entry, kid, above)
		if i+1 < len(n.kids) {
			next = n.kids[i+1].entry
		}
		a.value(kid, next)
		if next < 0 {
			next = len(a.side.content) + 1
		}
		a.behind(kid, next, i+1 < len(n.kids))
	}
}

// behind attaches what is behind a kid on its line. Behind its comma and directly before the
// next kid is that one's.
func (a *attacher) behind(kid *node, next int, isKid bool) {
	s := a.side
	at, line, comma := kid.end, s.lineOf(kid.end), false
	for c, ok := a.next(next); ok && s.lineOf(c.start) == line; c, ok = a.next(next) {
		comma = comma || bytes.IndexByte(s.content[at:c.start], ',') >= 0
		if comma && isKid && s.lineOf(c.end) == s.lineOf(next) {
			return
		}
		a.take(kid, behind)
		at = c.end
	}
}

// ending attaches what is at the end of a container in block style: what is indented as its
// entries are, and more than the entry that follows.
func (a *attacher) ending(n *node, following int) {
	s := a.side
	column, least := s.columnOf(n.kids[0].entry), 0
	if following >= 0 {
		least = s.columnOf(following) + 1
	} else {
		following = len(s.content) + 1
	}
	for c, ok := a.next(following); ok && s.headsLine(c.start) && s.columnOf(c.start) >= max(column, least); c, ok = a.next(following) {
		a.take(n, ending)
	}
}

package definition

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// errExtent is why a YAML document has values whose text cannot be delimited.
var errExtent = errors.New("the extent of a value in the text is not certain")

// yamlLocator finds the extents of YAML values. The library says what there is and where it
// begins, but not where it ends. The ends follow from YAML's grammar and what is known
// already: the locator walks the tree in the order of the text and expects at each place
// what must be there. What it passes over between values are the comments. Explicit keys
// ("? key") and pairs in brackets without braces ([a: b]) are not followed.
type yamlLocator struct {
	src      []byte
	at       int
	lines    []int  // where each line begins
	comments []span // up to at
	reason   string // why the text is not as expected, if it can be said

	// The last place that offset was asked for.
	line, column, found int
}

// locateYAML fills in the extents below root, the node of the value that tree stands
// for in content, and returns the comments. The error wraps errExtent.
func locateYAML(root *node, tree *yaml.Node, content []byte) ([]span, error) {
	l := &yamlLocator{src: content, lines: []int{0}}
	if bytes.HasPrefix(content, []byte(byteOrderMark)) {
		l.lines[0] = len(byteOrderMark) // the library does not count it
	}
	for i := range content {
		switch c := content[i]; {
		case c == '\n':
			l.lines = append(l.lines, i+1)
		case c == '\r' && !bytes.HasPrefix(content[i+1:], []byte{'\n'}),
			c >= utf8.RuneSelf && isYAMLBreak(content[i:]):
			return nil, fmt.Errorf("locate YAML values: %w: unusual line breaks", errExtent)
		}
	}
	l.prologue(l.offset(tree))
	if !l.value(root, tree, -1, false) {
		line, column := position(content, min(l.at, len(content)))
		if l.reason != "" {
			return nil, fmt.Errorf("locate YAML values: line %d, column %d: %s: %w", line, column, l.reason, errExtent)
		}
		return nil, fmt.Errorf("locate YAML values: line %d, column %d: %w", line, column, errExtent)
	}
	for l.space(); bytes.HasPrefix(l.src[l.at:], []byte("...")); l.space() {
		l.at += len("...")
	}
	return l.comments, nil
}

// prologue walks the directives, the comments and the --- that may be before the root, which
// begins at an offset.
func (l *yamlLocator) prologue(root int) {
	for l.at = l.lines[0]; l.at < root; l.at++ {
		if c := l.src[l.at]; c == '#' && (l.at == l.lines[0] || bytes.IndexByte([]byte(" \t\r\n"), l.src[l.at-1]) >= 0) {
			l.space()
			l.at-- // at what is behind the comment
		}
	}
	l.at = root
}

// isYAMLBreak reports whether text begins with one of the line breaks of YAML 1.1
// outside ASCII: NEL, LS, PS.
func isYAMLBreak(text []byte) bool {
	r, _ := utf8.DecodeRune(text)
	return r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// offset returns where a node begins. Nodes are asked for in the order of the text.
func (l *yamlLocator) offset(t *yaml.Node) int {
	if t.Line < 1 || t.Line > len(l.lines) {
		return len(l.src)
	}
	if t.Line != l.line || t.Column < l.column {
		l.line, l.column, l.found = t.Line, 1, l.lines[t.Line-1]
	}
	for ; l.column < t.Column; l.column++ {
		_, size := utf8.DecodeRune(l.src[l.found:])
		l.found += size
	}
	return l.found
}

// value locates the value that the locator stands at. Its parent in block style, if it
// has one, is indented by indent columns, else indent is -1. It reports false if the
// text is not as expected.
func (l *yamlLocator) value(n *node, t *yaml.Node, indent int, flow bool) bool {
	if l.at != l.offset(t) {
		return false
	}
	n.start, n.inFlow = l.at, flow
	if t.Kind == yaml.AliasNode {
		return l.alias(n, t)
	}
	if !l.properties(t, flow) {
		return false
	}
	n.anchored = t.Anchor != ""
	n.anchors = n.anchored
	n.props, n.body, n.end = l.at, l.at, l.at
	if t.Kind == yaml.ScalarNode && t.Value == "" && t.Style&^yaml.TaggedStyle == 0 {
		return true // no text
	}
	if n.props > n.start {
		l.space()
	}
	n.body = l.at
	ok := false
	switch {
	case t.Kind == yaml.ScalarNode:
		ok = l.scalar(n, t, indent, flow)
	case t.Style&yaml.FlowStyle != 0:
		ok = l.flow(n, t)
	case t.Kind == yaml.MappingNode:
		n.block = true
		ok = l.mapping(n, t)
	case t.Kind == yaml.SequenceNode:
		n.block = true
		ok = l.sequence(n, t)
	}
	n.end = l.at
	for i := range n.kids {
		n.anchors = n.anchors || n.kids[i].anchors
	}
	return ok
}

// properties skips the tag and the anchor of a node, in either order.
func (l *yamlLocator) properties(t *yaml.Node, flow bool) bool {
	for tagged, anchored := t.Style&yaml.TaggedStyle != 0, t.Anchor != ""; tagged || anchored; {
		switch {
		case tagged && l.peek() == '!':
			l.tag(flow)
			tagged = false
		case anchored && bytes.HasPrefix(l.src[l.at:], []byte("&"+t.Anchor)):
			l.at += len("&" + t.Anchor)
			anchored = false
		default:
			return false
		}
		if tagged || anchored {
			l.space()
		}
	}
	return true
}

// alias locates an alias. What it refers to has its text elsewhere: here it has no kids.
func (l *yamlLocator) alias(n *node, t *yaml.Node) bool {
	if !bytes.HasPrefix(l.src[l.at:], []byte("*"+t.Value)) {
		return false
	}
	n.props, n.body = l.at, l.at
	l.at += len("*" + t.Value)
	n.end = l.at
	n.alias, n.anchored, n.anchors = true, true, true
	n.kids, n.collection = nil, 0
	return true
}

// mapping locates a mapping in block style.
func (l *yamlLocator) mapping(n *node, t *yaml.Node) bool {
	for i := range n.kids {
		kid := &n.kids[i]
		if i > 0 {
			l.space()
		}
		if !l.key(kid, t.Content[2*i], false) || !l.kid(kid, t.Content[2*i+1], columnOf(l.src, kid.entry), false) {
			return false
		}
	}
	return len(n.kids) > 0
}

// sequence locates a sequence in block style.
func (l *yamlLocator) sequence(n *node, t *yaml.Node) bool {
	for i := range n.kids {
		kid := &n.kids[i]
		if i > 0 {
			l.space()
		}
		kid.entry = l.at
		if !l.take('-') {
			return false
		}
		kid.after = l.at
		if !l.kid(kid, t.Content[i], columnOf(l.src, kid.entry), false) {
			return false
		}
	}
	return len(n.kids) > 0
}

// flow locates a collection in brackets or braces.
func (l *yamlLocator) flow(n *node, t *yaml.Node) bool {
	open, closing := byte('{'), byte('}')
	if n.kind == Array {
		open, closing = '[', ']'
	}
	if !l.take(open) {
		l.reason = "a pair in brackets has no braces"
		return false
	}
	for i := range n.kids {
		kid := &n.kids[i]
		l.space()
		var content *yaml.Node
		if n.kind == Array {
			kid.entry, kid.after, content = l.at, l.at, t.Content[i]
		} else {
			content = t.Content[2*i+1]
			if !l.key(kid, t.Content[2*i], true) {
				return false
			}
		}
		if !l.kid(kid, content, -1, true) {
			return false
		}
		l.space()
		if !l.take(',') && i < len(n.kids)-1 {
			return false
		}
	}
	l.space()
	return l.take(closing)
}

// key locates a member's key and its colon.
func (l *yamlLocator) key(n *node, t *yaml.Node, flow bool) bool {
	var key node
	n.entry = l.at
	if l.peek() == '?' {
		l.reason = `a key is written as "? key"`
	}
	if !l.value(&key, t, -1, flow) || key.block || bytes.ContainsRune(l.src[n.entry:l.at], '\n') {
		return false
	}
	for l.peek() == ' ' || l.peek() == '\t' {
		l.at++
	}
	n.after = l.at + 1
	if !l.take(':') {
		return false
	}
	l.reason = ""
	n.keyAnchored = key.anchors
	return true
}

// kid locates the value after a colon, a dash or a comma.
func (l *yamlLocator) kid(n *node, t *yaml.Node, indent int, flow bool) bool {
	if t.Kind == yaml.ScalarNode && t.Value == "" && t.Style == 0 && t.Anchor == "" {
		n.start, n.props, n.body, n.end, n.inFlow = l.at, l.at, l.at, l.at, flow
	} else {
		l.space()
		if !l.value(n, t, indent, flow) {
			return false
		}
	}
	n.anchors = n.anchors || n.keyAnchored
	return true
}

// scalar locates a scalar's text behind its tag.
func (l *yamlLocator) scalar(n *node, t *yaml.Node, indent int, flow bool) bool {
	switch {
	case t.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		n.block = true
		return l.blockScalar(indent)
	case t.Style&yaml.DoubleQuotedStyle != 0:
		return l.quoted('"')
	case t.Style&yaml.SingleQuotedStyle != 0:
		return l.quoted('\'')
	}
	return l.plain(t.Value, indent, flow)
}

func (l *yamlLocator) quoted(quote byte) bool {
	if !l.take(quote) {
		return false
	}
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\\' && quote == '"':
			l.at++
		case c == quote && quote == '\'' && bytes.HasPrefix(l.src[l.at+1:], []byte{'\''}):
			l.at++
		case c == quote:
			l.at++
			return true
		}
		l.at++
	}
	return false
}

// plain locates a scalar without quotes: up to the end of its line, a comment, or what
// ends it in its surroundings; what follows on deeper indented lines belongs to it. That
// the text, its lines joined, gives the value proves the extent.
func (l *yamlLocator) plain(value string, indent int, flow bool) bool {
	var text strings.Builder
	for breaks := 0; ; {
		start := l.at
		end := l.plainLine(flow)
		switch {
		case breaks == 1:
			text.WriteByte(' ')
		case breaks > 1:
			text.WriteString(strings.Repeat("\n", breaks-1))
		}
		text.Write(l.src[start:end])
		l.at = end
		if text.Len() >= len(value) {
			return text.String() == value
		}
		next := end
		for breaks = 0; next < len(l.src) && bytes.IndexByte([]byte(" \t\r\n"), l.src[next]) >= 0; next++ {
			if l.src[next] == '\n' {
				breaks++
			}
		}
		if breaks == 0 || next == len(l.src) || !flow && columnOf(l.src, next) <= indent {
			return false
		}
		l.at = next
	}
}

// plainLine returns where the part of a plain scalar on this line ends.
func (l *yamlLocator) plainLine(flow bool) int {
	end := l.at
	for i := l.at; i < len(l.src); i++ {
		blankNext := i+1 == len(l.src) || bytes.IndexByte([]byte(" \t\r\n"), l.src[i+1]) >= 0
		switch c := l.src[i]; c {
		case '\n', '\r':
			return end
		case ' ', '\t':
			continue
		case '#':
			if i > end {
				return end
			}
		case ':':
			if blankNext || flow && bytes.IndexByte([]byte(",[]{}"), l.src[i+1]) >= 0 {
				return end
			}
		case ',', '[', ']', '{', '}':
			if flow {
				return end
			}
		}
		end = i + 1
	}
	return end
}

// blockScalar locates a scalar in literal or folded style: its header and the lines that
// are indented more than its parent, up to the last one with text; with the
// indicator + the empty lines behind it too.
func (l *yamlLocator) blockScalar(indent int) bool {
	header := l.at
	l.at++
	for bytes.IndexByte([]byte("+-0123456789"), l.peek()) >= 0 {
		l.at++
	}
	keep := bytes.IndexByte(l.src[header:l.at], '+') >= 0
	least := 0
	if i := bytes.IndexAny(l.src[header:l.at], "123456789"); i >= 0 {
		least = max(indent, 0) + int(l.src[header+i]-'0')
	}
	at := len(l.src)
	if length := bytes.IndexByte(l.src[l.at:], '\n'); length >= 0 {
		at = l.at + length + 1
	}
	if from := skipBlank(l.src, l.at); from < at && l.src[from] == '#' {
		l.comments = append(l.comments, span{from, at}.trimmed(l.src))
	}
	for at < len(l.src) {
		length := bytes.IndexByte(l.src[at:], '\n')
		if length < 0 {
			length = len(l.src) - at
		}
		line := bytes.TrimSuffix(l.src[at:at+length], []byte{'\r'})
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		switch blank := spaces == len(line); {
		case blank && (least == 0 || spaces <= least):
			if keep {
				l.at = at + len(line)
			}
		case spaces <= indent || spaces < least:
			return true
		default:
			if least == 0 {
				least = spaces
			}
			l.at = at + len(line)
		}
		at += length + 1
	}
	return true
}

// tag skips a tag: !name, !!name or !<name>.
func (l *yamlLocator) tag(flow bool) {
	verbatim := bytes.HasPrefix(l.src[l.at:], []byte("!<"))
	for ; l.at < len(l.src); l.at++ {
		switch c := l.src[l.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			return
		case verbatim && c == '>':
			l.at++
			return
		case flow && !verbatim && bytes.IndexByte([]byte(",[]{}"), c) >= 0:
			return
		}
	}
}

// space skips white space, line ends and comments.
func (l *yamlLocator) space() {
	for {
		switch l.peek() {
		case ' ', '\t', '\r', '\n':
			l.at++
		case '#':
			start := l.at
			for l.at < len(l.src) && l.src[l.at] != '\n' {
				l.at++
			}
			l.comments = append(l.comments, span{start, l.at}.trimmed(l.src))
		default:
			return
		}
	}
}

// take skips the character c, or reports false if the locator stands at another.
func (l *yamlLocator) take(c byte) bool {
	if l.peek() != c {
		return false
	}
	l.at++
	return true
}

// peek returns the character that the locator stands at, or 0 at the end.
func (l *yamlLocator) peek() byte {
	if l.at < len(l.src) {
		return l.src[l.at]
	}
	return 0
}

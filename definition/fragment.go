package definition

import (
	"bytes"
	"strings"
)

// fragment writes a piece of a text for another place, whose indentation it takes on:
// white space at the beginning of its lines is all that it changes.
type fragment struct {
	side   *side
	out    strings.Builder
	at     int    // up to where the text was written
	strip  int    // so many bytes of white space go from each further line
	indent string // and this comes
	column int    // of the end of out in its line
}

// piece returns the text of s from an offset up to the end of n, a value or one of its kids.
// Its first line comes to stand in a column of a line that begins with indent; strip is
// how many bytes the line that it comes from begins with.
func (s *side) piece(n *node, from, strip int, indent string, column int) string {
	if bytes.IndexByte(s.content[from:n.end], '\n') < 0 {
		return string(s.content[from:n.end])
	}
	f := fragment{side: s, at: from, strip: strip, indent: indent, column: column}
	if s.syntax == HJSON {
		f.throughStrings(n)
	}
	f.upTo(n.end)
	return f.out.String()
}

// needsLine reports whether n, a value of s, holds a string of several lines in triple quotes.
// It must begin a line, or follow what does not change on its line, so that its column is
// certain.
func (s *side) needsLine(n *node) bool {
	if s.syntax != HJSON {
		return false
	}
	if text := s.content[n.start:n.end]; n.kind == String && bytes.HasPrefix(text, []byte("'''")) && bytes.IndexByte(text, '\n') >= 0 {
		return true
	}
	for i := range n.kids {
		if s.needsLine(&n.kids[i]) {
			return true
		}
	}
	return false
}

// throughStrings writes the text up to the end of the last string in triple quotes in n,
// if there is one.
func (f *fragment) throughStrings(n *node) {
	if n.kind == String && bytes.HasPrefix(f.side.content[n.start:n.end], []byte("'''")) {
		f.upTo(n.start)
		f.tripleQuoted(n)
	}
	for i := range n.kids {
		f.throughStrings(&n.kids[i])
	}
}

// upTo writes the text up to an offset.
func (f *fragment) upTo(end int) {
	for i, line := range strings.SplitAfter(string(f.side.content[f.at:end]), "\n") {
		if i > 0 {
			f.column = 0
			line = line[min(f.strip, leading(line)):]
			if strings.Trim(line, "\r\n") != "" {
				line = f.indent + line
			}
		}
		f.out.WriteString(line)
		f.column += len(line)
	}
	f.at = end
}

// tripleQuoted writes a string in triple quotes. Its lines lose at most as much white space
// as their opening quotes are indented, so they move exactly as far as those do.
func (f *fragment) tripleQuoted(n *node) {
	was, is := n.start-1-bytes.LastIndexByte(f.side.content[:n.start], '\n'), f.column
	for i, line := range strings.SplitAfter(string(f.side.content[n.start:n.end]), "\n") {
		if i > 0 {
			blank := leading(line)
			indent := is
			if blank < was {
				indent = max(0, min(is, blank+is-was))
			}
			line = line[min(blank, was):]
			if strings.Trim(line, "\r\n") != "" {
				line = strings.Repeat(" ", indent) + line
			}
			f.column = 0
		}
		f.out.WriteString(line)
		f.column += len(line)
	}
	f.at = n.end
}

// leading returns how many spaces and tabs a line begins with.
func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

package definition

import (
	"bytes"
	"slices"
)

// lineStart returns where the line of an offset begins.
func lineStart(src []byte, at int) int {
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	if start == 0 && bytes.HasPrefix(src, []byte(byteOrderMark)) && at >= len(byteOrderMark) {
		return len(byteOrderMark)
	}
	return start
}

// columnOf returns how far an offset is into its line, in bytes.
func columnOf(src []byte, at int) int { return at - lineStart(src, at) }

// lineOf returns the number of the line of an offset, from 0. It looks the line up in a table:
// what is asked for each kid must not take the length of its line each time.
func (s *side) lineOf(at int) int {
	if s.lines == nil {
		s.lines = []int{0}
		for i, c := range s.content {
			if c == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	}
	line, starts := slices.BinarySearch(s.lines, at)
	if !starts {
		line--
	}
	return line
}

// lineStart returns where the line of an offset begins.
func (s *side) lineStart(at int) int {
	line := s.lineOf(at)
	start := s.lines[line]
	if start == 0 && at >= len(byteOrderMark) && bytes.HasPrefix(s.content, []byte(byteOrderMark)) {
		return len(byteOrderMark)
	}
	return start
}

// breakBefore returns the offset of the line break before the line of an offset. It
// reports false for the first line.
func (s *side) breakBefore(at int) (offset int, ok bool) {
	line := s.lineOf(at)
	offset = s.lines[line] - 1
	if offset > 0 && s.content[offset-1] == '\r' {
		offset--
	}
	return offset, offset >= 0
}

// columnOf returns how far an offset is into its line, in bytes.
func (s *side) columnOf(at int) int { return at - s.lineStart(at) }

// indentation returns the white space that the line of an offset begins with, up to the
// offset.
func (s *side) indentation(at int) string {
	start := s.lineStart(at)
	if start != s.indented || s.indent == "" {
		s.indented, s.indent = start, string(s.content[start:skipBlank(s.content, start)])
	}
	return s.indent[:min(at-start, len(s.indent))]
}

// headsLine reports whether only white space is before an offset on its line.
func (s *side) headsLine(at int) bool { return trimBlank(s.content, at) <= s.lineStart(at) }

// skipBlank returns the first offset from at on that is neither a space nor a tab.
func skipBlank(src []byte, at int) int {
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}

// trimBlank returns the offset behind the last character before at that is neither a
// space nor a tab.
func trimBlank(src []byte, at int) int {
	for at > 0 && (src[at-1] == ' ' || src[at-1] == '\t') {
		at--
	}
	return at
}

// tail returns where the line of an offset ends, before its line break, and whether only
// white space and comments are between. It may be called wherever a comment may
// stand.
func (s *side) tail(at int) (end int, ok bool) {
	for {
		at = skipBlank(s.content, at)
		rest := s.content[at:]
		switch {
		case len(rest) == 0 || rest[0] == '\n' || bytes.HasPrefix(rest, []byte("\r\n")):
			return at, true
		case rest[0] == '#' || s.syntax != YAML && bytes.HasPrefix(rest, []byte("//")):
			if length := bytes.IndexByte(rest, '\n'); length >= 0 {
				rest = bytes.TrimSuffix(rest[:length], []byte{'\r'})
			}
			return at + len(rest), true
		case s.syntax != YAML && bytes.HasPrefix(rest, []byte("/*")):
			length := bytes.Index(rest[2:], []byte("*/"))
			if length < 0 || bytes.IndexByte(rest[:2+length], '\n') >= 0 {
				return at, false
			}
			at += 2 + length + 2
		default:
			return at, false
		}
	}
}

// lineEnd returns the offset behind the line break at an offset that tail returned.
func lineEnd(src []byte, at int) int {
	if bytes.HasPrefix(src[at:], []byte{'\r'}) {
		at++
	}
	return min(at+1, len(src))
}

// comma returns the offset of the comma among the white space and comments from an
// offset up to another, or -1.
func (s *side) comma(from, to int) int {
	for from < to {
		switch rest := s.content[from:to]; {
		case rest[0] == ',':
			return from
		case rest[0] == '#' || s.syntax != YAML && bytes.HasPrefix(rest, []byte("//")):
			length := bytes.IndexByte(rest, '\n')
			if length < 0 {
				return -1
			}
			from += length
		case s.syntax != YAML && bytes.HasPrefix(rest, []byte("/*")):
			length := bytes.Index(rest[2:], []byte("*/"))
			if length < 0 {
				return -1
			}
			from += 2 + length + 2
		default:
			from++
		}
	}
	return -1
}

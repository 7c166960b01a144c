package definition

import "bytes"

// lineStart returns where the line of an offset begins.
func lineStart(src []byte, at int) int {
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	if start == 0 && bytes.HasPrefix(src, []byte(byteOrderMark)) && at >= len(byteOrderMark) {
		return len(byteOrderMark)
	}
	return start
}

// breakBefore returns the offset of the line break before the line of an offset. It
// reports false for the first line.
func breakBefore(src []byte, at int) (offset int, ok bool) {
	offset = bytes.LastIndexByte(src[:at], '\n')
	if offset > 0 && src[offset-1] == '\r' {
		offset--
	}
	return offset, offset >= 0
}

// columnOf returns how far an offset is into its line, in bytes.
func columnOf(src []byte, at int) int { return at - lineStart(src, at) }

// indentation returns the white space that the line of an offset begins with, up to the
// offset.
func indentation(src []byte, at int) string {
	line := src[lineStart(src, at):at]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// headsLine reports whether only white space is before an offset on its line.
func headsLine(src []byte, at int) bool {
	return len(bytes.TrimLeft(src[lineStart(src, at):at], " \t")) == 0
}

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

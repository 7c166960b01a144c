package definition

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string in double or single quotes.
func (r *hjsonReader) quoted() (string, error) {
	start := r.at
	quote := r.src[start]
	if quote == '\'' {
		r.lax = true
	}
	r.at++
	from := r.at
	var text []byte // what was unescaped before from; most strings need none
	for {
		switch c := r.peek(); c {
		case quote:
			r.at++
			if text == nil {
				return r.text[from : r.at-1], nil
			}
			text = append(text, r.src[from:r.at-1]...)
			return string(text), nil
		case '\\':
			text = append(text, r.src[from:r.at]...)
			var err error
			if text, err = r.escape(text); err != nil {
				return "", err
			}
			from = r.at
		case '\n', '\r', 0:
			return "", r.fail(start, "a string is not closed on its line")
		case '\t':
			r.lax = true
			r.at++
		default:
			r.at++
		}
	}
}

// escape appends to text what a backslash and the characters after it stand for.
func (r *hjsonReader) escape(text []byte) ([]byte, error) {
	start := r.at
	r.at++
	c := r.peek()
	r.at++
	switch c {
	case '"', '\\', '/':
		return append(text, c), nil
	case '\'':
		r.lax = true
		return append(text, c), nil
	case 'b':
		return append(text, '\b'), nil
	case 'f':
		return append(text, '\f'), nil
	case 'n':
		return append(text, '\n'), nil
	case 'r':
		return append(text, '\r'), nil
	case 't':
		return append(text, '\t'), nil
	case 'u':
		unit, ok := r.hex4(r.at)
		if !ok {
			break
		}
		r.at += 4
		if utf16.IsSurrogate(unit) {
			unit = r.lowSurrogate(unit)
		}
		return utf8.AppendRune(text, unit), nil
	}
	return nil, r.fail(start, "a backslash is followed by no known escape")
}

// lowSurrogate completes a UTF-16 pair whose first unit was read. A unit
// without its other half is U+FFFD, as encoding/json has it.
func (r *hjsonReader) lowSurrogate(high rune) rune {
	if !bytes.HasPrefix(r.src[r.at:], []byte(`\u`)) {
		return utf8.RuneError
	}
	low, ok := r.hex4(r.at + 2)
	if !ok {
		return utf8.RuneError
	}
	pair := utf16.DecodeRune(high, low)
	if pair != utf8.RuneError {
		r.at += 6
	}
	return pair
}

// hex4 reads the four hexadecimal digits at an offset.
func (r *hjsonReader) hex4(at int) (rune, bool) {
	if at+4 > len(r.src) {
		return 0, false
	}
	var unit rune
	for _, c := range r.src[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

// multiline reads the rest of a string in triple quotes; the reader stands behind
// the opening ones, which begin at start. Lines lose at most the indentation that
// the opening quotes have, carriage returns go, and so does a line end directly after
// the opening quotes or before the closing ones.
func (r *hjsonReader) multiline(start int) (string, error) {
	length := bytes.Index(r.src[r.at:], []byte("'''"))
	if length < 0 {
		return "", r.fail(start, "a string in triple quotes is not closed")
	}
	body := strings.TrimLeft(string(r.src[r.at:r.at+length]), " \t\r")
	r.at += length + len("'''")

	lines := strings.Split(body, "\n")
	if len(lines) == 1 {
		return strings.ReplaceAll(body, "\r", ""), nil
	}
	indent := start - bytes.LastIndexByte(r.src[:start], '\n') - 1
	for i, line := range lines {
		if i > 0 {
			unindented := strings.TrimLeft(line, " \t\r")
			line = line[min(indent, len(line)-len(unindented)):]
		}
		lines[i] = strings.ReplaceAll(line, "\r", "")
	}
	if lines[0] == "" {
		lines = lines[1:]
	}
	return strings.TrimSuffix(strings.Join(lines, "\n"), "\n"), nil
}

// bare reads a value without quotes: a number, true, false or null up to the next
// punctuation or comment, else a string up to the end of the line.
func (r *hjsonReader) bare() Value {
	start := r.at
	value := func(kind Kind, end int) Value {
		text := strings.TrimRight(r.text[start:end], " \t\r\n")
		r.at = start + len(text)
		return Value{Kind: kind, Text: text, Start: start, End: r.at}
	}
	end := start
scan:
	for ; end < len(r.src); end++ {
		switch r.src[end] {
		case ',', '}', ']', '#', '\r', '\n':
			break scan
		case '/':
			if next := r.src[end+1:]; len(next) > 0 && (next[0] == '/' || next[0] == '*') {
				break scan
			}
		}
	}
	if kind := literalKind(bytes.TrimRight(r.src[start:end], " \t")); kind != 0 {
		return value(kind, end)
	}
	r.lax = true
	if length := bytes.IndexAny(r.src[end:], "\r\n"); length >= 0 {
		return value(String, end+length)
	}
	return value(String, len(r.src))
}

// literalKind returns the kind of true, false, null or a number of RFC 8259, or 0.
func literalKind(text []byte) Kind {
	switch string(text) {
	case "true", "false":
		return Bool
	case "null":
		return Null
	}
	if isNumber(text) {
		return Number
	}
	return 0
}

// isNumber reports whether text is a number of RFC 8259.
func isNumber(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte{'-'})
	whole := digits(text)
	if whole == 0 || whole > 1 && text[0] == '0' {
		return false
	}
	text = text[whole:]
	if len(text) > 0 && text[0] == '.' {
		fraction := digits(text[1:])
		if fraction == 0 {
			return false
		}
		text = text[1+fraction:]
	}
	if len(text) > 0 && (text[0] == 'e' || text[0] == 'E') {
		text = text[1:]
		if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
		exponent := digits(text)
		return exponent > 0 && exponent == len(text)
	}
	return len(text) == 0
}

// digits returns how many decimal digits text begins with.
func digits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

package definition

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// byteOrderMark is what some editors put before UTF-8 text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// hjsonReader reads JSON and its superset HJSON in one pass and keeps positions.
//
// It is our own because a merge version fixes for all time and on every node what
// parses, and as what: a library's next release must not change that, nor may a reader
// round numbers, lose positions or quote the content in errors. It reads what hjson-go
// and hjson-java (which Apereo CAS uses) read, except that keys must be unique, every
// comment closed, and the root an object or an array.
//
// What it makes of a text depends on nothing that follows, so the beginning of an
// enclosed text never passes for a whole one: without its closing brace it is an error.
type hjsonReader struct {
	src   []byte // without NUL, see peek
	at    int
	depth int
	lax   bool // something was met that JSON with comments has not
}

// parseHJSON parses the content of a .json file.
func parseHJSON(content []byte) (Document, error) {
	if err := checkText(content); err != nil {
		return Document{}, err
	}
	r := &hjsonReader{src: content}
	if bytes.HasPrefix(content, byteOrderMark) {
		r.at = len(byteOrderMark)
	}
	root, enclosed, err := r.document()
	if err != nil {
		return Document{}, err
	}
	syntax := JSON
	if r.lax {
		syntax = HJSON
	}
	return Document{syntax: syntax, root: root, enclosed: enclosed}, nil
}

// document reads the root, an object, whose braces may be missing, or an array.
func (r *hjsonReader) document() (root Value, enclosed bool, err error) {
	if err := r.space(); err != nil {
		return Value{}, false, err
	}
	switch r.peek() {
	case 0:
		return Value{}, false, r.fail(r.at, "the file holds no definition")
	case '{', '[':
		enclosed = true
		root, err = r.value()
	default:
		r.lax = true
		root, err = r.members(r.at, 0)
	}
	if err != nil {
		return Value{}, false, err
	}
	if err := r.space(); err != nil {
		return Value{}, false, err
	}
	if r.at < len(r.src) {
		return Value{}, false, r.fail(r.at, "there is text after the end of the definition")
	}
	return root, enclosed, nil
}

// value reads one value; the reader stands on its first character.
func (r *hjsonReader) value() (Value, error) {
	start := r.at
	switch c := r.peek(); c {
	case '{', '[':
		if r.depth == maxDepth {
			return Value{}, r.fail(start, textTooDeep)
		}
		r.depth++
		defer func() { r.depth-- }()
		r.at++
		if c == '{' {
			return r.members(start, '}')
		}
		return r.items(start)
	case '"', '\'':
		text, err := r.quoted()
		if err == nil && c == '\'' && text == "" && r.peek() == '\'' {
			r.at++
			text, err = r.multiline(start)
		}
		if err != nil {
			return Value{}, err
		}
		return Value{Kind: String, Text: text, Start: int32(start), End: int32(r.at)}, nil
	case ',', ':', '}', ']', 0:
		return Value{}, r.fail(start, "a value is missing")
	}
	return r.bare(), nil
}

// members reads an object's members up to the closing brace, or up to the end of
// the text if closing is 0. The object begins at start.
func (r *hjsonReader) members(start int, closing byte) (Value, error) {
	object := Value{Kind: Object, Start: int32(start)}
	var keys keySet
	for {
		if err := r.space(); err != nil {
			return Value{}, err
		}
		switch r.peek() {
		case closing:
			if closing != 0 {
				r.at++
			}
			object.End = int32(r.at)
			return object, nil
		case 0:
			return Value{}, r.fail(r.at, "the text ends inside an object: its closing brace is missing")
		}
		m := Member{Start: int32(r.at)}
		var err error
		if m.Key, err = r.key(); err != nil {
			return Value{}, err
		}
		m.End = int32(r.at)
		if first, twice := keys.add(object.Members, m.Key); twice {
			line, _ := position(r.src, int(object.Members[first].Start))
			return Value{}, r.fail(int(m.Start), duplicateText(line))
		}
		if err := r.space(); err != nil {
			return Value{}, err
		}
		if r.peek() != ':' {
			return Value{}, r.fail(r.at, "a colon is missing after a key")
		}
		r.at++
		if err := r.space(); err != nil {
			return Value{}, err
		}
		if m.Value, err = r.value(); err != nil {
			return Value{}, err
		}
		object.Members = append(object.Members, m)
		if err := r.separator(closing); err != nil {
			return Value{}, err
		}
	}
}

// items reads an array's items up to the closing bracket. The array begins at
// start.
func (r *hjsonReader) items(start int) (Value, error) {
	array := Value{Kind: Array, Start: int32(start)}
	for {
		if err := r.space(); err != nil {
			return Value{}, err
		}
		switch r.peek() {
		case ']':
			r.at++
			array.End = int32(r.at)
			return array, nil
		case 0:
			return Value{}, r.fail(r.at, "the text ends inside an array: its closing bracket is missing")
		}
		item, err := r.value()
		if err != nil {
			return Value{}, err
		}
		array.Items = append(array.Items, item)
		if err := r.separator(']'); err != nil {
			return Value{}, err
		}
	}
}

// separator skips the comma after a value, which HJSON lets be left out.
func (r *hjsonReader) separator(closing byte) error {
	if err := r.space(); err != nil {
		return err
	}
	switch r.peek() {
	case ',':
		r.at++
	case closing, 0:
	default:
		r.lax = true
	}
	return nil
}

// key reads a key, quoted or bare. A bare one reaches to the colon, without space
// or punctuation inside.
func (r *hjsonReader) key() (string, error) {
	start := r.at
	if c := r.peek(); c == '"' || c == '\'' {
		return r.quoted()
	}
	r.lax = true
	for {
		switch r.peek() {
		case ':', ' ', '\t', '\r', '\n', 0:
			if r.at == start {
				return "", r.fail(start, "a key is missing before a colon")
			}
			return string(r.src[start:r.at]), nil
		case '{', '}', '[', ']', ',':
			return "", r.fail(r.at, "a key is expected here, in quotes if it holds punctuation")
		}
		r.at++
	}
}

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
			text = append(text, r.src[from:r.at]...)
			r.at++
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
		text := bytes.TrimRight(r.src[start:end], " \t\r\n")
		r.at = start + len(text)
		return Value{Kind: kind, Text: string(text), Start: int32(start), End: int32(r.at)}
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

// space skips white space and comments.
func (r *hjsonReader) space() error {
	for {
		switch r.peek() {
		case ' ', '\t', '\r', '\n':
			r.at++
		case '#':
			r.lax = true
			r.skipLine()
		case '/':
			rest := r.src[r.at:]
			switch {
			case bytes.HasPrefix(rest, []byte("//")):
				r.skipLine()
			case bytes.HasPrefix(rest, []byte("/*")):
				length := bytes.Index(rest[2:], []byte("*/"))
				if length < 0 {
					return r.fail(r.at, "a comment is not closed")
				}
				r.at += 2 + length + 2
			default:
				return nil
			}
		default:
			return nil
		}
	}
}

// skipLine skips up to the end of the line.
func (r *hjsonReader) skipLine() {
	if length := bytes.IndexByte(r.src[r.at:], '\n'); length >= 0 {
		r.at += length
		return
	}
	r.at = len(r.src)
}

// peek returns the character that the reader stands on, or 0 at the end.
func (r *hjsonReader) peek() byte {
	if r.at < len(r.src) {
		return r.src[r.at]
	}
	return 0
}

func (r *hjsonReader) fail(offset int, text string) error {
	return syntaxErrorAt(r.src, offset, text)
}

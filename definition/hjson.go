package definition

import "bytes"

// byteOrderMark is what some editors put before UTF-8 text.
const byteOrderMark = "\ufeff"

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
	text  string // a copy of src, which keys and scalars are parts of
	at    int
	depth int
	lax   bool // something was met that JSON with comments has not

	comments []span
}

// parseHJSON parses the content of a .json file.
func parseHJSON(content []byte) (Document, error) {
	if err := checkText(content); err != nil {
		return Document{}, err
	}
	r := &hjsonReader{src: content, text: string(content)}
	if bytes.HasPrefix(content, []byte(byteOrderMark)) {
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
	return Document{syntax: syntax, root: root, enclosed: enclosed, comments: r.comments}, nil
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
			return Value{}, r.fail(start, tooDeepText())
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
		return Value{Kind: String, Text: text, Start: start, End: r.at}, nil
	case ',', ':', '}', ']', 0:
		return Value{}, r.fail(start, "a value is missing")
	}
	return r.bare(), nil
}

// members reads an object's members up to the closing brace, or up to the end of
// the text if closing is 0. The object begins at start.
func (r *hjsonReader) members(start int, closing byte) (Value, error) {
	object := Value{Kind: Object, Start: start}
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
			object.End = r.at
			return object, nil
		case 0:
			return Value{}, r.fail(r.at, "the text ends inside an object: its closing brace is missing")
		}
		m, err := r.member(object.Members, &keys)
		if err != nil {
			return Value{}, err
		}
		if object.Members == nil {
			object.Members = make([]Member, 0, 4) // or more: most objects have some
		}
		object.Members = append(object.Members, m)
		if err := r.separator(closing); err != nil {
			return Value{}, err
		}
	}
}

// member reads one member of the object that has the members before already.
func (r *hjsonReader) member(before []Member, keys *keySet) (Member, error) {
	m := Member{Start: r.at}
	var err error
	if m.Key, err = r.key(); err != nil {
		return Member{}, err
	}
	m.End = r.at
	if first, twice := keys.add(before, m.Key); twice {
		line, _ := position(r.src, before[first].Start)
		return Member{}, r.fail(m.Start, duplicateText(line))
	}
	if err := r.space(); err != nil {
		return Member{}, err
	}
	if r.peek() != ':' {
		return Member{}, r.fail(r.at, "a colon is missing after a key")
	}
	r.at++
	if err := r.space(); err != nil {
		return Member{}, err
	}
	m.Value, err = r.value()
	return m, err
}

// items reads an array's items up to the closing bracket. The array begins at
// start.
func (r *hjsonReader) items(start int) (Value, error) {
	array := Value{Kind: Array, Start: start}
	for {
		if err := r.space(); err != nil {
			return Value{}, err
		}
		switch r.peek() {
		case ']':
			r.at++
			array.End = r.at
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
			return r.text[start:r.at], nil
		case '{', '}', '[', ']', ',':
			return "", r.fail(r.at, "a key is expected here, in quotes if it holds punctuation")
		}
		r.at++
	}
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
				start := r.at
				r.at += 2 + length + 2
				r.comments = append(r.comments, span{start, r.at})
			default:
				return nil
			}
		default:
			return nil
		}
	}
}

// skipLine skips a comment that goes up to the end of the line.
func (r *hjsonReader) skipLine() {
	start := r.at
	r.at = len(r.src)
	if length := bytes.IndexByte(r.src[start:], '\n'); length >= 0 {
		r.at = start + length
	}
	r.comments = append(r.comments, span{start, r.at}.trimmed(r.src))
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

package definition

import "strings"

// node is a value of a document as Merge and Diff see it: with its identity, and with
// the extent of its text.
type node struct {
	kind Kind
	text string // of a scalar
	tag  string
	key  string // if it is an object's member
	kids []node // an object's members or an array's items

	// id is equal for equal values, see identities.
	id int
	// class is the class that the value says it has: by @class, by its tag, or as
	// a typed collection.
	class string
	// collection is what a typed collection in the form ["class", elements] is.
	collection CollectionKind
	// field is its number among the fields of its version, from 1; see Fields.
	field int

	// quad is its number in the merge that it is part of, see quadder.
	quad int

	// entry is where the member's key or the item begins (in a block sequence of
	// YAML its dash), after where its colon or dash ends. They are 0 for the root,
	// after also for other items than a block sequence's.
	entry, after int
	// The value's text is from start to end. Between start and props is YAML's tag,
	// if it has one; body is where the text without it begins.
	start, props, body, end int
	// block says that a collection or string of YAML is in block style: told by
	// lines and indentation, not by brackets or quotes.
	block bool
	// inFlow says that the value is inside brackets or braces of YAML.
	inFlow bool
	// alias says that the value is an alias of YAML, whose text is only a name: it has no
	// kids here. anchored says that it is one or has an anchor, keyAnchored that its key does,
	// anchors that any of this is so at or below it.
	alias, anchored, keyAnchored, anchors bool
}

// side is one of the three texts of a merge.
type side struct {
	content []byte
	root    *node
	syntax  Syntax
	newline string // what ends the first line
	notes   []span // the text's comments, in their order
	lines   []int  // where each line begins; see lineOf

	// The last line that indentation was asked for: where it begins, and its white space.
	indented int
	indent   string
}

// parseSide parses content and gives its values identities from ids. Unlike Parse, it
// gives extents in YAML too, and fails where they cannot be told.
func parseSide(path Path, content []byte, ids *identities) (*side, error) {
	doc, yamlRoot, err := parseDocument(path, content)
	if err != nil {
		return nil, err
	}
	if doc.syntax == Opaque {
		return nil, errOpaque
	}
	s := &side{content: content, syntax: doc.syntax, newline: "\n", root: new(node)}
	if line, _, ok := strings.Cut(string(content), "\n"); ok && strings.HasSuffix(line, "\r") {
		s.newline = "\r\n"
	}
	s.grow(s.root, &doc.root, ids)
	s.notes = doc.comments
	if doc.syntax == YAML {
		s.notes, err = locateYAML(s.root, yamlRoot, content)
	}
	return s, err
}

// grow fills in the node of a value.
func (s *side) grow(n *node, v *Value, ids *identities) {
	n.kind, n.text, n.tag, n.class = v.Kind, v.Text, v.Tag, v.Tag
	n.start, n.props, n.body, n.end = v.Start, v.Start, v.Start, v.End
	switch v.Kind {
	case Object:
		n.kids = make([]node, len(v.Members))
		for i := range v.Members {
			m := &v.Members[i]
			kid := &n.kids[i]
			s.grow(kid, &m.Value, ids)
			kid.key, kid.entry, kid.after = m.Key, m.Start, m.Value.Start
			if m.Key == classKey && m.Value.Kind == String && v.Tag == "" {
				n.class = m.Value.Text
			}
		}
	case Array:
		n.kids = make([]node, len(v.Items))
		for i := range v.Items {
			kid := &n.kids[i]
			s.grow(kid, &v.Items[i], ids)
			kid.entry = kid.start
		}
		if c, ok := v.TypedCollection(); ok && v.Tag == "" {
			n.class, n.collection = c.Class, c.Kind
		}
	}
	n.id = ids.of(n)
}

// classKey is the member that names an object's Java class.
const classKey = "@class"

// isContainer reports whether n has kids of its own.
func (n *node) isContainer() bool { return (n.kind == Object || n.kind == Array) && !n.alias }

// elements is what a typed collection in the form ["class", elements] holds.
func (n *node) elements() *node { return &n.kids[1] }

// members finds the members of one object by key. The zero members has none.
type members struct {
	kids  []node
	byKey map[string]int // if there are many
}

// membersOf returns the members of an object; n may be nil or no object.
func membersOf(n *node) members {
	if n == nil || n.kind != Object {
		return members{}
	}
	m := members{kids: n.kids}
	const many = 16
	if len(n.kids) > many {
		m.byKey = make(map[string]int, len(n.kids))
		for i := range n.kids {
			m.byKey[n.kids[i].key] = i
		}
	}
	return m
}

// get returns the member with a key and its index, or nil.
func (m members) get(key string) (kid *node, index int) {
	if m.byKey != nil {
		if i, ok := m.byKey[key]; ok {
			return &m.kids[i], i
		}
		return nil, -1
	}
	for i := range m.kids {
		if m.kids[i].key == key {
			return &m.kids[i], i
		}
	}
	return nil, -1
}

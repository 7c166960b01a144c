package definition

import (
	"bytes"
	"strconv"
)

// Field is one field of a definition: a value with no fields below it. That is a scalar, an
// empty object or array, or an element of a set, which is one by its value as a whole.
// A definition without structure has one field, with all its content.
type Field struct {
	// Pointer is the field's JSON pointer (RFC 6901); see FieldConflict for typed
	// collections. It is empty for a whole definition.
	Pointer string
	Text    string // the value's, as it is in the file
}

// FieldReader reads versions of definitions whose fields are to be compared. The zero
// FieldReader is ready; it is not safe for concurrent use.
type FieldReader struct{ ids identities }

// Fields are the fields of one version of a definition, in the order of its text.
// Methods that take other Fields want those of the same FieldReader.
type Fields struct {
	content []byte
	side    *side         // nil if there is no structure
	nodes   []*node       // by field; nil if there is no structure
	places  map[place]int // of the fields; nil until it was asked for
}

// Read returns the fields of content. Content that does not parse, or whose parts Diff
// cannot tell apart, has no structure. The Fields refer to content, which must not
// change.
func (r *FieldReader) Read(path Path, content []byte) *Fields {
	f := &Fields{content: content}
	side, err := parseSide(path, content, &r.ids)
	if err != nil {
		return f // what is wrong with it is for Parse to say
	}
	f.side = side
	eachField(nil, side.root, strconv.Itoa, func(_ pointer, n *node) {
		f.nodes = append(f.nodes, n)
		n.field = len(f.nodes)
	})
	return f
}

// All returns the fields.
func (f *Fields) All() []Field {
	if f.side == nil {
		return []Field{{Text: string(f.content)}}
	}
	all := make([]Field, 0, len(f.nodes))
	eachField(nil, f.side.root, strconv.Itoa, func(at pointer, n *node) {
		all = append(all, Field{at.String(), f.side.textOf(n).Text})
	})
	return all
}

// Len returns how many fields there are, at least 1.
func (f *Fields) Len() int { return max(1, len(f.nodes)) }

// HeldBy returns for each field of f the index of the field of an older version that holds the
// same value in the same place, or -1: what Diff sees as not changed from it to f.
func (f *Fields) HeldBy(older *Fields) []int {
	held := none(f.Len())
	if f.side == nil || older.side == nil {
		if f.side == older.side && bytes.Equal(f.content, older.content) {
			held[0] = 0
		}
		return held
	}
	d := differ{visit: func(_ pointer, o, n *node, same bool) {
		if same {
			pair(held, o, n)
		}
	}}
	d.value(older.side.root, f.side.root)
	return held
}

// pair notes for each field of n its counterpart in o, which has the same value.
func pair(held []int, o, n *node) {
	switch {
	case n.field > 0 && o.field > 0:
		held[n.field-1] = o.field - 1
	case n.field > 0 || o.field > 0:
		// One is an element of a set, whole, and the other an item of a list.
	case n.kind == Object:
		older := membersOf(o)
		for i := range n.kids {
			kid, _ := older.get(n.kids[i].key)
			pair(held, kid, &n.kids[i])
		}
	case n.collection == SetCollection:
		pair(held, &o.kids[0], &n.kids[0])
		pairSets(held, o.elements(), n.elements())
	case collectionKind(n.tag) == SetCollection:
		pairSets(held, o, n)
	default:
		for i := range n.kids {
			pair(held, &o.kids[i], &n.kids[i])
		}
	}
}

func pairSets(held []int, o, n *node) {
	if len(n.kids) == 0 {
		pair(held, o, n)
	}
	older := placesOf(idsOf(o.kids))
	for i := range n.kids {
		pair(held, &o.kids[older[n.kids[i].id]], &n.kids[i])
	}
}

// AlikeIn is HeldBy for fields of a merge's result and a side of the merge, and takes less for
// the same place: any in a list, and in an object of any class. What a merge put
// together in a way that none of its sides has is found so.
func (f *Fields) AlikeIn(side *Fields) []int {
	if f.side == nil || side.side == nil {
		return f.HeldBy(side)
	}
	if side.places == nil {
		side.places = make(map[place]int, len(side.nodes))
		side.eachPlace(func(p place, n *node) { side.places[p] = n.field - 1 })
	}
	alike := none(f.Len())
	f.eachPlace(func(p place, n *node) {
		if i, ok := side.places[p]; ok {
			alike[n.field-1] = i
		}
	})
	return alike
}

// place is where a value is, but for indices.
type place struct {
	pointer string
	value   int
}

func (f *Fields) eachPlace(visit func(place, *node)) {
	anywhere := func(int) string { return "*" }
	eachField(nil, f.side.root, anywhere, func(at pointer, n *node) { visit(place{at.String(), n.id}, n) })
}

// none returns n times -1.
func none(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

// eachField visits the fields at and below n. index writes an index into a pointer.
func eachField(at pointer, n *node, index func(int) string, visit func(at pointer, n *node)) {
	elements := func(at pointer, n *node) {
		if len(n.kids) == 0 {
			visit(at, n)
		}
		for i := range n.kids {
			visit(append(at, index(i)), &n.kids[i])
		}
	}
	switch {
	case len(n.kids) == 0:
		visit(at, n)
	case n.kind == Object:
		for i := range n.kids {
			eachField(append(at, n.kids[i].key), &n.kids[i], index, visit)
		}
	case n.collection == SetCollection:
		visit(append(at, "0"), &n.kids[0])
		elements(append(at, "1"), n.elements())
	case n.collection != 0:
		visit(append(at, "0"), &n.kids[0])
		eachField(append(at, "1"), n.elements(), index, visit)
	case collectionKind(n.tag) == SetCollection:
		elements(at, n)
	default:
		for i := range n.kids {
			eachField(append(at, index(i)), &n.kids[i], index, visit)
		}
	}
}

package definition

import (
	"encoding/binary"
	"slices"
)

// identities numbers values so that two have the same number exactly if they are equal:
//
//   - objects, if their members are, in any order;
//   - sets, if each element of one is in the other, and their classes are equal;
//   - other arrays, if their items are, in this order;
//   - scalars, if kind and text are: 1 and 1.0 differ, because nothing here knows
//     better; but null is null however YAML spells it.
//
// Equal values must also have equal YAML tags. The zero identities is ready for use.
type identities struct {
	numbers map[string]int
	buffer  []byte
	pairs   []uint64
}

// The first bytes of what stands for a value in identities.numbers; scalars have
// their Kind.
const (
	identityKey byte = iota + 100
	identityObject
	identityList
	identitySet
	identityTied
)

// of returns the number of a node whose kids have theirs.
func (t *identities) of(n *node) int {
	switch {
	case n.kind == Object:
		return t.object(n.tag, len(n.kids), func(i int) (string, int) { return n.kids[i].key, n.kids[i].id })
	case n.kind != Array:
		return t.scalar(n)
	case n.collection != 0:
		elements := n.elements()
		return t.typed(n.kids[0].id, n.collection, elements.tag, elements.id, idsOf(elements.kids))
	case collectionKind(n.tag) == SetCollection:
		return t.set(n.tag, idsOf(n.kids))
	}
	return t.list(n.tag, idsOf(n.kids))
}

func (t *identities) scalar(n *node) int {
	text := n.text
	if n.kind == Null {
		text = ""
	}
	t.begin(byte(n.kind), n.tag)
	t.buffer = append(t.buffer, text...)
	return t.number()
}

// object returns the number of an object with size members.
func (t *identities) object(tag string, size int, member func(int) (key string, id int)) int {
	t.pairs = t.pairs[:0]
	for i := range size {
		key, id := member(i)
		t.begin(identityKey, key)
		t.pairs = append(t.pairs, uint64(t.number())<<32|uint64(id))
	}
	slices.Sort(t.pairs)
	t.begin(identityObject, tag)
	for _, pair := range t.pairs {
		t.buffer = binary.BigEndian.AppendUint64(t.buffer, pair)
	}
	return t.number()
}

func (t *identities) list(tag string, ids []int) int {
	t.begin(identityList, tag)
	for _, id := range ids {
		t.buffer = binary.AppendUvarint(t.buffer, uint64(id))
	}
	return t.number()
}

// set returns the number of a set; it reorders ids.
func (t *identities) set(tag string, ids []int) int {
	slices.Sort(ids)
	t.begin(identitySet, tag)
	for _, id := range slices.Compact(ids) {
		t.buffer = binary.AppendUvarint(t.buffer, uint64(id))
	}
	return t.number()
}

// typed returns the number of a typed collection in the form ["class", elements], where
// class and elements are the numbers of its two items. Those of a set have a tag and
// items, which are reordered.
func (t *identities) typed(class int, kind CollectionKind, tag string, elements int, items []int) int {
	if kind == SetCollection {
		elements = t.set(tag, items)
	}
	return t.list("", []int{class, elements})
}

// tied returns the number that stands for all objects of a class that have a member with a
// key and the value with a number; it is no value's number.
func (t *identities) tied(class, key string, value int) int {
	t.begin(identityTied, class)
	t.buffer = append(append(t.buffer, key...), 0)
	t.buffer = binary.AppendUvarint(t.buffer, uint64(value))
	return t.number()
}

// begin starts the bytes that stand for a value.
func (t *identities) begin(first byte, tag string) {
	t.buffer = binary.AppendUvarint(append(t.buffer[:0], first), uint64(len(tag)))
	t.buffer = append(t.buffer, tag...)
}

// number returns the number for the bytes in the buffer.
func (t *identities) number() int {
	if id, ok := t.numbers[string(t.buffer)]; ok {
		return id
	}
	if t.numbers == nil {
		t.numbers = make(map[string]int, 64)
	}
	id := len(t.numbers) + 1
	t.numbers[string(t.buffer)] = id
	return id
}

// idsOf returns the numbers of nodes, in a slice of its own.
func idsOf(nodes []node) []int {
	ids := make([]int, len(nodes))
	for i := range nodes {
		ids[i] = nodes[i].id
	}
	return ids
}

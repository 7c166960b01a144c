package definition

import (
	"cmp"
	"slices"
	"strings"
)

// merger walks three documents at once. It decides for each value which side it comes from,
// and notes what that changes in the later side's text.
type merger struct {
	ids                  *identities
	base, later, earlier *side

	taken []string // pointers at or below which the earlier side's value stands in a conflict

	at        pointer // of the value that is being merged, in the result
	access    scope
	conflicts []FieldConflict
	listed    int // the length of the pointers in conflicts
	revisions []*revision
}

// maxListed bounds the length of the pointers of all conflicts of a merge: below a long key, many
// fields in conflict would have many long pointers.
const maxListed = 16 * MaxSize

// origin says which side's text a value of the result has.
type origin uint8

const (
	nowhere     origin = iota // the result has no such value
	fromLater                 // the later side's, perhaps with revisions below
	fromEarlier               // the earlier side's, whole
)

// outcome is what became of one value.
type outcome struct {
	from  origin
	id    int    // the result's identity
	tag   string // of an array
	kids  []int  // an array's items
	taken bool   // Merge would have left a value here, Take perhaps not
}

func whole(from origin, n *node) outcome {
	switch {
	case n == nil:
		return outcome{}
	case n.kind == Array:
		return outcome{from: from, id: n.id, tag: n.tag, kids: idsOf(n.kids)}
	}
	return outcome{from: from, id: n.id}
}

// revision is what changes among the kids of one container in the later side's text.
type revision struct {
	container  *node // in the later side
	source     *node // the same in the earlier side
	fates      []fate
	insertions []insertion // those after the same kid in their order
	retag      bool        // the earlier side's tag comes in the later one's place
	order      []int       // see arrange; nil if the order is that of the later side
}

// fate is what becomes of a kid of the later side; the zero fate is to stay.
type fate struct {
	removed bool
	by      *node // of the earlier side, whose value comes in this one's place
}

// insertion is the earlier side's kid with an index. It comes behind the later side's kid with
// the index after; -1 stands for the container's beginning.
type insertion struct{ after, kid int }

// revise begins the revision of a container.
func (m *merger) revise(b, l, e *node) *revision {
	return &revision{
		container: l, source: e, fates: make([]fate, len(l.kids)),
		retag: l.tag != e.tag && b != nil && b.tag == l.tag,
	}
}

// tag returns the tag that the container has after the revision.
func (r *revision) tag() string {
	if r.retag {
		return r.source.tag
	}
	return r.container.tag
}

// decide notes what became of the later side's kid with index i, which is e in the
// earlier side.
func (r *revision) decide(i int, o outcome, e *node) {
	switch o.from {
	case nowhere:
		r.fates[i].removed = true
	case fromEarlier:
		r.fates[i].by = e
	}
}

func (r *revision) insert(after, kid int) {
	r.insertions = append(r.insertions, insertion{after, kid})
}

// spot is where an item comes to stand when a revision is made without its order: a kid of the
// later side that stays, and -1; or an insertion by its number, behind a kid.
type spot struct{ kid, insertion int }

// arrange notes in which order the items of a list are to come in the end.
func (r *revision) arrange(final []spot) {
	compare := func(a, b spot) int { return cmp.Or(cmp.Compare(a.kid, b.kid), cmp.Compare(a.insertion, b.insertion)) }
	if slices.IsSortedFunc(final, compare) {
		return
	}
	r.order = make([]int, len(final))
	for i := range r.order {
		r.order[i] = i
	}
	sorted := slices.SortedFunc(slices.Values(r.order), func(a, b int) int { return compare(final[a], final[b]) })
	for at, i := range sorted {
		r.order[i] = at
	}
}

// done hands a revision over if it changes anything.
func (m *merger) done(r *revision) {
	changes := r.retag || len(r.insertions) > 0 || r.order != nil
	for _, f := range r.fates {
		changes = changes || f != fate{}
	}
	if changes {
		m.revisions = append(m.revisions, r)
	}
}

// value merges one value. Those that a side does not have are nil.
func (m *merger) value(b, l, e *node) outcome {
	switch {
	case equalNodes(l, e), equalNodes(b, e):
		return whole(fromLater, l)
	case m.mergeable(b, l, e):
		return m.container(b, l, e)
	case equalNodes(b, l):
		return whole(fromEarlier, e)
	}
	return m.conflict(kindOf(l, e), b, l, e)
}

// kindOf tells what two values that cannot be merged are a conflict of.
func kindOf(l, e *node) FieldKind {
	switch {
	case l == nil || e == nil || !l.isContainer() || !e.isContainer():
		return FieldValue
	case l.kind == Object && e.kind == Object && collectionKind(l.class) == 0 && collectionKind(e.class) == 0:
		return FieldObject
	case l.kind == e.kind:
		return FieldCollection
	}
	return FieldValue
}

// container merges two containers.
func (m *merger) container(b, l, e *node) outcome {
	within := m.access
	defer func() { m.access = within }()
	switch {
	case !m.access.decides:
	case m.isBean(l):
		m.access.judged = false
	case !m.access.judged:
		if m.opposed(b, l, e) {
			return m.conflict(FieldCollection, b, l, e)
		}
		m.access.judged = true
	}
	if l.kind == Object {
		return m.object(b, l, e)
	}
	return m.array(b, l, e)
}

// conflict notes that both sides changed a value. The later side's stands, but an edit always
// stands against a removal; and the earlier side's stands, or its removal, if that is to be
// taken here.
func (m *merger) conflict(kind FieldKind, b, l, e *node) outcome {
	at := m.at.String()
	if m.takes(at) {
		o := whole(fromEarlier, e)
		o.taken = true
		return o
	}
	if m.listed += len(at); m.listed > maxListed {
		return whole(fromLater, l) // given up
	}
	m.conflicts = append(m.conflicts, FieldConflict{
		Kind: kind, Pointer: at,
		Base: m.base.textOf(b), Later: m.later.textOf(l), Earlier: m.earlier.textOf(e),
	})
	if l == nil {
		return whole(fromEarlier, e)
	}
	return whole(fromLater, l)
}

// takes reports whether the earlier side's value is to stand in a conflict at a pointer.
func (m *merger) takes(at string) bool {
	return slices.ContainsFunc(m.taken, func(p string) bool {
		return p == "" || strings.HasPrefix(at, p) && (len(at) == len(p) || at[len(p)] == '/')
	})
}

// equalNodes reports whether two sides have the same value, or both none.
func equalNodes(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.id == b.id
}

// mergeable reports whether two sides have containers that can be merged: of one kind and form,
// and of one class. Two classes mix only at the document's root, where the class is a member as
// any other, and in collections of java.util of one kind, if one side left it. Arrays
// merge only on top of a base that is one, else nothing would tell what was added to what.
// A collection that holds exactly one element by its class, such as
// java.util.Collections$SingletonList, is no container for a merge: two elements would
// keep Apereo CAS from loading it.
func (m *merger) mergeable(b, l, e *node) bool {
	switch {
	case l == nil || e == nil || l.kind != e.kind || !l.isContainer():
		return false
	case (l.collection == 0) != (e.collection == 0), (l.tag == "") != (e.tag == ""):
		return false
	case l.collection != 0 && l.elements().kind != e.elements().kind:
		return false
	case strings.Contains(l.class, "$Singleton"), strings.Contains(e.class, "$Singleton"):
		return false
	case b != nil && b.kind != Null && (b.kind != l.kind || (b.collection == 0) != (l.collection == 0)):
		return false
	case l.kind == Array && l.elementsArray() && (b == nil || b.kind != Array || !b.elementsArray()):
		return false
	case l.class == e.class, len(m.at) == 0 && l.kind == Object && l.tag == "":
		return true
	case b == nil || b.class != l.class && b.class != e.class:
		return false
	}
	return len(m.at) == 0 && l.kind == Object || collectionKind(l.class) != 0 && collectionKind(l.class) == collectionKind(e.class)
}

// elementsArray reports whether an array has its items, or its elements if it is a typed
// collection, in an array.
func (n *node) elementsArray() bool { return n.collection == 0 || n.elements().kind == Array }

// into merges a value that is below the present one by key or index.
func (m *merger) into(token string, b, l, e *node) outcome {
	within := m.access
	m.access.decides = m.access.decides || decidesAccess(token)
	m.at = append(m.at, token)
	o := m.value(b, l, e)
	m.at = m.at[:len(m.at)-1]
	m.access = within
	return o
}

// object merges two objects by key.
func (m *merger) object(b, l, e *node) outcome {
	r := m.revise(b, l, e)
	baseMembers, laterMembers, earlierMembers := membersOf(b), membersOf(l), membersOf(e)
	var keys []string
	var values []int
	result := func(key string, o outcome) {
		if o.from != nowhere {
			keys, values = append(keys, key), append(values, o.id)
		}
	}
	for i := range l.kids {
		kid := &l.kids[i]
		inBase, _ := baseMembers.get(kid.key)
		inEarlier, _ := earlierMembers.get(kid.key)
		o := m.into(kid.key, inBase, kid, inEarlier)
		r.decide(i, o, inEarlier)
		result(kid.key, o)
	}
	after := -1
	for i := range e.kids {
		kid := &e.kids[i]
		if _, at := laterMembers.get(kid.key); at >= 0 {
			if !r.fates[at].removed {
				after = at
			}
			continue
		}
		inBase, _ := baseMembers.get(kid.key)
		o := m.into(kid.key, inBase, nil, kid)
		if o.from == fromEarlier {
			r.insert(after, i)
		}
		result(kid.key, o)
	}
	m.done(r)
	id := m.ids.object(r.tag(), len(keys), func(i int) (string, int) { return keys[i], values[i] })
	return outcome{from: fromLater, id: id}
}

// array merges two arrays: typed collections, or lists.
func (m *merger) array(b, l, e *node) outcome {
	if l.collection != 0 {
		return m.typed(b, l, e)
	}
	isSet := collectionKind(l.tag) == SetCollection && collectionKind(e.tag) == SetCollection
	o, ok := m.items(b, l, e, isSet)
	if !ok {
		return m.conflict(FieldCollection, b, l, e)
	}
	if collectionKind(o.tag) == SetCollection {
		o.id = m.ids.set(o.tag, o.kids)
	}
	return o
}

// typed merges two typed collections in the form ["class", elements].
func (m *merger) typed(b, l, e *node) outcome {
	var baseClass, baseElements *node
	if b != nil && b.collection != 0 {
		baseClass, baseElements = &b.kids[0], b.elements()
	}
	r := m.revise(nil, l, e)
	class := m.into("0", baseClass, &l.kids[0], &e.kids[0])
	r.decide(0, class, &e.kids[0])
	kind := l.collection
	if class.from == fromEarlier {
		kind = e.collection
	}
	m.at = append(m.at, "1")
	var elements outcome
	ok := true
	switch {
	case equalNodes(l.elements(), e.elements()):
		elements = whole(fromLater, l.elements())
	case l.elements().kind == Object:
		elements = m.object(baseElements, l.elements(), e.elements())
	default:
		isSet := l.collection == SetCollection && e.collection == SetCollection
		elements, ok = m.items(baseElements, l.elements(), e.elements(), isSet)
	}
	m.at = m.at[:len(m.at)-1]
	if !ok {
		return m.conflict(FieldCollection, b, l, e)
	}
	r.decide(1, elements, e.elements())
	m.done(r)
	id := m.ids.typed(class.id, kind, elements.tag, elements.id, elements.kids)
	return outcome{from: fromLater, id: id, kids: []int{class.id, elements.id}}
}

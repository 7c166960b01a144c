package definition

import "strconv"

// merger walks three documents at once. It decides for each value which side it comes from,
// and notes what that changes in the later side's text.
type merger struct {
	ids                  *identities
	base, later, earlier *side

	at        pointer // of the value that is being merged, in the result
	conflicts []FieldConflict
	revisions []*revision
	unlike    bool // two lists could not be aligned
}

// origin says which side's text a value of the result has.
type origin uint8

const (
	nowhere     origin = iota // the result has no such value
	fromLater                 // the later side's, perhaps with revisions below
	fromEarlier               // the earlier side's, whole
)

// outcome is what became of one value.
type outcome struct {
	from origin
	id   int    // the result's identity
	tag  string // of an array
	kids []int  // an array's items
}

func whole(from origin, n *node) outcome {
	switch {
	case n == nil:
		return outcome{}
	case n.kind == Array:
		return outcome{from, n.id, n.tag, idsOf(n.kids)}
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

// done hands a revision over if it changes anything.
func (m *merger) done(r *revision) {
	changes := r.retag || len(r.insertions) > 0
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
	case mergeable(b, l, e) && l.kind == Object:
		return m.object(b, l, e)
	case mergeable(b, l, e):
		return m.array(b, l, e)
	case equalNodes(b, l):
		return whole(fromEarlier, e)
	}
	m.conflicts = append(m.conflicts, FieldConflict{
		Pointer: m.at.String(),
		Base:    m.base.textOf(b), Later: m.later.textOf(l), Earlier: m.earlier.textOf(e),
	})
	if l == nil {
		return whole(fromEarlier, e)
	}
	return whole(fromLater, l)
}

// equalNodes reports whether two sides have the same value, or both none.
func equalNodes(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.id == b.id
}

// mergeable reports whether two sides have containers of one kind, and did not both
// change the class.
func mergeable(b, l, e *node) bool {
	switch {
	case l == nil || e == nil || l.kind != e.kind || !l.isContainer():
		return false
	case (l.collection == 0) != (e.collection == 0):
		return false
	case l.collection != 0 && l.elements().kind != e.elements().kind:
		return false
	}
	return l.class == e.class || b != nil && (b.class == l.class || b.class == e.class)
}

// into merges a value that is below the present one by key or index.
func (m *merger) into(token string, b, l, e *node) outcome {
	m.at = append(m.at, token)
	o := m.value(b, l, e)
	m.at = m.at[:len(m.at)-1]
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
	o := m.items(b, l, e, isSet)
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
	switch {
	case l.elements().id == e.elements().id:
		elements = whole(fromLater, l.elements())
	case l.elements().kind == Object:
		elements = m.object(baseElements, l.elements(), e.elements())
	default:
		isSet := l.collection == SetCollection && e.collection == SetCollection
		elements = m.items(baseElements, l.elements(), e.elements(), isSet)
	}
	m.at = m.at[:len(m.at)-1]
	m.done(r)
	id := m.ids.typed(class.id, kind, elements.tag, elements.id, elements.kids)
	return outcome{fromLater, id, "", []int{class.id, elements.id}}
}

// items merges the items of two arrays.
func (m *merger) items(b, l, e *node, isSet bool) outcome {
	r := m.revise(b, l, e)
	var items []node
	if b != nil && b.kind == Array {
		items = b.kids
	}
	var kids []int
	if isSet {
		kids = r.mergeSet(items)
	} else {
		kids = m.list(r, items)
	}
	m.done(r)
	return outcome{fromLater, m.ids.list(r.tag(), kids), r.tag(), kids}
}

// mergeSet merges two sets by what each added and removed, and returns the result's
// identities. What the earlier side put in the place of what it removed comes to
// that place.
func (r *revision) mergeSet(base []node) (kids []int) {
	l, e := r.container.kids, r.source.kids
	inBase, inLater, inEarlier := placesOf(base), placesOf(l), placesOf(e)
	added := func(i int) bool {
		_, was := inBase[e[i].id]
		_, is := inLater[e[i].id]
		return !was && !is && inEarlier[e[i].id] == i
	}
	placed := make([]int, len(e)) // the later side's kid that each of e takes the place of, or -1
	for i := range placed {
		placed[i] = -1
	}
	steps, _ := align(base, e)
	for _, s := range steps {
		if s.from < 0 || s.to < 0 || !added(s.to) {
			continue
		}
		if _, stays := inEarlier[base[s.from].id]; stays {
			continue
		}
		if at, ok := inLater[base[s.from].id]; ok && r.fates[at].by == nil {
			placed[s.to], r.fates[at].by = at, &e[s.to]
		}
	}
	for i := range l {
		_, was := inBase[l[i].id]
		_, is := inEarlier[l[i].id]
		switch {
		case r.fates[i].by != nil:
			kids = append(kids, r.fates[i].by.id)
		case was && !is:
			r.fates[i].removed = true
		default:
			kids = append(kids, l[i].id)
		}
	}
	after := -1
	for i := range e {
		switch at, is := inLater[e[i].id]; {
		case placed[i] >= 0:
			after = placed[i]
		case is:
			after = at
		case added(i):
			r.insert(after, i)
			kids = append(kids, e[i].id)
		}
	}
	return kids
}

// placesOf returns where each identity first is among nodes.
func placesOf(nodes []node) map[int]int {
	places := make(map[int]int, len(nodes))
	for i := range nodes {
		if _, ok := places[nodes[i].id]; !ok {
			places[nodes[i].id] = i
		}
	}
	return places
}

// list merges two lists item by item and returns the result's identities.
func (m *merger) list(r *revision, base []node) (kids []int) {
	l, e := r.container.kids, r.source.kids
	laterSteps, ok := align(base, l)
	earlierSteps, ok2 := align(base, e)
	if !ok || !ok2 {
		m.unlike = true
		return idsOf(l)
	}
	after := -1
	for {
		// What was inserted before the next item of base.
		var inserted map[int]int
		for ; len(laterSteps) > 0 && laterSteps[0].from < 0; laterSteps = laterSteps[1:] {
			after = laterSteps[0].to
			kids = append(kids, l[after].id)
			if inserted == nil {
				inserted = map[int]int{}
			}
			inserted[l[after].id]++
		}
		for ; len(earlierSteps) > 0 && earlierSteps[0].from < 0; earlierSteps = earlierSteps[1:] {
			kid := &e[earlierSteps[0].to]
			if inserted[kid.id] > 0 {
				inserted[kid.id]--
				continue
			}
			kids = append(kids, kid.id)
			r.insert(after, earlierSteps[0].to)
		}
		if len(laterSteps) == 0 {
			return kids
		}
		// What became of the next item of base.
		at, from := laterSteps[0].to, earlierSteps[0].to
		item, inLater, inEarlier := &base[laterSteps[0].from], itemAt(l, at), itemAt(e, from)
		laterSteps, earlierSteps = laterSteps[1:], earlierSteps[1:]
		o := m.into(strconv.Itoa(len(kids)), item, inLater, inEarlier)
		switch {
		case inLater != nil:
			r.decide(at, o, inEarlier)
			if o.from != nowhere {
				after = at
			}
		case o.from == fromEarlier:
			r.insert(after, from)
		}
		if o.from != nowhere {
			kids = append(kids, o.id)
		}
	}
}

// itemAt returns the item with an index, or nil for -1.
func itemAt(items []node, i int) *node {
	if i < 0 {
		return nil
	}
	return &items[i]
}

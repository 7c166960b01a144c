package definition

import (
	"cmp"
	"slices"
	"strconv"
)

// slot is one place of a merged array: the indices of the items that come together there, or -1.
// tied says that they are one item, so that they may be merged; see tokens.
type slot struct {
	base, later, earlier int
	tied                 bool
}

// items merges the items of two arrays, which are made from those of b. It reports false if they
// cannot be put together; see listSlots.
func (m *merger) items(b, l, e *node, isSet bool) (o outcome, ok bool) {
	kind := FieldItem
	var slots []slot
	if isSet {
		slots, kind = m.setSlots(b.kids, l.kids, e.kids), FieldElement
	} else if slots, ok = m.listSlots(b, l, e); !ok && equalNodes(b, l) {
		return whole(fromEarlier, e), true
	} else if !ok {
		return outcome{}, false
	}
	r := m.revise(b, l, e)
	kids := m.fill(r, kind, b.kids, slots)
	m.done(r)
	return outcome{from: fromLater, id: m.ids.list(r.tag(), kids), tag: r.tag(), kids: kids}, true
}

// fill merges the items of each slot and returns the result's identities.
func (m *merger) fill(r *revision, kind FieldKind, base []node, slots []slot) (kids []int) {
	l, e := r.container.kids, r.source.kids
	behind := -1     // the later side's kid that stays before the present slot
	count := 0       // of the slots that Merge fills
	var order []spot // of the result's items
	for _, s := range slots {
		inLater, inEarlier := itemAt(l, s.later), itemAt(e, s.earlier)
		o := m.item(kind, count, itemAt(base, s.base), inLater, inEarlier, s.tied)
		if o.from != nowhere || o.taken {
			count++
		}
		switch {
		case inLater != nil:
			r.decide(s.later, o, inEarlier)
			if o.from != nowhere {
				behind = s.later
				order = append(order, spot{s.later, -1})
			}
		case o.from == fromEarlier:
			order = append(order, spot{behind, len(r.insertions)})
			r.insert(behind, s.earlier)
		}
		if o.from != nowhere {
			kids = append(kids, o.id)
		}
	}
	r.arrange(order)
	return kids
}

// item merges one item of an array. What both sides made of it unequally is merged only if it is
// tied; otherwise it is a conflict as a whole, for halves of two things would be
// neither.
func (m *merger) item(kind FieldKind, index int, b, l, e *node, tied bool) outcome {
	m.at = append(m.at, strconv.Itoa(index))
	defer func() { m.at = m.at[:len(m.at)-1] }()
	if tied && l != nil && e != nil || equalNodes(l, e) || equalNodes(b, l) || equalNodes(b, e) {
		return m.value(b, l, e)
	}
	return m.conflict(kind, b, l, e)
}

// itemAt returns the item with an index, or nil for -1.
func itemAt(items []node, i int) *node {
	if i < 0 {
		return nil
	}
	return &items[i]
}

// sequence is one side of a list's merge.
type sequence struct {
	items    []node
	tokens   []int
	matching matching
	others   []int // the same item in the other side, by index
	slots    []slot
}

// listSlots puts two lists that came from one base together. It reports false if each moved
// items in another way, or one has too much in common with the base in too many ways.
//
// The items that both have come in the order of the side that moved some. What only one
// has stays behind the item of both that it is behind there, or at the end. Where each side has some in
// one place, a comparison of their values decides which come first: which side is later
// makes no difference.
func (m *merger) listSlots(b, l, e *node) ([]slot, bool) {
	tokens := m.tokens(b.kids, l.kids, e.kids)
	p := &sequence{items: l.kids, tokens: tokens[1]}
	q := &sequence{items: e.kids, tokens: tokens[2]}
	matchings, ok := matchBoth(b.kids, l.kids, e.kids, tokens)
	if !ok {
		return nil, false
	}
	for i, s := range []*sequence{p, q} {
		s.matching, s.others = matchings[i], none(len(s.items))
	}
	for i := range b.kids {
		if at, other := p.matching.to[i], q.matching.to[i]; at >= 0 && other >= 0 {
			p.others[at], q.others[other] = other, at
		}
	}
	pairNew(p, q)
	p.slots, q.slots = make([]slot, len(p.items)), make([]slot, len(q.items))
	for i := range p.items {
		s := slot{base: p.matching.from[i], later: i, earlier: p.others[i]}
		s.tied = s.earlier >= 0 && p.tokens[i] == q.tokens[s.earlier] && (s.base < 0 || tokens[0][s.base] == p.tokens[i])
		if p.slots[i] = s; s.earlier >= 0 {
			q.slots[s.earlier] = s
		}
	}
	for i := range q.items {
		if q.others[i] < 0 {
			q.slots[i] = slot{base: q.matching.from[i], later: -1, earlier: i}
		}
	}
	if p.compare(q) > 0 {
		p, q = q, p
	}
	switch inP, inQ := p.common(), q.common(); {
	case slices.IsSorted(inQ), slices.Equal(inP, inQ):
		return p.with(q), true
	case slices.IsSorted(inP):
		return q.with(p), true
	}
	return nil, false
}

// pairNew pairs the items that both sides added: those with equal tokens, in their order.
func pairNew(p, q *sequence) {
	left := map[int][]int{}
	for j, from := range q.matching.from {
		if from < 0 {
			left[q.tokens[j]] = append(left[q.tokens[j]], j)
		}
	}
	for i, from := range p.matching.from {
		if places := left[p.tokens[i]]; from < 0 && len(places) > 0 {
			p.others[i], q.others[places[0]] = places[0], i
			left[p.tokens[i]] = places[1:]
		}
	}
}

// common returns the base's indices of the items that both sides have, in the order of this one.
func (s *sequence) common() (inBase []int) {
	for i, from := range s.matching.from {
		if from >= 0 && s.others[i] >= 0 {
			inBase = append(inBase, from)
		}
	}
	return inBase
}

// with returns the slots of both sequences in the order of s.
func (s *sequence) with(other *sequence) []slot {
	runs := make(map[int][]int, len(other.items)) // what only the other has, behind an item of both or -1
	behind, last := -1, -1                        // an item of both of each side: of the other the one before, of s the last
	for j, own := range other.others {
		if own >= 0 {
			behind, last = own, max(last, own)
			continue
		}
		runs[behind] = append(runs[behind], j)
	}
	if atEnd := runs[behind]; last != behind {
		runs[behind], runs[last] = nil, append(runs[last], atEnd...)
	}
	slots := make([]slot, 0, len(s.items)+len(other.items))
	for i := -1; i < len(s.items); {
		if i >= 0 {
			slots = append(slots, s.slots[i])
		}
		end := i + 1 // of the run of what only s has
		for end < len(s.items) && s.others[end] < 0 {
			end++
		}
		own, theirs := s.slots[i+1:end], make([]slot, len(runs[i]))
		for k, j := range runs[i] {
			theirs[k] = other.slots[j]
		}
		if first, second := s.firstNew(own), other.firstNew(theirs); first != nil && second != nil && compareNodes(second, first) < 0 {
			own, theirs = theirs, own
		}
		slots = append(append(slots, own...), theirs...)
		i = end
	}
	return slots
}

// compare compares the items of two sequences in their order.
func (s *sequence) compare(other *sequence) int {
	return slices.CompareFunc(s.items, other.items, func(a, b node) int { return compareNodes(&a, &b) })
}

// compareNodes compares two values, whatever their layout. What it returns for unequal values says
// nothing but which is which.
func compareNodes(a, b *node) int {
	if a.id == b.id {
		return 0
	}
	if c := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.tag, b.tag), cmp.Compare(a.key, b.key), cmp.Compare(a.text, b.text)); c != 0 {
		return c
	}
	return slices.CompareFunc(a.kids, b.kids, func(a, b node) int { return compareNodes(&a, &b) })
}

// firstNew returns the first item in slots that has no base, in slots of s only, or nil.
func (s *sequence) firstNew(slots []slot) *node {
	for _, slot := range slots {
		if slot.base < 0 {
			return &s.items[max(slot.later, slot.earlier)]
		}
	}
	return nil
}

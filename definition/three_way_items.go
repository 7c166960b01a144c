package definition

import "strconv"

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
	return outcome{from: fromLater, id: m.ids.list(r.tag(), kids), tag: r.tag(), kids: kids}
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

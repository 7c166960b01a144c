package definition

// setSlots puts two sets that came from one base together by what each added and removed. An
// element that both removed comes to one place with what both put instead, and so does a
// container that one changed and the other removed: these are conflicts. The slots are in the
// order of the later side; what the earlier side put in the place of what it removed comes
// to that place.
func (m *merger) setSlots(base, l, e []node) []slot {
	tokens := m.tokens(base, l, e)
	inBase, inLater, inEarlier := placesOf(tokens[0]), placesOf(tokens[1]), placesOf(tokens[2])
	at := func(places map[int]int, token int) int {
		if i, ok := places[token]; ok {
			return i
		}
		return -1
	}
	ofLater := make([]slot, len(l))
	for i, token := range tokens[1] {
		ofLater[i] = slot{at(inBase, token), i, at(inEarlier, token), true}
	}
	ofEarlier := make([]slot, len(e)) // those without a place in the later side
	for i, token := range tokens[2] {
		ofEarlier[i] = slot{at(inBase, token), at(inLater, token), i, true}
		if inEarlier[token] != i {
			ofEarlier[i].later = len(l) // nowhere, it is there already
		}
	}
	brought := map[int]bool{} // of the base
	bring := func(s slot) {
		brought[s.base] = true
		if s.later >= 0 {
			ofLater[s.later] = s
		}
		if s.earlier >= 0 {
			ofEarlier[s.earlier] = s
		}
	}
	addedByLater := func(i int) bool {
		return i >= 0 && ofLater[i].base < 0 && ofLater[i].earlier < 0 && inLater[tokens[1][i]] == i
	}
	addedByEarlier := func(i int) bool { return i >= 0 && ofEarlier[i].base < 0 && ofEarlier[i].later < 0 }
	gone := func(i, token int) bool {
		return inBase[token] == i && at(inLater, token) < 0 && at(inEarlier, token) < 0
	}

	// What both put for what both removed.
	instead, ok := matchBoth(base, l, e, tokens)
	if !ok {
		instead = [2]matching{{to: none(len(base))}, {to: none(len(base))}}
	}

	for i, token := range tokens[0] {
		s := slot{base: i, later: instead[0].to[i], earlier: instead[1].to[i]}
		if gone(i, token) && base[i].isContainer() && addedByLater(s.later) && addedByEarlier(s.earlier) {
			bring(s)
		}
	}
	for _, kind := range []Kind{0, Array, Object} {
		i, j := 0, 0
		for from, token := range tokens[0] {
			if !gone(from, token) || base[from].shape() != kind || brought[from] {
				continue
			}
			for i < len(l) && !(addedByLater(i) && l[i].shape() == kind) {
				i++
			}
			for j < len(e) && !(addedByEarlier(j) && e[j].shape() == kind) {
				j++
			}
			if i < len(l) && j < len(e) {
				bring(slot{base: from, later: i, earlier: j})
			}
		}
	}
	// What one side put in the place of a container that the other removed, or of what the
	// other left.
	for i, token := range tokens[0] {
		s := slot{base: i, later: instead[0].to[i], earlier: instead[1].to[i]}
		byLater, byEarlier := addedByLater(s.later), addedByEarlier(s.earlier)
		inLater, inEarlier := at(inLater, token), at(inEarlier, token)
		switch {
		case inBase[token] != i || brought[i] || byLater && byEarlier:
		case inLater < 0 && inEarlier < 0 && base[i].isContainer() && (byLater || byEarlier):
			if !byLater {
				s.later = -1
			}
			if !byEarlier {
				s.earlier = -1
			}
			bring(s)
		case inLater < 0 && inEarlier >= 0 && byLater && e[inEarlier].id == base[i].id:
			s.earlier = inEarlier
			bring(s)
		case inEarlier < 0 && inLater >= 0 && byEarlier && l[inLater].id == base[i].id:
			s.later = inLater
			bring(s)
		}
	}

	behind := make([][]slot, len(l)+1) // by the later side's element that they follow, from -1 on
	after := -1
	for _, s := range ofEarlier {
		switch {
		case s.later == len(l):
		case s.later >= 0:
			after = s.later
		default:
			behind[after+1] = append(behind[after+1], s)
		}
	}
	slots := behind[0]
	for i, s := range ofLater {
		slots = append(append(slots, s), behind[i+1]...)
	}
	return slots
}

// shape returns the kind of a container, 0 for a scalar.
func (n *node) shape() Kind {
	if n.isContainer() {
		return n.kind
	}
	return 0
}

// placesOf returns where each number first is in a list.
func placesOf(numbers []int) map[int]int {
	places := make(map[int]int, len(numbers))
	for i, n := range numbers {
		if _, ok := places[n]; !ok {
			places[n] = i
		}
	}
	return places
}

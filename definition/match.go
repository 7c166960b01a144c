package definition

import "slices"

// identityFields are the members that tell what an object in a list is about, the surest first.
var identityFields = [...]string{"id", "name", "url", "key"}

// tokens gives the items of a base and of its two sides tokens. Items with equal tokens are tied:
// they are one item, whatever either side made of it. Equal items are tied, and so are
// objects of one class with an equal identity: the first of identityFields that they
// have, if no other item of their list has the same; or else a member that distinguishes, see
// distinctive. Nothing else is: two changed items that only stand in one place may be
// about different things.
func (m *merger) tokens(base, later, earlier []node) (tokens [3][]int) {
	lists := [3][]node{base, later, earlier}
	twice := map[int]bool{}
	for i, list := range lists {
		tokens[i] = make([]int, len(list))
		seen := map[int]bool{}
		for j := range list {
			token := m.identity(&list[j])
			tokens[i][j] = token
			twice[token] = twice[token] || token > 0 && seen[token]
			seen[token] = true
		}
	}
	key, known := "", false
	for i, list := range lists {
		for j := range list {
			item := &list[j]
			if token := tokens[i][j]; token > 0 && !twice[token] {
				continue
			}
			tokens[i][j] = item.id
			if item.kind != Object {
				continue
			}
			if !known {
				key, known = distinctive(lists), true
			}
			if member, _ := membersOf(item).get(key); member != nil {
				tokens[i][j] = m.ids.tied(item.class, key, member.id)
			}
		}
	}
	return tokens
}

// identity returns the token of an object that has one of identityFields, or 0.
func (m *merger) identity(n *node) int {
	if n.kind != Object {
		return 0
	}
	rank, at := len(identityFields), -1
	for i := range n.kids {
		if r := slices.Index(identityFields[:rank], n.kids[i].key); r >= 0 && n.kids[i].distinguishes() {
			rank, at = r, i
		}
	}
	if at < 0 {
		return 0
	}
	return m.ids.tied(n.class, n.kids[at].key, n.kids[at].id)
}

// distinguishes reports whether a member can tell one object from another.
func (n *node) distinguishes() bool {
	return n.kind == String && n.text != "" || n.kind == Number
}

// distinctive returns the key of the member that all objects in the lists have, in each list each
// with a value of its own. If several are so, it is the first text of the base's first
// object, else its first number, else the class; the latter two say something only among
// several objects. It returns "" if there is none.
func distinctive(lists [3][]node) string {
	type value struct {
		key string
		id  int
	}
	objects := 0 // in the base
	counts := [3]map[string]int{}
	all := [3]int{}
	for i, list := range lists {
		counts[i] = map[string]int{}
		seen := map[value]bool{}
		for j := range list {
			if list[j].kind != Object {
				continue
			}
			all[i]++
			for k := range list[j].kids {
				kid := &list[j].kids[k]
				if v := (value{kid.key, kid.id}); kid.distinguishes() && !seen[v] {
					seen[v] = true
					counts[i][kid.key]++
				}
			}
		}
	}
	first := slices.IndexFunc(lists[0], func(n node) bool { return n.kind == Object })
	if first < 0 {
		return ""
	}
	objects = all[0]
	fits := func(n *node) bool {
		return counts[0][n.key] == all[0] && counts[1][n.key] == all[1] && counts[2][n.key] == all[2]
	}
	kids := lists[0][first].kids
	for _, may := range []func(*node) bool{
		func(n *node) bool { return n.kind == String && n.key != classKey },
		func(n *node) bool { return n.kind == Number && objects > 1 },
		func(n *node) bool { return n.key == classKey && objects > 1 },
	} {
		if i := slices.IndexFunc(kids, func(n node) bool { return may(&n) && fits(&n) }); i >= 0 {
			return kids[i].key
		}
	}
	return ""
}

// matching tells which items of a list came from which of its base; -1 stands for none.
type matching struct {
	to   []int // the list's item, by the index in the base
	from []int // the base's item, by the index in the list
}

// matchBoth finds out how two lists came from their base, the later side's first. Tied items come
// from one another: a longest common subsequence stayed, the others were moved. Between
// those that stayed, items that are alike took each other's place, and containers without
// identity may have been moved and changed at once; but what both lists have
// and the base has not took the place of something only if it did so in both. It
// reports false if a list has too much in common with the base in too many ways to
// tell.
func matchBoth(base, later, earlier []node, tokens [3][]int) (both [2]matching, ok bool) {
	lists := [2][]node{later, earlier}
	places := [2]map[int]int{{}, {}} // of the base, by the token of what came there; -1 for what is in addition
	for i, list := range lists {
		if both[i], ok = match(base, list, tokens[0], tokens[1+i], nil); !ok {
			return both, false
		}
		for j, from := range both[i].from {
			if token := tokens[1+i][j]; from < 0 || tokens[0][from] != token {
				places[i][token] = from
			}
		}
	}
	added := map[int]bool{}
	for token, from := range places[0] {
		if other, ok := places[1][token]; ok && (other != from || from < 0) {
			added[token] = true
		}
	}
	for i, list := range lists {
		if len(added) > 0 {
			both[i], _ = match(base, list, tokens[0], tokens[1+i], added)
		}
	}
	return both, true
}

// match is matchBoth for one list. What is added took no other item's place.
func match(base, list []node, baseTokens, tokens []int, added map[int]bool) (m matching, ok bool) {
	m = matching{none(len(base)), none(len(list))}
	pair := func(i, j int) { m.to[i], m.from[j] = j, i }
	common, ok := commonItems(baseTokens, tokens)
	if !ok {
		return m, false
	}
	for _, c := range common {
		pair(c.from, c.to)
	}
	left := map[int][]int{}
	for j, token := range tokens {
		if m.from[j] < 0 {
			left[token] = append(left[token], j)
		}
	}
	for i, token := range baseTokens {
		if places := left[token]; m.to[i] < 0 && len(places) > 0 {
			pair(i, places[0])
			left[token] = places[1:]
		}
	}
	at := step{}
	for _, next := range append(common, step{len(base), len(list)}) {
		gone, came := unpaired(m.to, at.from, next.from), unpaired(m.from, at.to, next.to)
		came = slices.DeleteFunc(came, func(j int) bool { return added[tokens[j]] })
		for _, p := range alike(nodesAt(base, gone), nodesAt(list, came)) {
			pair(gone[p.from], came[p.to])
		}
		at = step{next.from + 1, next.to + 1}
	}
	m.pairMoved(base, list, baseTokens, tokens, added)
	return m, true
}

// pairMoved pairs what is left of containers that no identity tells apart, wherever they are:
// those of which so much is equal that one was surely moved and changed into the other.
func (m *matching) pairMoved(base, list []node, baseTokens, tokens []int, added map[int]bool) {
	left := func(nodes []node, counterparts, tokens []int) []int {
		return slices.DeleteFunc(unpaired(counterparts, 0, len(nodes)), func(i int) bool {
			return !nodes[i].isContainer() || tokens[i] != nodes[i].id || added[tokens[i]]
		})
	}
	gone, came := left(base, m.to, baseTokens), left(list, m.from, tokens)
	if len(gone)*len(came) > maxLikened {
		return
	}
	for _, i := range gone {
		best, most := -1, 0
		for _, j := range came {
			if equal := equalKids(&base[i], &list[j]); m.from[j] < 0 && equal > most {
				best, most = j, equal
			}
		}
		if best >= 0 && 2*most >= max(len(base[i].kids), len(list[best].kids)) {
			m.to[i], m.from[best] = best, i
		}
	}
}

// equalKids returns how many members or items two containers of one class have in common, the
// class not counted.
func equalKids(a, b *node) (n int) {
	if a.kind != b.kind || a.class != b.class {
		return 0
	}
	type kid struct {
		key string
		id  int
	}
	counts := make(map[kid]int, len(a.kids))
	for i := range a.kids {
		if a.kids[i].key != classKey {
			counts[kid{a.kids[i].key, a.kids[i].id}]++
		}
	}
	for i := range b.kids {
		if k := (kid{b.kids[i].key, b.kids[i].id}); counts[k] > 0 {
			counts[k]--
			n++
		}
	}
	return n
}

// unpaired returns the indices from one up to another that have no counterpart.
func unpaired(counterparts []int, from, to int) (indices []int) {
	for i := from; i < to; i++ {
		if counterparts[i] < 0 {
			indices = append(indices, i)
		}
	}
	return indices
}

func nodesAt(nodes []node, indices []int) []*node {
	at := make([]*node, len(indices))
	for i, index := range indices {
		at[i] = &nodes[index]
	}
	return at
}

package definition

import "strconv"

// The four texts of a merge, by their place in arrays.
const (
	ofBase = iota
	ofLater
	ofEarlier
	ofResult
)

// quad is one value as the texts of a merge have it.
type quad struct {
	nodes  [4]*node // nil where a text does not have it
	parent int      // the quad of the container, or -1
	index  int      // among the container's kids, in the text that tells the token
	token  string   // of the JSON pointer
	heir   home     // where comments come to stand if the result does not have the value
}

// home is a slot at a quad.
type home struct {
	quad int
	rel  relation
}

// quadder finds out which values of the four texts of a merge are one.
type quadder struct {
	*merger
	quads       []quad
	byContainer map[*node]*revision // of the later side
}

// quadsIn returns the quads of a merge's texts, the root's first; from says which side's text
// the result has.
func (m *merger) quadsIn(result *node, from origin) []quad {
	p := quadder{merger: m, byContainer: make(map[*node]*revision, len(m.revisions))}
	for _, r := range m.revisions {
		p.byContainer[r.container] = r
	}
	p.put(quad{nodes: [4]*node{m.base.root, m.later.root, m.earlier.root, result}, parent: -1}, from, false)
	return p.quads
}

// pointerTo returns the JSON pointer of a quad.
func pointerTo(quads []quad, i int) string {
	var tokens pointer
	for ; quads[i].parent >= 0; i = quads[i].parent {
		tokens = append(tokens, quads[i].token)
	}
	for a, b := 0, len(tokens)-1; a < b; a, b = a+1, b-1 {
		tokens[a], tokens[b] = tokens[b], tokens[a]
	}
	return tokens.String()
}

// put adds a quad and all below it. isSet says that its kids have no order.
func (p *quadder) put(at quad, from origin, isSet bool) {
	id := len(p.quads)
	p.quads = append(p.quads, at)
	var lead *node
	for _, side := range []int{ofResult, ofLater, ofEarlier, ofBase} {
		if n := at.nodes[side]; n != nil {
			n.quad = id
			if lead == nil && n.isContainer() {
				lead = n
			}
		}
	}
	if lead == nil {
		return
	}
	f := family{quadder: p, parent: id, lead: lead, typed: true, isSet: isSet || collectionKind(lead.tag) == SetCollection}
	for side, n := range at.nodes {
		switch {
		case n == nil || !n.isContainer():
		case n.kind == lead.kind:
			f.kids[side] = n.kids
			f.typed = f.typed && n.collection != 0
		default:
			f.apart = append(f.apart, side)
		}
	}
	f.heir = home{id, ending}
	switch n := at.nodes[ofResult]; {
	case n == nil:
		f.heir = at.heir
	case !n.isContainer():
		f.heir = home{id, above}
	default:
		f.from, f.revision = from, p.byContainer[at.nodes[ofLater]]
	}
	f.put(at.nodes)
}

// family is the kids of one quad.
type family struct {
	*quadder
	parent   int
	lead     *node
	typed    bool // all texts that have it have a class name and elements
	isSet    bool
	kids     [4][]node
	apart    []int // the texts in which the quad has a container of another kind
	heir     home
	from     origin    // which side's text the container has in the result
	revision *revision // if that is the later one's

	inBase   [3][]int // by side and kid, the base's kid that it is, or -1
	ofBase   [3][]int // by side and the base's kid, the side's, or -1
	twin     [3][]int // by side and kid, the one that the other side added too, or -1
	isPlaced [3][]bool
}

// put adds the quads of the kids.
func (f *family) put(parents [4]*node) {
	f.pair()
	for side := range f.isPlaced {
		f.isPlaced[side] = make([]bool, len(f.kids[side]))
	}
	origins := f.origins(parents[ofEarlier])
	indices := make(map[*node]int, len(f.kids[ofEarlier]))
	for i := range f.kids[ofEarlier] {
		indices[&f.kids[ofEarlier][i]] = i
	}
	for i := range origins {
		o := &origins[i]
		if r := f.byContainer[itemAt(f.kids[ofLater], o.later)]; r != nil && o.earlier < 0 {
			if at, ok := indices[r.source]; ok { // the merger has paired them
				o.earlier = at
			}
		}
		if o.later >= 0 {
			f.isPlaced[ofLater][o.later] = true
		}
		if o.earlier >= 0 {
			f.isPlaced[ofEarlier][o.earlier] = true
		}
	}
	for len(origins) < len(f.kids[ofResult]) { // never, as long as the result is read as it was written
		origins = append(origins, kidOrigin{-1, -1, -1, nowhere})
	}
	for i := range f.kids[ofResult] {
		f.complete(&origins[i])
		f.one(origins[i], &f.kids[ofResult][i], i, home{})
	}
	for _, side := range []int{ofLater, ofEarlier, ofBase} {
		heir := f.heir
		for i := len(f.kids[side]) - 1; i >= 0; i-- {
			kid := &f.kids[side][i]
			if f.isPlaced[side][i] {
				if at := f.quads[kid.quad]; at.parent == f.parent && at.nodes[ofResult] != nil {
					heir = home{kid.quad, above}
				}
				continue
			}
			o := kidOrigin{later: -1, earlier: -1, base: -1}
			switch side {
			case ofLater:
				o.later = i
			case ofEarlier:
				o.earlier = i
			case ofBase:
				o.base = i
			}
			f.isPlaced[side][i] = true
			f.complete(&o)
			f.one(o, nil, i, heir)
		}
	}
	for _, side := range f.apart {
		n := parents[side]
		for i := range n.kids {
			at := quad{parent: f.parent, index: i, token: strconv.Itoa(i), heir: f.heir}
			if n.kind == Object {
				at.token = n.kids[i].key
			}
			at.nodes[side] = &n.kids[i]
			f.quadder.put(at, nowhere, false)
		}
	}
}

// kidOrigin says which kids are one, by their index in each text, or -1.
type kidOrigin struct {
	base, later, earlier int
	from                 origin
}

// origins returns for each kid of the result which side's kid it is, or stands for. earlier is the
// container of the earlier side.
func (f *family) origins(earlier *node) []kidOrigin {
	var out []kidOrigin
	r := f.revision
	switch {
	case f.from == nowhere:
		return nil // the result has no such container
	case f.from == fromEarlier:
		for i := range f.kids[ofEarlier] {
			out = append(out, kidOrigin{-1, -1, i, fromEarlier})
		}
		return out
	case r == nil:
		for i := range f.kids[ofLater] {
			out = append(out, kidOrigin{-1, i, -1, fromLater})
		}
		return out
	}
	inserted := make(map[int][]int) // behind which kid which ones are
	for _, in := range r.insertions {
		inserted[in.after] = append(inserted[in.after], in.kid)
	}
	indexOf := make(map[*node]int, len(r.source.kids))
	for i := range r.source.kids {
		indexOf[&r.source.kids[i]] = i
	}
	insert := func(after int) {
		for _, kid := range inserted[after] {
			out = append(out, kidOrigin{-1, -1, kid, fromEarlier})
		}
	}
	insert(-1)
	for i := range r.fates {
		switch fate := r.fates[i]; {
		case fate.removed:
		case fate.by != nil:
			out = append(out, kidOrigin{-1, i, indexOf[fate.by], fromEarlier})
		default:
			out = append(out, kidOrigin{-1, i, -1, fromLater})
		}
		insert(i)
	}
	if len(r.order) == len(out) {
		inOrder := make([]kidOrigin, len(out))
		for i, at := range r.order {
			inOrder[i] = out[at]
		}
		out = inOrder
	}
	if r.source != earlier { // its kids are elsewhere
		for i := range out {
			out[i].earlier = -1
		}
	}
	return out
}

// complete fills in the kids of the other texts, of those that are without a quad yet.
func (f *family) complete(o *kidOrigin) {
	free := func(side, i int) int {
		if i < 0 || f.isPlaced[side][i] {
			return -1
		}
		f.isPlaced[side][i] = true
		return i
	}
	if o.base < 0 && o.later >= 0 {
		o.base = free(ofBase, f.inBase[ofLater][o.later])
	}
	if o.base < 0 && o.earlier >= 0 {
		o.base = free(ofBase, f.inBase[ofEarlier][o.earlier])
	}
	if o.base >= 0 && o.later < 0 {
		o.later = free(ofLater, f.ofBase[ofLater][o.base])
	}
	if o.base >= 0 && o.earlier < 0 {
		o.earlier = free(ofEarlier, f.ofBase[ofEarlier][o.base])
	}
	if o.earlier >= 0 && o.later < 0 {
		o.later = free(ofLater, f.twin[ofEarlier][o.earlier])
	}
	if o.later >= 0 && o.earlier < 0 {
		o.earlier = free(ofEarlier, f.twin[ofLater][o.later])
	}
}

// one adds the quad of one kid.
func (f *family) one(o kidOrigin, result *node, index int, heir home) {
	at := quad{parent: f.parent, index: index, token: strconv.Itoa(index), heir: heir}
	at.nodes = [4]*node{itemAt(f.kids[ofBase], o.base), itemAt(f.kids[ofLater], o.later), itemAt(f.kids[ofEarlier], o.earlier), result}
	if f.lead.kind == Object {
		for _, n := range at.nodes {
			if n != nil {
				at.token = n.key
			}
		}
	}
	isSet := f.typed && f.lead.collection == SetCollection && index == 1
	f.quadder.put(at, o.from, isSet)
}

// pair finds out which kids of the sides are kids of the base, and which the sides both added.
func (f *family) pair() {
	kids := &f.kids
	for side := range f.inBase {
		f.inBase[side], f.ofBase[side], f.twin[side] = none(len(kids[side])), none(len(kids[ofBase])), none(len(kids[side]))
	}
	switch {
	case f.lead.kind == Object:
		f.pairMembers()
	case f.typed:
		for i := range f.lead.kids {
			f.note(slot{base: i, later: i, earlier: i})
		}
	case f.isSet:
		for _, s := range f.setSlots(kids[ofBase], kids[ofLater], kids[ofEarlier]) {
			f.note(s)
		}
	default:
		lists := [3]*node{}
		for side := range lists {
			lists[side] = &node{kids: kids[side]}
		}
		slots, ok := f.listSlots(lists[ofBase], lists[ofLater], lists[ofEarlier])
		if !ok { // both moved items: one side's list is the result's
			f.pairEqual()
		}
		for _, s := range slots {
			f.note(s)
		}
	}
}

// note notes kids of the base and the sides that are one.
func (f *family) note(s slot) {
	index := [3]int{s.base, s.later, s.earlier}
	for side := range index {
		if index[side] >= len(f.kids[side]) {
			index[side] = -1
		}
	}
	for _, side := range []int{ofLater, ofEarlier} {
		if i, b := index[side], index[ofBase]; i >= 0 && b >= 0 {
			f.inBase[side][i], f.ofBase[side][b] = b, i
		}
	}
	if l, e := index[ofLater], index[ofEarlier]; l >= 0 && e >= 0 && index[ofBase] < 0 {
		f.twin[ofLater][l], f.twin[ofEarlier][e] = e, l
	}
}

func (f *family) pairMembers() {
	var in [3]members
	for side := range in {
		in[side] = membersOf(&node{kind: Object, kids: f.kids[side]})
	}
	at := func(side int, key string) int {
		_, i := in[side].get(key)
		return i
	}
	for side := range in {
		for i := range f.kids[side] {
			key := f.kids[side][i].key
			f.note(slot{base: at(ofBase, key), later: at(ofLater, key), earlier: at(ofEarlier, key)})
		}
	}
}

// pairEqual pairs the items of lists that are equal, each once.
func (f *family) pairEqual() {
	places := [3]map[int][]int{}
	ids := map[int]bool{}
	var order []int
	for side := range places {
		places[side] = make(map[int][]int, len(f.kids[side]))
		for i := range f.kids[side] {
			id := f.kids[side][i].id
			places[side][id] = append(places[side][id], i)
			if !ids[id] {
				ids[id] = true
				order = append(order, id)
			}
		}
	}
	for _, id := range order {
		for n := 0; ; n++ {
			s, found := [3]int{-1, -1, -1}, false
			for side := range places {
				if n < len(places[side][id]) {
					s[side], found = places[side][id][n], true
				}
			}
			if !found {
				break
			}
			f.note(slot{base: s[ofBase], later: s[ofLater], earlier: s[ofEarlier]})
		}
	}
}

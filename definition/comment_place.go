package definition

import "strconv"

// The four texts of a merge, by their place in arrays.
const (
	ofBase = iota
	ofLater
	ofEarlier
	ofResult
)

// spot is one value as the texts of a merge have it.
type spot struct {
	nodes  [4]*node // nil where a text does not have it
	parent int      // the spot of the container, or -1
	index  int      // among the container's kids, in the text that tells the token
	token  string   // of the JSON pointer
	heir   home     // where comments come to stand if the result does not have the value
}

// home is a slot at a spot.
type home struct {
	spot int
	slot slot
}

// spotter finds out which values of the four texts of a merge are one.
type spotter struct {
	spots     []spot
	revisions map[*node]*revision // by the later side's container
}

// spotsIn returns the spots of a merge's texts, the root's first; from says which side's text
// the result has.
func (m *merger) spotsIn(result *node, from origin) []spot {
	p := spotter{revisions: make(map[*node]*revision, len(m.revisions))}
	for _, r := range m.revisions {
		p.revisions[r.container] = r
	}
	p.put(spot{nodes: [4]*node{m.base.root, m.later.root, m.earlier.root, result}, parent: -1}, from, false)
	return p.spots
}

// pointerTo returns the JSON pointer of a spot.
func pointerTo(spots []spot, i int) string {
	var tokens pointer
	for ; spots[i].parent >= 0; i = spots[i].parent {
		tokens = append(tokens, spots[i].token)
	}
	for a, b := 0, len(tokens)-1; a < b; a, b = a+1, b-1 {
		tokens[a], tokens[b] = tokens[b], tokens[a]
	}
	return tokens.String()
}

// put adds a spot and all below it. isSet says that its kids have no order.
func (p *spotter) put(at spot, from origin, isSet bool) {
	id := len(p.spots)
	p.spots = append(p.spots, at)
	var lead *node
	for _, side := range []int{ofResult, ofLater, ofEarlier, ofBase} {
		if n := at.nodes[side]; n != nil {
			n.spot = id
			if lead == nil && n.isContainer() {
				lead = n
			}
		}
	}
	if lead == nil {
		return
	}
	f := family{spotter: p, parent: id, lead: lead, typed: true, isSet: isSet || collectionKind(lead.tag) == SetCollection}
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
		f.from, f.revision = from, p.revisions[at.nodes[ofLater]]
	}
	f.put(at.nodes)
}

// family is the kids of one spot.
type family struct {
	*spotter
	parent   int
	lead     *node
	typed    bool // all texts that have it have a class name and elements
	isSet    bool
	kids     [4][]node
	apart    []int // the texts in which the spot has a container of another kind
	heir     home
	from     origin    // which side's text the container has in the result
	revision *revision // if that is the later one's

	inBase   [3][]int // by side and kid, the base's kid that it is, or -1
	ofBase   [3][]int // by side and the base's kid, the side's, or -1
	twin     [3][]int // by side and kid, the one that the other side added too, or -1
	isPlaced [3][]bool
}

// put adds the spots of the kids.
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
		if r := f.revisions[itemAt(f.kids[ofLater], o.later)]; r != nil && o.earlier < 0 {
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
				if at := f.spots[kid.spot]; at.parent == f.parent && at.nodes[ofResult] != nil {
					heir = home{kid.spot, above}
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
			at := spot{parent: f.parent, index: i, token: strconv.Itoa(i), heir: f.heir}
			if n.kind == Object {
				at.token = n.kids[i].key
			}
			at.nodes[side] = &n.kids[i]
			f.spotter.put(at, nowhere, false)
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
	if r.source != earlier { // its kids are elsewhere
		for i := range out {
			out[i].earlier = -1
		}
	}
	return out
}

// complete fills in the kids of the other texts, of those that are without a spot yet.
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

// one adds the spot of one kid.
func (f *family) one(o kidOrigin, result *node, index int, heir home) {
	at := spot{parent: f.parent, index: index, token: strconv.Itoa(index), heir: heir}
	at.nodes = [4]*node{itemAt(f.kids[ofBase], o.base), itemAt(f.kids[ofLater], o.later), itemAt(f.kids[ofEarlier], o.earlier), result}
	if f.lead.kind == Object {
		for _, n := range at.nodes {
			if n != nil {
				at.token = n.key
			}
		}
	}
	isSet := f.typed && f.lead.collection == SetCollection && index == 1
	f.spotter.put(at, o.from, isSet)
}

// pair finds out which kids of the sides are kids of the base, and which the sides both added.
func (f *family) pair() {
	base := f.kids[ofBase]
	for _, side := range []int{ofLater, ofEarlier} {
		kids := f.kids[side]
		f.inBase[side] = f.partners(base, kids)
		f.ofBase[side] = none(len(base))
		for i, b := range f.inBase[side] {
			if b >= 0 {
				f.ofBase[side][b] = i
			}
		}
	}
	later, earlier := f.kids[ofLater], f.kids[ofEarlier]
	f.twin[ofLater], f.twin[ofEarlier] = none(len(later)), none(len(earlier))
	type name struct {
		key string
		id  int
	}
	added := make(map[name][]int)
	nameOf := func(i int, n *node) name {
		switch {
		case f.lead.kind == Object:
			return name{key: n.key}
		case f.typed:
			return name{id: i}
		}
		return name{id: n.id}
	}
	for i := range later {
		if f.inBase[ofLater][i] < 0 {
			added[nameOf(i, &later[i])] = append(added[nameOf(i, &later[i])], i)
		}
	}
	for i := range earlier {
		if twins := added[nameOf(i, &earlier[i])]; f.inBase[ofEarlier][i] < 0 && len(twins) > 0 {
			f.twin[ofEarlier][i], f.twin[ofLater][twins[0]] = twins[0], i
			added[nameOf(i, &earlier[i])] = twins[1:]
		}
	}
}

// partners returns for each kid of to the kid of from that it is, or -1.
func (f *family) partners(from, to []node) []int {
	out := none(len(to))
	switch {
	case f.lead.kind == Object:
		members := membersOf(&node{kind: Object, kids: from})
		for i := range to {
			_, out[i] = members.get(to[i].key)
		}
		return out
	case f.typed:
		for i := range min(len(from), len(to)) {
			out[i] = i
		}
		return out
	}
	taken := make([]bool, len(from))
	if f.isSet {
		places := placesOf(from)
		for i := range to {
			if at, ok := places[to[i].id]; ok && !taken[at] {
				out[i], taken[at] = at, true
			}
		}
	}
	steps, _ := align(from, to)
	for _, s := range steps {
		if s.from >= 0 && s.to >= 0 && out[s.to] < 0 && !taken[s.from] {
			out[s.to], taken[s.from] = s.from, true
		}
	}
	return out
}

package definition

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// Basis says which version of a definition a save was made on, as far as its content tells.
type Basis uint8

const (
	// OnCurrent: nothing says that the author had read an older version.
	OnCurrent Basis = iota
	// OnOlder: the save is an edit of the older version, so its author had not read the
	// newer one.
	OnOlder
	// Returned: the save is the older version again, by its values. It undoes the newer
	// one, or its author had not read that; nobody can tell.
	Returned
)

// String returns the basis in lower case.
func (b Basis) String() string { return [...]string{"current", "older", "returned"}[b] }

// BasisOf tells whether saved, which was found where the version newer had replaced the
// version older, is an edit of older: programs and editors save whole documents that they
// have read some time before. newer is nil if the older version was replaced by its deletion.
//
// It compares values as Diff does, so a program that writes the document in its own layout
// is understood. saved is an edit of older if none of the fields that newer had changed has
// newer's value in it, at least one has older's again (the others a third), and saved differs
// from older beside. Against a deletion it is one if it keeps at least half of older's
// fields. A field that both changed tells nothing by itself: that is how an edit of the
// newer version looks too.
//
// Where newer had changed comments only, these are what counts, as long as newer and saved have
// comments at all; a program that drops all of them when it saves shows nothing by it. Content without structure is compared line by
// line. Content that does not parse is OnCurrent, and so is what is no edit of older at all but
// something else in its place (see Overwritten), such as another file's content.
func BasisOf(path Path, older, newer, saved []byte) Basis {
	if bytes.Equal(older, newer) || newer != nil && bytes.Equal(saved, newer) {
		return OnCurrent
	}
	var ids identities
	read := func(content []byte) *reading { return readForBasis(path, content, &ids) }
	o, s := read(older), read(saved)
	if o == nil || s == nil || Overwritten(path, older, saved) {
		return OnCurrent
	}
	var c basisCounter
	if newer == nil {
		c.value(o.root, nil, s.root)
		switch {
		case equalNodes(o.root, s.root):
			return Returned
		case c.back > 0 && 2*c.back >= weight(o.root):
			return OnOlder
		}
		return OnCurrent
	}
	n := read(newer)
	if n == nil {
		return OnCurrent
	}
	if c.value(o.root, n.root, s.root); equalNodes(o.root, n.root) {
		c.comments(o.comments, n.comments, s.comments)
	}
	switch {
	case c.back == 0 || c.kept > 0:
		return OnCurrent
	case equalNodes(o.root, s.root) && c.beside == 0:
		return Returned
	}
	return OnOlder
}

// reading is a version as BasisOf compares it.
type reading struct {
	root     *node
	comments map[string]int // by text: how many
}

// readForBasis returns nil for content that does not parse.
func readForBasis(path Path, content []byte, ids *identities) *reading {
	doc, layout, err := ParseLayout(path, content)
	if err != nil {
		return nil
	}
	root := doc.root
	if doc.syntax == Opaque {
		root = linesOf(content)
	}
	r := &reading{root: new(node), comments: make(map[string]int)}
	new(side).grow(r.root, &root, ids)
	if doc.syntax != Opaque {
		for _, c := range layout.Comments() {
			r.comments[c.Text]++
		}
	}
	return r
}

// linesOf is content without structure as a list of its lines.
func linesOf(content []byte) Value {
	list := Value{Kind: Array}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" {
			list.Items = append(list.Items, Value{Kind: String, Text: line})
		}
	}
	return list
}

// basisCounter counts what became, in a save, of the fields that a newer version had
// changed.
type basisCounter struct {
	back   int // have the older version's value again
	kept   int // have the newer version's value
	third  int // have another value
	beside int // differ from the older version, though the newer one had left them alone
}

// value compares one value of the older version o, the newer one n and the save s. One
// that a version does not have is nil.
func (c *basisCounter) value(o, n, s *node) {
	switch {
	case equalNodes(o, n):
		if !equalNodes(o, s) {
			c.beside++
		}
	case equalNodes(s, o):
		c.back += max(weight(o), 1)
	case equalNodes(s, n):
		c.kept++
	case !comparable3(o, n, s):
		c.third++
	case someOf(o, n, s).kind == Object:
		c.object(o, n, s)
	case someOf(o, n, s).collection != 0:
		c.value(kidAt(o, 0), kidAt(n, 0), kidAt(s, 0))
		c.list(kidAt(o, 1), kidAt(n, 1), kidAt(s, 1), someOf(o, n, s).collection == SetCollection)
	default:
		c.list(o, n, s, collectionKind(someOf(o, n, s).tag) == SetCollection)
	}
}

func (c *basisCounter) object(o, n, s *node) {
	older, newer, saved := membersOf(o), membersOf(n), membersOf(s)
	for i := range older.kids {
		key := older.kids[i].key
		nk, _ := newer.get(key)
		sk, _ := saved.get(key)
		c.value(&older.kids[i], nk, sk)
	}
	for i := range newer.kids {
		key := newer.kids[i].key
		if ok, _ := older.get(key); ok == nil {
			sk, _ := saved.get(key)
			c.value(nil, &newer.kids[i], sk)
		}
	}
	for i := range saved.kids {
		key := saved.kids[i].key
		ok, _ := older.get(key)
		if nk, _ := newer.get(key); ok == nil && nk == nil {
			c.beside++
		}
	}
}

// list compares lists, or sets, of which each may be missing.
func (c *basisCounter) list(o, n, s *node, set bool) {
	older, newer, saved := kidsOf(o), kidsOf(n), kidsOf(s)
	inNewer, inSaved := pairing(older, newer, set), pairing(older, saved, set)
	ofOlder, ofNewer, ofSaved := countsOf(older), countsOf(newer), countsOf(saved)
	added := make(map[int]int) // by newer: the items that are none of older's, by value
	for j := range leftOut(inNewer, len(newer)) {
		added[newer[j].id]++
	}
	for i := range older {
		item, nk, sk := &older[i], itemAt(newer, inNewer[i]), itemAt(saved, inSaved[i])
		if nk == nil && added[item.id] > 0 { // it was moved
			added[item.id]--
			nk = item
		}
		if sk == nil && ofSaved[item.id] > 0 {
			sk = item
		}
		c.value(item, nk, sk)
	}
	for id, count := range added {
		switch {
		case count == 0:
		case ofSaved[id] > ofOlder[id]:
			c.kept++
		default:
			c.back += count
		}
	}
	for j := range leftOut(inSaved, len(saved)) {
		if ofOlder[saved[j].id] == 0 && ofNewer[saved[j].id] == 0 {
			c.beside++
		}
	}
	if !set {
		c.order(older, newer, saved)
	}
}

// order compares the order of the items that all three lists have.
func (c *basisCounter) order(older, newer, saved []node) {
	inOlder, inNewer, inSaved := countsOf(older), countsOf(newer), countsOf(saved)
	common := func(list []node) (order []int) {
		met := make(map[int]bool)
		for i := range list {
			id := list[i].id
			if !met[id] && inOlder[id] > 0 && inNewer[id] > 0 && inSaved[id] > 0 {
				met[id] = true
				order = append(order, id)
			}
		}
		return order
	}
	o, n, s := common(older), common(newer), common(saved)
	switch {
	case slices.Equal(o, n):
		if !slices.Equal(o, s) {
			c.beside++
		}
	case slices.Equal(s, o):
		c.back++
	case slices.Equal(s, n):
		c.kept++
	default:
		c.third++
	}
}

// comments compares the comments, by their texts. Versions that have none tell nothing.
func (c *basisCounter) comments(o, n, s map[string]int) {
	if len(n) == 0 || len(s) == 0 {
		return
	}
	for text, count := range o {
		if n[text] < count { // newer removed or edited it
			if s[text] >= count {
				c.back++
			}
			continue
		}
		if s[text] != count && n[text] == count {
			c.beside++
		}
	}
	shares := false // some comment of the older version is still there
	for text := range s {
		shares = shares || o[text] > 0
	}
	for text, count := range n {
		if count <= o[text] {
			continue
		}
		switch {
		case s[text] > o[text]:
			c.kept++
		case shares:
			c.back++
		}
	}
	for text := range s {
		if o[text] == 0 && n[text] == 0 {
			c.beside++
		}
	}
}

// weight is how many fields a value has: one for each value that has none below it.
func weight(n *node) int {
	if n == nil {
		return 0
	}
	if len(n.kids) == 0 {
		return 1
	}
	sum := 0
	for i := range n.kids {
		sum += weight(&n.kids[i])
	}
	return sum
}

// comparable3 reports whether those of the values that are there are at least two, and
// containers of one kind.
func comparable3(nodes ...*node) bool {
	first := someOf(nodes...)
	there := 0
	for _, n := range nodes {
		if n == nil {
			continue
		}
		there++
		if !n.isContainer() || n.kind != first.kind || n.tag != first.tag || n.collection != first.collection {
			return false
		}
	}
	return there > 1
}

// someOf returns the first of the values that is there.
func someOf(nodes ...*node) *node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}

// kidAt returns a kid of a value, or nil if the value is missing.
func kidAt(n *node, i int) *node {
	if n == nil {
		return nil
	}
	return &n.kids[i]
}

func kidsOf(n *node) []node {
	if n == nil {
		return nil
	}
	return n.kids
}

// pairing returns for each item of a list its place in another, or -1.
func pairing(from, to []node, set bool) []int {
	at := none(len(from))
	steps, ok := []step(nil), false
	if !set {
		steps, ok = align(from, to)
	}
	if ok {
		for _, s := range steps {
			if s.from >= 0 {
				at[s.from] = s.to
			}
		}
		return at
	}
	byValue := make(map[int]int, len(to))
	for j := range slices.Backward(to) {
		byValue[to[j].id] = j
	}
	for i := range from {
		if j, there := byValue[from[i].id]; there {
			at[i] = j
		}
	}
	return at
}

// leftOut goes through the places of a list of n items that a pairing leaves out.
func leftOut(pairs []int, n int) iter.Seq[int] {
	taken := make([]bool, n)
	for _, j := range pairs {
		if j >= 0 {
			taken[j] = true
		}
	}
	return func(yield func(int) bool) {
		for j := range taken {
			if !taken[j] && !yield(j) {
				return
			}
		}
	}
}

// countsOf counts the items of a list by value.
func countsOf(items []node) map[int]int {
	counts := make(map[int]int, len(items))
	for i := range items {
		counts[items[i].id]++
	}
	return counts
}

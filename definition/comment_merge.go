package definition

import (
	"cmp"
	"slices"
)

// commentMerger merges the comments of three texts into the text that the merge of their values
// gave, the result.
type commentMerger struct {
	*merger
	result *side
	quads  []quad
	notes  [4][]comment
	bySlot [4]map[int][]int
	in     [3][]int // by side and comment of the base, the side's comment that it is, or -1
	was    [3][]int // by side and comment, the base's comment that it is, or -1

	fates     []commentFate // of the base's comments
	want      map[int][]wanted
	orphans   []orphan
	conflicts []commentConflict
	noted     map[notedAt]int // where conflicts has it
	edges     map[atEdge]int  // new comments of the later side, see isAtEdge
}

// commentFate is what becomes of a comment of the base.
type commentFate struct {
	stays      bool
	text, slot int // the sides whose text and slot it has
}

// wanted is a comment that the result is to have in a slot. of is the comment in each text, or
// -1; side says which text its own is.
type wanted struct {
	side int
	of   [3]int
}

// orphan is a comment of a value that the result does not have.
type orphan struct {
	wanted
	heir int // the slot that it goes to
}

// mergeComments decides which comments the result has, and in which slots. What both sides
// changed unequally is noted as a conflict. It returns nil if there are no comments.
func (m *merger) mergeComments(result *side, from origin) *commentMerger {
	c := &commentMerger{merger: m, result: result, want: make(map[int][]wanted), noted: make(map[notedAt]int)}
	comments := 0
	for i, s := range []*side{m.base, m.later, m.earlier, result} {
		c.notes[i] = s.attach()
		comments += len(c.notes[i])
	}
	if comments == 0 {
		return nil
	}
	c.quads = m.quadsIn(result.root, from)
	for i := range c.notes {
		c.bySlot[i] = commentsBySlot(c.notes[i])
	}
	for _, side := range []int{ofLater, ofEarlier} {
		c.in[side], c.was[side] = c.match(side)
	}
	c.fates = make([]commentFate, len(c.notes[ofBase]))
	for i := range c.fates {
		c.fates[i] = c.fate(i)
	}
	c.addLater()
	c.addEarlier()
	c.settle()
	c.addOrphans()
	for key, list := range c.want {
		if len(list) > 1 {
			c.want[key] = c.asInResult(key, list)
		}
	}
	c.oneToLineEnd()
	c.leaveAtEnd()
	return c
}

// textOf returns a comment of a text as a conflict shows it, or that there is none for -1.
func (c *commentMerger) textOf(of, i int) FieldText {
	if i < 0 {
		return FieldText{}
	}
	n := &c.notes[of][i]
	return FieldText{Text: string(c.text(of).content[n.start:n.end]), Present: true}
}

// text returns one of the texts that are merged.
func (c *commentMerger) text(of int) *side {
	return [...]*side{c.base, c.later, c.earlier, c.result}[of]
}

// standing returns the side whose value stands at the quad of a slot that says something about
// the value, if both sides changed that unequally, else -1.
func (c *commentMerger) standing(key int) int {
	n := &c.quads[key/relations].nodes
	b, l, e, r := n[ofBase], n[ofLater], n[ofEarlier], n[ofResult]
	switch at := relation(key % relations); {
	case at != behind && at != inside, l == nil || e == nil || r == nil, l.isContainer() && e.isContainer():
		return -1
	case l.id == e.id, b != nil && (b.id == l.id || b.id == e.id):
		return -1
	case r.id == l.id:
		return ofLater
	}
	return ofEarlier
}

// fate decides about one comment of the base.
func (c *commentMerger) fate(i int) commentFate {
	b := &c.notes[ofBase][i]
	of := [3]int{i, c.in[ofLater][i], c.in[ofEarlier][i]}
	var changed [3]bool
	for _, side := range []int{ofLater, ofEarlier} {
		changed[side] = of[side] < 0 || c.notes[side][of[side]].text != b.text
	}
	l, e := of[ofLater], of[ofEarlier]
	text := ofLater
	switch s := c.standing(b.key()); {
	case s == ofEarlier:
		text = ofEarlier
	case s == ofLater:
		if e >= 0 && changed[ofEarlier] && (l < 0 || c.notes[ofLater][l].text != c.notes[ofEarlier][e].text) {
			later := c.textOf(ofLater, l)
			later.Present = true
			c.note(b.owner.quad, c.textOf(ofBase, i), later, c.textOf(ofEarlier, e))
		}
	case !changed[ofEarlier]:
	case !changed[ofLater]:
		text = ofEarlier
	case l < 0 && e >= 0 && c.isAtEdge(e):
	case l < 0 && e < 0, l >= 0 && e >= 0 && c.notes[ofLater][l].text == c.notes[ofEarlier][e].text:
	case c.note(b.owner.quad, c.textOf(ofBase, i), c.textOf(ofLater, l), c.textOf(ofEarlier, e)), l < 0:
		text = ofEarlier
	}
	if of[text] < 0 {
		return commentFate{}
	}
	f := commentFate{stays: true, text: text, slot: text}
	if l >= 0 && e >= 0 {
		f.slot = ofLater
		later, earlier := c.notes[ofLater][l].key(), c.notes[ofEarlier][e].key()
		if later == b.key() && earlier != later && c.isIn(earlier) || !c.isIn(later) {
			f.slot = ofEarlier
		}
	}
	return f
}

// isIn reports whether the result has the value that a slot is at.
func (c *commentMerger) isIn(key int) bool { return c.quads[key/relations].nodes[ofResult] != nil }

// addLater puts the comments of the later side into their slots, but for those that are gone or
// that the earlier side moved.
func (c *commentMerger) addLater() {
	for i := range c.notes[ofLater] {
		w := wanted{ofLater, [3]int{c.was[ofLater][i], i, -1}}
		key := c.notes[ofLater][i].key()
		if b := w.of[ofBase]; b >= 0 {
			f := c.fates[b]
			if !f.stays || f.slot != ofLater {
				continue
			}
			w.side, w.of[ofEarlier] = f.text, c.in[ofEarlier][b]
		} else if c.standing(key) == ofEarlier {
			continue
		}
		if c.isIn(key) {
			c.want[key] = append(c.want[key], w)
		} else {
			c.orphan(w, key)
		}
	}
}

// addEarlier puts those of the earlier side that are new, or have moved, behind what they follow
// there.
func (c *commentMerger) addEarlier() {
	done := make(map[int]bool)
	for j := range c.notes[ofEarlier] {
		key := c.notes[ofEarlier][j].key()
		if done[key] {
			continue
		}
		done[key] = true
		list := c.want[key]
		at := make(map[int]int, len(list)) // where the earlier side's comments are in the list
		twins := make(map[string][]int)    // where the later side added which text
		for i, w := range list {
			if w.of[ofEarlier] >= 0 {
				at[w.of[ofEarlier]] = i
			} else if w.of[ofBase] < 0 {
				text := c.notes[ofLater][w.of[ofLater]].text
				twins[text] = append(twins[text], i)
			}
		}
		out, from := make([]wanted, 0, len(list)), 0
		for _, j := range c.bySlot[ofEarlier][key] {
			n := &c.notes[ofEarlier][j]
			i, ok := at[j]
			if same := twins[n.text]; !ok && c.was[ofEarlier][j] < 0 && len(same) > 0 {
				i, ok = same[0], true
				list[i].of[ofEarlier], twins[n.text] = j, same[1:]
			}
			w := wanted{ofEarlier, [3]int{c.was[ofEarlier][j], -1, j}}
			if b := w.of[ofBase]; b >= 0 && c.fates[b].stays {
				w.side, w.of[ofLater] = c.fates[b].text, c.in[ofLater][b]
			}
			switch {
			case ok && i >= from:
				out, from = append(out, list[from:i+1]...), i+1
			case ok || !c.comesFromEarlier(j, key):
			case !c.isIn(key):
				c.orphan(w, key)
			default:
				for ; from < len(list) && list[from].of[ofEarlier] < 0; from++ {
					out = append(out, list[from])
				}
				out = append(out, w)
			}
		}
		if out = append(out, list[from:]...); len(out) > 0 {
			c.want[key] = out
		}
	}
}

// comesFromEarlier reports whether a comment of the earlier side comes into its slot there.
func (c *commentMerger) comesFromEarlier(j, key int) bool {
	if b := c.was[ofEarlier][j]; b >= 0 {
		return c.fates[b].stays && c.fates[b].slot == ofEarlier
	}
	if c.isAtEdge(j) {
		return false
	}
	if c.standing(key) == ofLater {
		texts := []FieldText{{Present: true}}
		for _, w := range c.want[key] { // but for those that the earlier side removed elsewhere
			texts = append(texts, c.textOf(w.side, w.of[w.side]))
		}
		later := joined(texts)
		return c.note(key/relations, FieldText{}, later, c.textOf(ofEarlier, j))
	}
	return true
}

// isAtEdge reports whether the later side wrote a comment of the earlier one as well, at the same edge
// of a container, but in another slot: see edgeKey.
func (c *commentMerger) isAtEdge(j int) bool {
	if c.edges == nil {
		c.edges = make(map[atEdge]int)
		for i := range c.notes[ofLater] {
			n := &c.notes[ofLater][i]
			isNew := c.was[ofLater][i] < 0 || c.notes[ofBase][c.was[ofLater][i]].text != n.text
			if key := c.edgeKey(n, ofLater); isNew && key >= 0 {
				c.edges[atEdge{key, n.rel, n.text}]++
			}
		}
	}
	n := &c.notes[ofEarlier][j]
	other := [relations]relation{above: inside, inside: above, behind: ending, ending: behind}[n.rel]
	at := atEdge{c.edgeKey(n, ofEarlier), other, n.text}
	if c.edges[at] == 0 {
		return false
	}
	c.edges[at]--
	return true
}

// atEdge is a comment at the edge of a container.
type atEdge struct {
	key  int
	rel  relation
	text string
}

// orphan finds a place for a comment whose value is gone. Nobody removed the comment, so it
// stays near. It is a conflict if a side wrote it beside the value.
func (c *commentMerger) orphan(w wanted, key int) {
	if at := relation(key % relations); w.of[ofBase] < 0 && (at == inside || at == behind) {
		texts := [3]FieldText{}
		texts[w.side] = c.textOf(w.side, w.of[w.side])
		if c.note(key/relations, FieldText{}, texts[ofLater], texts[ofEarlier]) && w.side == ofLater {
			return
		}
	}
	heir := c.quads[key/relations].heir
	c.orphans = append(c.orphans, orphan{w, heir.quad*relations + int(heir.rel)})
}

// addOrphans puts the comments of values that are gone where the result has them already, else
// before the comments of their heirs.
func (c *commentMerger) addOrphans() {
	if len(c.orphans) == 0 {
		return
	}
	type there struct {
		text string
		key  int
	}
	count := make(map[there]int) // how many the result has that are wanted there
	for key, list := range c.want {
		for _, w := range list {
			count[there{c.comment(w).text, key}]++
		}
	}
	unwanted := make(map[string][]int) // slots of the result, by text
	for i := range c.notes[ofResult] {
		n := &c.notes[ofResult][i]
		if at := (there{n.text, n.key()}); count[at] > 0 {
			count[at]--
		} else {
			unwanted[n.text] = append(unwanted[n.text], n.key())
		}
	}
	byHeir := make(map[int][]wanted)
	for _, o := range c.orphans {
		if text := c.comment(o.wanted).text; len(unwanted[text]) > 0 {
			o.heir, unwanted[text] = unwanted[text][0], unwanted[text][1:]
		}
		byHeir[o.heir] = append(byHeir[o.heir], o.wanted)
	}
	for heir, orphans := range byHeir {
		c.want[heir] = append(orphans, c.want[heir]...)
	}
}

// asInResult brings what is wanted in a slot into the order that the result has it in, as far as
// it has it.
func (c *commentMerger) asInResult(key int, list []wanted) []wanted {
	places := make(map[string][]int)
	for i, at := range c.bySlot[ofResult][key] {
		text := c.notes[ofResult][at].text
		places[text] = append(places[text], i)
	}
	type ranked struct {
		wanted
		rank int
	}
	all, rank := make([]ranked, len(list)), -1
	for i, w := range list {
		if at := places[c.comment(w).text]; len(at) > 0 {
			rank, places[c.comment(w).text] = at[0], at[1:]
		}
		all[i] = ranked{w, rank}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	for i := range all {
		list[i] = all[i].wanted
	}
	return list
}

// settle moves what is wanted between a key and its value, behind the value, or at the end of the
// document, to where the layout of the result has a place for it.
func (c *commentMerger) settle() {
	for i := range c.quads {
		n, result := c.quads[i].nodes[ofResult], c.text(ofResult)
		if n == nil {
			continue
		}
		if c.quads[i].parent < 0 {
			if end := i*relations + int(ending); len(c.want[end]) > 0 && !result.isBracketed(n) {
				tail := i*relations + int(behind)
				c.want[tail], c.want[end] = append(c.want[end], c.want[tail]...), nil
			}
			continue
		}
		from, to := i*relations+int(inside), i*relations+int(behind)
		switch {
		case n.block:
			from, to = to, from
		case result.isBracketed(n) && (len(n.kids) > 0 || len(c.bySlot[ofResult][from]) > 0):
			continue
		}
		var stay []wanted
		for _, w := range c.want[from] {
			if n.block || result.syntax == YAML || !c.comment(w).block {
				c.want[to] = append(c.want[to], w)
			} else {
				stay = append(stay, w)
			}
		}
		if len(stay) < len(c.want[from]) {
			c.want[from] = stay
		}
	}
}

// oneToLineEnd leaves one comment up to the end of the line in each slot that is on one line, the
// last. If both sides added one, the later side's stands, and a conflict is noted.
func (c *commentMerger) oneToLineEnd() {
	for i := range c.quads {
		for _, at := range []relation{inside, behind} {
			if at == behind && c.quads[i].parent < 0 {
				continue // the tail of the document has lines
			}
			key := i*relations + int(at)
			list := c.want[key]
			if len(list) < 2 {
				continue
			}
			var out []wanted
			last := -1
			for k := range list {
				switch {
				case c.comment(list[k]).block:
					out = append(out, list[k])
				case last < 0:
					last = k
				default:
					if c.note(i, FieldText{}, c.textOf(list[last].side, list[last].of[list[last].side]), c.textOf(list[k].side, list[k].of[list[k].side])) {
						last = k
					}
				}
			}
			if last >= 0 {
				out = append(out, list[last])
			}
			c.want[key] = out
		}
	}
}

// leaveAtEnd leaves a comment where it is that is wanted at the end of a container, and stands
// behind the last kid: in a container on one line these are the same.
func (c *commentMerger) leaveAtEnd() {
	for key, list := range c.want {
		n := c.quads[key/relations].nodes[ofResult]
		if relation(key%relations) != ending || len(list) == 0 || !n.isContainer() || len(n.kids) == 0 {
			continue
		}
		last := n.kids[len(n.kids)-1].quad*relations + int(behind)
		has, want := c.bySlot[ofResult][last], c.want[last]
		for len(list) > 0 && len(want) < len(has) && c.notes[ofResult][has[len(want)]].text == c.comment(list[0]).text {
			want, list = append(want, list[0]), list[1:]
		}
		c.want[last], c.want[key] = want, list
	}
}

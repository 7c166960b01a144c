package crdt

import (
	"iter"
	"slices"
	"time"
)

// Ancestry is asked for at every step (is prev an ancestor? a parent? a
// grant?), so it must not walk the graph. The elements are laid out in lanes:
// paths through the graph in which every element descends from the one before.
// Each element knows, for every lane, up to which position the lane is in its
// ancestry; whether x is an ancestor of y is then one comparison. An author's
// changes fill one lane unless its key was cloned, so there are about as many
// lanes as members. Lanes are this replica's own and are laid anew at start.

// clock maps a lane to the highest position of it that is in an ancestry;
// positions begin at 1. It is a tree of pieces that is never altered, and clocks
// share the pieces in which they do not differ. So a clock costs what it differs in
// from those that it was made of, however many lanes there are: a writer that forks
// its key on purpose can open as many as it likes. The zero value is empty.
type clock struct{ root *piece }

// piece holds the positions of some neighbouring lanes. The pieces are numbered by
// their lanes; the root is number 0, and piece n has the pieces 8n+1 to 8n+8 below
// it. So the clock of a small cluster is one piece.
type piece struct {
	at    [pieceLanes]uint32
	below *[pieceBelow]*piece // nil if it would be empty
}

const (
	pieceLanes = 9 // with which a piece fills its 48 bytes
	pieceBelow = 8
)

// way is how to get from the root to a piece: the last step comes first.
type way struct {
	steps [11]uint8
	n     int
}

func wayTo(piece uint32) way {
	var w way
	for ; piece > 0; w.n++ {
		piece--
		w.steps[w.n] = uint8(piece % pieceBelow)
		piece /= pieceBelow
	}
	return w
}

// at returns the position of the lane, 0 if nothing of it is in the ancestry.
func (c clock) at(lane uint32) uint32 {
	p := c.root
	for w := wayTo(lane / pieceLanes); w.n > 0 && p != nil; w.n-- {
		if p.below == nil {
			return 0
		}
		p = p.below[w.steps[w.n-1]]
	}
	if p == nil {
		return 0
	}
	return p.at[lane%pieceLanes]
}

// covers reports whether an element is in the ancestry.
func (c clock) covers(e *element) bool { return c.at(e.lane) >= e.pos }

// with returns a clock in which the lane stands at least at pos.
func (c clock) with(lane, pos uint32) clock {
	if c.at(lane) >= pos {
		return c
	}
	return clock{c.root.with(wayTo(lane/pieceLanes), lane%pieceLanes, pos)}
}

// with returns a copy of p in which a lane of the piece that w leads to stands at pos.
func (p *piece) with(w way, lane, pos uint32) *piece {
	out := new(piece)
	if p != nil {
		*out = *p
	}
	if w.n == 0 {
		out.at[lane] = pos
		return out
	}
	below := new([pieceBelow]*piece)
	if out.below != nil {
		*below = *out.below
	}
	w.n--
	step := w.steps[w.n]
	below[step] = below[step].with(w, lane, pos)
	out.below = below
	return out
}

// join returns the clock of the union of both ancestries.
func (c clock) join(other clock) clock { return clock{joinPieces(c.root, other.root)} }

// clockOf returns the clock of the ancestry of all the elements, themselves
// included.
func clockOf(elements []*element) clock {
	var c clock
	for _, e := range elements {
		if !c.covers(e) {
			c = c.join(e.clock())
		}
	}
	return c
}

// joinPieces returns a or b itself if it covers the other.
func joinPieces(a, b *piece) *piece {
	switch {
	case a == b || b == nil:
		return a
	case a == nil:
		return b
	}
	out := piece{below: joinBelow(a.below, b.below)}
	for i := range out.at {
		out.at[i] = max(a.at[i], b.at[i])
	}
	switch out {
	case *a:
		return a
	case *b:
		return b
	default:
		return &out
	}
}

func joinBelow(a, b *[pieceBelow]*piece) *[pieceBelow]*piece {
	switch {
	case a == b || b == nil:
		return a
	case a == nil:
		return b
	}
	var out [pieceBelow]*piece
	for i := range out {
		out[i] = joinPieces(a[i], b[i])
	}
	switch out {
	case *a:
		return a
	case *b:
		return b
	default:
		return &out
	}
}

// lanes holds the elements of every lane in order.
type lanes struct {
	elements [][]*element
	// other lists the lanes that hold the statements of one author.
	other map[*author][]uint32
	// shared are the deep pieces of the elements' clocks, by what they hold.
	shared map[holding]*piece
}

// maxLaneProbes bounds how many lanes of an author a statement is tried on.
const maxLaneProbes = 16

// place gives e its lane and position, and its clock the pieces that others have.
func (l *lanes) place(e *element) {
	lane, ok := l.extends(e)
	if !ok {
		lane = uint32(len(l.elements))
		l.elements = append(l.elements, nil)
		if e.prev == nil {
			if l.other == nil {
				l.other = make(map[*author][]uint32)
			}
			l.other[e.author] = append(l.other[e.author], lane)
		}
	}
	l.elements[lane] = append(l.elements[lane], e)
	e.lane, e.pos = lane, uint32(len(l.elements[lane]))
	e.prior = clock{l.share(e.prior.root, 0)}
}

// ownLevels is how many levels of pieces each clock has for itself.
const ownLevels = 2

// holding is what a piece holds.
type holding struct {
	at    [pieceLanes]uint32
	below [pieceBelow]*piece
}

// share returns p with the pieces of earlier clocks in place of equal ones of its
// own, from a depth on that the clocks of clusters do not have. Otherwise changes
// that join the same two halves of very many lanes would cost as much each.
func (l *lanes) share(p *piece, depth int) *piece {
	if p == nil || depth < ownLevels && p.below == nil {
		return p
	}
	h := holding{at: p.at}
	if p.below != nil {
		h.below = *p.below
	}
	if depth >= ownLevels && l.shared[h] == p {
		return p
	}
	for i, q := range h.below {
		h.below[i] = l.share(q, depth+1)
	}
	if p.below != nil && h.below != *p.below {
		below := h.below
		p = &piece{at: h.at, below: &below}
	}
	if depth < ownLevels {
		return p
	}
	if known := l.shared[h]; known != nil {
		return known
	}
	if l.shared == nil {
		l.shared = make(map[holding]*piece)
	}
	l.shared[h] = p
	return p
}

// extends finds a lane whose last element is an ancestor of e: that of its
// author's change before it, else one of its author's.
func (l *lanes) extends(e *element) (uint32, bool) {
	if e.prev != nil {
		return e.prev.lane, l.last(e.prev.lane) == e.prev
	}
	own := l.other[e.author]
	for i := len(own) - 1; i >= 0 && i >= len(own)-maxLaneProbes; i-- {
		if e.descendsFrom(l.last(own[i])) {
			return own[i], true
		}
	}
	return 0, false
}

func (l *lanes) last(lane uint32) *element {
	all := l.elements[lane]
	return all[len(all)-1]
}

// until returns the clock of all changes whose own time is at or before t and of
// their ancestry. In each lane the last such change has the others in its own.
func (l *lanes) until(t time.Time) clock {
	var c clock
	for _, all := range l.elements {
		for _, e := range slices.Backward(all) {
			if c.covers(e) {
				break
			}
			if e.isChange() && !e.time.Time().After(t) {
				c = c.join(e.clock())
				break
			}
		}
	}
	return c
}

// between yields, lane by lane, the elements that are in the ancestry of want but
// not of have. The caller may keep what is yielded: lanes only grow.
func (l *lanes) between(have, want clock) iter.Seq[[]*element] {
	return func(yield func([]*element) bool) {
		for lane, all := range l.elements {
			from, to := have.at(uint32(lane)), want.at(uint32(lane))
			if from < to && !yield(all[from:to:to]) {
				return
			}
		}
	}
}

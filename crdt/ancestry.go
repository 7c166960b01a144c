package crdt

import (
	"slices"
	"time"

	"github.com/starling-sync/starling/trust"
)

// Ancestry is asked for at every step (is prev an ancestor? a parent? a
// grant?), so it must not walk the graph. The elements are laid out in lanes:
// paths through the graph in which every element descends from the one before.
// Each element knows, for every lane, up to which position the lane is in its
// ancestry; whether x is an ancestor of y is then one comparison. An author's
// changes fill one lane unless its key was cloned, so there are about as many
// lanes as members. Lanes are this replica's own and are laid anew at start.

// clockChunk is how many lanes share one piece of a clock.
const clockChunk = 16

// clock maps a lane to the highest position of it that is in an ancestry;
// positions begin at 1. Clocks are immutable and share the pieces in which they
// do not differ, so a lane that no longer grows costs its descendants nothing.
type clock []*[clockChunk]uint32

// at returns the position of the lane, 0 if nothing of it is in the ancestry.
func (c clock) at(lane uint32) uint32 {
	i := int(lane / clockChunk)
	if i >= len(c) || c[i] == nil {
		return 0
	}
	return c[i][lane%clockChunk]
}

// covers reports whether an element is in the ancestry.
func (c clock) covers(e *element) bool { return c.at(e.lane) >= e.pos }

// with returns a clock in which the lane stands at pos.
func (c clock) with(lane, pos uint32) clock {
	i := int(lane / clockChunk)
	out := make(clock, max(len(c), i+1))
	copy(out, c)
	var piece [clockChunk]uint32
	if out[i] != nil {
		piece = *out[i]
	}
	piece[lane%clockChunk] = pos
	out[i] = &piece
	return out
}

// join returns the clock of the union of both ancestries.
func (c clock) join(other clock) clock {
	if len(c) < len(other) {
		c, other = other, c
	}
	out := c
	owned := false
	for i, piece := range other {
		merged := joinPieces(c[i], piece)
		if merged == c[i] {
			continue
		}
		if !owned {
			out = append(clock(nil), c...)
			owned = true
		}
		out[i] = merged
	}
	return out
}

func joinPieces(a, b *[clockChunk]uint32) *[clockChunk]uint32 {
	switch {
	case a == b || b == nil:
		return a
	case a == nil:
		return b
	}
	merged, aCovers, bCovers := *a, true, true
	for i := range merged {
		switch {
		case a[i] < b[i]:
			merged[i], aCovers = b[i], false
		case a[i] > b[i]:
			bCovers = false
		}
	}
	switch {
	case aCovers:
		return a
	case bCovers:
		return b
	default:
		return &merged
	}
}

// lanes holds the elements of every lane in order.
type lanes struct {
	elements [][]*element
	// other lists the lanes that hold the statements of one author.
	other map[string][]uint32
}

// maxLaneProbes bounds how many lanes of an author a statement is tried on.
const maxLaneProbes = 16

// place gives e its lane and position and completes its clock, in which the
// ancestries of its links must be joined already.
func (l *lanes) place(e *element) {
	lane, ok := l.extends(e)
	if !ok {
		lane = uint32(len(l.elements))
		l.elements = append(l.elements, nil)
		if e.prev == nil {
			if l.other == nil {
				l.other = make(map[string][]uint32)
			}
			l.other[string(e.author)] = append(l.other[string(e.author)], lane)
		}
	}
	l.elements[lane] = append(l.elements[lane], e)
	e.lane, e.pos = lane, uint32(len(l.elements[lane]))
	e.seen = e.seen.with(e.lane, e.pos)
}

// extends finds a lane whose last element is an ancestor of e: that of its
// author's change before it, else one of its author's.
func (l *lanes) extends(e *element) (uint32, bool) {
	if e.prev != nil {
		return e.prev.lane, l.last(e.prev.lane) == e.prev
	}
	own := l.other[string(e.author)]
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
			if e.kind == trust.KindChange && !e.time.Time().After(t) {
				c = c.join(e.seen)
				break
			}
		}
	}
	return c
}

// between calls yield for each element that is in the ancestry of want but not
// of have, lane by lane.
func (l *lanes) between(have, want clock, yield func(*element)) {
	for lane, all := range l.elements {
		from, to := have.at(uint32(lane)), want.at(uint32(lane))
		for pos := from; pos < to; pos++ {
			yield(all[pos])
		}
	}
}

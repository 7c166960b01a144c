package definition

import (
	"bytes"
	"slices"
)

// ordering puts the items of lists into their final order, in a text that is otherwise merged.
type ordering struct {
	byContainer map[*node]*revision // of the later side
	later       *node               // its root

	result *side
	orders map[*node]permutation // of the result's lists
	out    bytes.Buffer
}

// permutation is the order into which the items of a list come, and where they are.
type permutation struct {
	order   []int
	extents []extent
}

// finalOrder returns what is left to do after revisions are made, nil if it is nothing.
func finalOrder(later *node, revisions []*revision) *ordering {
	if !slices.ContainsFunc(revisions, func(r *revision) bool { return r.order != nil }) {
		return nil
	}
	o := &ordering{byContainer: make(map[*node]*revision, len(revisions)), later: later, orders: map[*node]permutation{}}
	for _, r := range revisions {
		o.byContainer[r.container] = r
	}
	return o
}

// apply returns the text of result, which is the later side with the revisions made, in the
// final order. That it is right is for the caller to check, by reading it.
func (o *ordering) apply(result *side) []byte {
	o.result = result
	o.find(o.later, result.root)
	o.write(result.root, 0, len(result.content))
	return o.out.Bytes()
}

// find notes the orders of the lists at and below a value of the result, which n became.
func (o *ordering) find(n, result *node) {
	r := o.byContainer[n]
	if r != nil && r.order != nil && len(r.order) == len(result.kids) {
		o.orders[result] = permutation{r.order, o.extents(result)}
	}
	members := membersOf(result)
	inserted := make([]int, len(n.kids)+1) // insertions behind each kid, from -1 on
	if r != nil {
		for _, in := range r.insertions {
			inserted[in.after+1]++
		}
	}
	at := inserted[0]
	for i := range n.kids {
		if r != nil && r.fates[i].removed {
			at += inserted[i+1]
			continue
		}
		kid := itemAt(result.kids, min(at, len(result.kids)-1))
		if n.kind == Object {
			kid, _ = members.get(n.kids[i].key)
		}
		if kid != nil && (r == nil || r.fates[i].by == nil) {
			o.find(&n.kids[i], kid)
		}
		at += 1 + inserted[i+1]
	}
}

// write writes the text from one offset to another, in which the kids of n are, and returns up to
// where it wrote: further if a comment is behind the last item of a list in there.
func (o *ordering) write(n *node, from, to int) (end int) {
	order, extents := o.orders[n].order, o.orders[n].extents
	at := from
	for i := range n.kids {
		if order == nil {
			kid := &n.kids[i]
			start := kid.start
			if p, ok := o.orders[kid]; ok && p.extents[0].start < start {
				start = o.result.lineStart(p.extents[0].start)
			}
			o.text(at, start)
			at = o.write(kid, start, kid.end)
			continue
		}
		own, other := extents[i], extents[order[i]]
		if entry := n.kids[i].entry; own.start < entry { // its comments may be indented in another way
			o.text(at, o.result.lineStart(own.start))
			o.out.WriteString(o.result.indentation(entry))
		} else {
			o.text(at, own.start)
		}
		kid := &n.kids[order[i]]
		end := o.write(kid, other.start, other.end)
		at = own.tail
		if o.result.isBare(kid) { // a comma would become a part of it, and so would what follows on its line
			if next := skipBlank(o.result.content, at); next < len(o.result.content) && !bytes.HasPrefix(bytes.TrimLeft(o.result.content[next:], "\r"), []byte("\n")) {
				o.out.WriteString(o.result.newline + o.result.indentation(n.entry))
			}
			continue
		}
		o.text(own.end, own.behind)
		o.text(max(end, other.behind), other.tail)
	}
	o.text(at, to)
	return max(at, to)
}

// text writes the result's text from one offset to another, if that is not before it.
func (o *ordering) text(from, to int) {
	if from < to {
		o.out.Write(o.result.content[from:to])
	}
}

// extent is where an item is, with its comments: those on the lines directly above it from start on,
// itself up to end, and the one behind it and its comma, from behind to tail.
type extent struct{ start, end, behind, tail int }

func (o *ordering) extents(n *node) []extent {
	s := o.result
	extents := make([]extent, len(n.kids))
	alone := true // each item is the last of its line, so that a comment may be behind each
	for i := range n.kids {
		kid := &n.kids[i]
		next := n.end
		if i+1 < len(n.kids) {
			next = n.kids[i+1].entry
		}
		x := extent{kid.entry, kid.end, kid.end, kid.end}
		if comma := s.comma(kid.end, next); comma >= 0 && bytes.IndexByte(s.content[kid.end:comma], '\n') < 0 {
			x.behind, x.tail = comma+1, comma+1
		}
		_, ok := s.tail(x.behind)
		alone = alone && ok
		extents[i] = x
	}
	before := n.body // the end of what is before an item
	if n.block && n.after > 0 {
		before = n.after
	}
	for i := range extents {
		x := &extents[i]
		if tail, ok := s.tail(x.behind); alone && ok {
			x.tail = tail
		}
		if alone && s.headsLine(x.start) {
			x.start = s.commentsAbove(x.start, before)
		}
		before = x.tail
	}
	return extents
}

// commentsAbove returns where the comments on the lines directly above that of an offset begin,
// none of which begins before another.
func (s *side) commentsAbove(at, before int) int {
	for line := s.lineStart(at); ; {
		end, ok := s.breakBefore(line)
		if !ok || s.lineStart(end) <= before {
			return at
		}
		line = s.lineStart(end)
		tail, ok := s.tail(line)
		start := skipBlank(s.content, line)
		if !ok || tail < end || start == end {
			return at
		}
		at = start
	}
}

package definition

import "slices"

// match tells which comment of the base each comment of a side, by its number among the texts,
// is: in its slot one of equal words, elsewhere one of equal words that moved, and what is left
// between two of those in one slot was edited. It returns for each of the base the side's, or
// -1, and for each of the side the base's.
func (c *commentMerger) match(text int) (in, was []int) {
	base, side := c.notes[ofBase], c.notes[text]
	in, was = none(len(base)), none(len(side))
	bySlot := commentsBySlot(side)
	inBase := commentsBySlot(base)
	for key, from := range inBase {
		to := bySlot[key]
		for i, j := range commonTexts(textsOf(base, from), textsOf(side, to)) {
			if j >= 0 {
				in[from[i]], was[to[j]] = to[j], from[i]
			}
		}
	}
	places := make(map[string][]int)
	for j := range side {
		if was[j] < 0 {
			places[side[j].text] = append(places[side[j].text], j)
		}
	}
	for i := range base {
		if at := places[base[i].text]; in[i] < 0 && len(at) > 0 {
			in[i], was[at[0]] = at[0], i
			places[base[i].text] = at[1:]
		}
	}
	for key, from := range inBase {
		matchEdited(base, side, from, bySlot[key], in, was)
	}
	// What is at an edge of a container in one layout is above or behind a kid in another.
	type edge struct {
		key  int
		kids bool // above or behind one
	}
	edgeOf := func(n *comment, text int) edge {
		return edge{c.edgeKey(n, text), n.rel == above || n.rel == behind}
	}
	atEdge := make(map[edge][]int)
	for j := range side {
		if at := edgeOf(&side[j], text); was[j] < 0 && at.key >= 0 {
			at.kids = !at.kids
			atEdge[at] = append(atEdge[at], j)
		}
	}
	left := make(map[edge][]int)
	for i := range base {
		if at := edgeOf(&base[i], ofBase); in[i] < 0 && len(atEdge[at]) > 0 {
			left[at] = append(left[at], i)
		}
	}
	for at, from := range left {
		pairAlike(base, side, from, atEdge[at], in, was)
	}
	return in, was
}

// edgeKey returns the slot at the beginning or at the end of a container for a comment of a text that
// is there, above the first kid or behind the last, which is the same in a container on one
// line; or -1.
func (c *commentMerger) edgeKey(n *comment, text int) int {
	if n.rel == ending || n.rel == inside && n.owner.isContainer() {
		return n.key()
	}
	q := c.quads[n.owner.quad].parent
	if q < 0 {
		return -1
	}
	s, parent := c.text(text), c.quads[q].nodes[text]
	if !s.isBracketed(parent) {
		return -1
	}
	first, last := &parent.kids[0], &parent.kids[len(parent.kids)-1]
	switch {
	case n.rel == above && n.owner == first && s.lineOf(parent.body) == s.lineOf(first.entry):
		return q*relations + int(inside)
	case n.rel == behind && n.owner == last && s.lineOf(parent.end) == s.lineOf(last.end):
		return q*relations + int(ending)
	}
	return -1
}

// matchEdited pairs the comments of one slot that nothing is paired with yet, between those
// that are.
func matchEdited(base, side []comment, from, to []int, in, was []int) {
	at := 0
	var left []int // of the base, since the last that is paired
	for i := 0; i <= len(from); i++ {
		end := len(to)
		if i < len(from) {
			if in[from[i]] < 0 {
				left = append(left, from[i])
				continue
			}
			place, ok := slices.BinarySearch(to, in[from[i]])
			if !ok || place < at {
				continue // it moved
			}
			end = place
		}
		pairAlike(base, side, left, unpairedOf(was, to[at:end]), in, was)
		left, at = left[:0], min(end+1, len(to))
	}
}

// unpairedOf returns those of some comments that nothing is paired with.
func unpairedOf(counterparts, which []int) (left []int) {
	for _, i := range which {
		if counterparts[i] < 0 {
			left = append(left, i)
		}
	}
	return left
}

// pairAlike pairs comments in their order, so that their likeness is greatest in sum. Of too many
// it pairs the first with the first and so on.
func pairAlike(base, side []comment, from, to []int, in, was []int) {
	if len(from)*len(to) > maxEdited {
		for i := range min(len(from), len(to)) {
			in[from[i]], was[to[i]] = to[i], from[i]
		}
		return
	}
	// best[i][j] is the greatest sum for the rests from i and from j on.
	width := len(to) + 1
	best := make([]int, (len(from)+1)*width)
	likes := make([]int, len(from)*width)
	for i, b := range slices.Backward(from) {
		for j, n := range slices.Backward(to) {
			like := 1 + alikeTexts(base[b].text, side[n].text)
			best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1], like+best[(i+1)*width+j+1])
			likes[i*width+j] = like
		}
	}
	for i, j := 0, 0; i < len(from) && j < len(to); {
		switch sum := best[i*width+j]; sum {
		case likes[i*width+j] + best[(i+1)*width+j+1]:
			in[from[i]], was[to[j]] = to[j], from[i]
			i++
			j++
		case best[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
}

// maxEdited is how many pairs of comments are compared in one slot to find out which was edited.
const maxEdited = 1 << 10

// alikeTexts tells how much two texts are alike: by what both begin and end with.
func alikeTexts(a, b string) int {
	const enough = 64
	if len(a) > len(b) {
		a, b = b, a
	}
	head, tail := 0, 0
	for head < min(len(a), enough) && a[head] == b[head] {
		head++
	}
	for tail < min(len(a)-head, enough) && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head + tail
}

// commentsBySlot returns the comments of each slot in their order, by index.
func commentsBySlot(comments []comment) map[int][]int {
	bySlot := make(map[int][]int)
	for i := range comments {
		bySlot[comments[i].key()] = append(bySlot[comments[i].key()], i)
	}
	return bySlot
}

// textsOf returns the texts of some comments.
func textsOf(comments []comment, which []int) []string {
	texts := make([]string, len(which))
	for i, at := range which {
		texts[i] = comments[at].text
	}
	return texts
}

// commonTexts returns for each text of from the equal one of to that it is, in the order of
// both, or -1: a longest common subsequence, where that is found with little work.
func commonTexts(from, to []string) []int {
	out := none(len(from))
	head := 0
	for head < min(len(from), len(to)) && from[head] == to[head] {
		out[head] = head
		head++
	}
	fromEnd, toEnd := len(from), len(to)
	for fromEnd > head && toEnd > head && from[fromEnd-1] == to[toEnd-1] {
		fromEnd--
		toEnd--
		out[fromEnd] = toEnd
	}
	from, to = from[head:fromEnd], to[head:toEnd]
	const little = 1 << 14
	if len(from)*len(to) > little {
		places := make(map[string][]int)
		for j, text := range to {
			places[text] = append(places[text], j)
		}
		next := 0
		for i, text := range from {
			at := places[text]
			for len(at) > 0 && at[0] < next {
				at = at[1:]
			}
			if places[text] = at; len(at) > 0 {
				out[head+i], next = head+at[0], at[0]+1
			}
		}
		return out
	}
	// best[i][j] is the length of the longest for the rests from i and from j on.
	width := len(to) + 1
	best := make([]int, (len(from)+1)*width)
	for i, text := range slices.Backward(from) {
		for j, other := range slices.Backward(to) {
			best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
			if text == other {
				best[i*width+j] = 1 + best[(i+1)*width+j+1]
			}
		}
	}
	for i, j := 0, 0; i < len(from) && j < len(to); {
		switch {
		case from[i] == to[j]:
			out[head+i] = head + j
			i++
			j++
		case best[(i+1)*width+j] >= best[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

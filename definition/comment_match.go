package definition

// matchComments tells which comment of the base each comment of a side is: in its slot one of
// equal text, elsewhere one of equal text that moved, and what is left between two of
// those in one slot was edited. text is the side's number among the texts. It returns for each of the base the side's, or -1, and for each
// of the side the base's.
func matchComments(quads []quad, base, side []comment, text int) (in, was []int) {
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
	atEdge := make(map[int][]int)
	for j := range side {
		if key := edgeKey(quads, &side[j], text); was[j] < 0 && key >= 0 {
			atEdge[key] = append(atEdge[key], j)
		}
	}
	left := make(map[int][]int)
	for i := range base {
		if key := edgeKey(quads, &base[i], ofBase); in[i] < 0 && len(atEdge[key]) > 0 {
			left[key] = append(left[key], i)
		}
	}
	for key, from := range left {
		pairAlike(base, side, from, atEdge[key], in, was)
	}
	return in, was
}

// edgeKey returns the slot at the beginning or at the end of a container for a comment of a text that
// is there, above the first kid or behind the last, which is the same in a container on one
// line; or -1.
func edgeKey(quads []quad, c *comment, text int) int {
	if c.rel == ending || c.rel == inside && c.owner.isContainer() {
		return c.key()
	}
	parent := quads[c.owner.quad].parent
	if parent < 0 {
		return -1
	}
	kids := quads[parent].nodes[text].kids
	switch {
	case c.rel == above && &kids[0] == c.owner:
		return parent*relations + int(inside)
	case c.rel == behind && &kids[len(kids)-1] == c.owner:
		return parent*relations + int(ending)
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
			end = at
			for end < len(to) && to[end] != in[from[i]] {
				end++
			}
			if end == len(to) {
				continue // it moved to another slot
			}
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
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			like := 1 + alikeTexts(base[from[i]].text, side[to[j]].text)
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
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
			if from[i] == to[j] {
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

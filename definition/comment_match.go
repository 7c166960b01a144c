package definition

// matchComments tells which comment of the base each comment of a side is: in its slot one of
// equal text, elsewhere one of equal text that moved, and what is left between two of
// those in one slot was edited. It returns for each of the base the side's, or -1, and for each
// of the side the base's.
func matchComments(base, side []comment) (in, was []int) {
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
	return in, was
}

// matchEdited pairs the comments of one slot that nothing is paired with yet, between those
// that are.
func matchEdited(base, side []comment, from, to []int, in, was []int) {
	at := 0
	for i := 0; i <= len(from); i++ {
		end := len(to)
		if i < len(from) {
			if in[from[i]] < 0 {
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
		first := i
		for first > 0 && in[from[first-1]] < 0 {
			first--
		}
		for _, b := range from[first:i] {
			best, likeness := -1, -1
			for k, j := range to[at:end] {
				if k > maxEdited {
					break
				}
				if like := alikeTexts(base[b].text, side[j].text); was[j] < 0 && like > likeness {
					best, likeness = j, like
				}
			}
			if best >= 0 {
				in[b], was[best] = best, b
			}
		}
		at = min(end+1, len(to))
	}
}

// maxEdited is how many comments of one slot are looked at for one that was edited.
const maxEdited = 32

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

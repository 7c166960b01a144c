package definition

import (
	"slices"
	"sort"
)

// step is one step through two lists side by side: an item of both, which is equal or was
// changed, or an item of one, and -1.
type step struct{ from, to int }

// Bounds of what align does for one pair of lists, so that it takes milliseconds whatever
// they are.
const (
	maxMatches = 1 << 18 // pairs of equal items between what both begin and end with
	maxLikened = 1 << 12 // pairs of unequal items between two equal ones
)

// align tells how the list to came from the list from: a longest common subsequence of
// equal items stays, and between those, items that are alike were changed into one
// another. The steps are in the order of both lists. It reports false if the lists have
// too much in common in too many ways to tell.
func align(from, to []node) (steps []step, ok bool) {
	common, ok := commonItems(idsOf(from), idsOf(to))
	if !ok {
		return nil, false
	}
	steps = make([]step, 0, max(len(from), len(to))+8)
	at := step{}
	for _, c := range common {
		steps = append(appendChanged(steps, from, to, at, c), c)
		at = step{c.from + 1, c.to + 1}
	}
	return appendChanged(steps, from, to, at, step{len(from), len(to)}), true
}

// commonItems returns a longest common subsequence of two lists of numbers. It reports false
// if they have too much in common in too many ways to tell.
func commonItems(from, to []int) (common []step, ok bool) {
	head := 0
	for head < len(from) && head < len(to) && from[head] == to[head] {
		common = append(common, step{head, head})
		head++
	}
	tail := 0
	for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	middle, ok := commonChain(from[head:len(from)-tail], to[head:len(to)-tail])
	if !ok {
		return nil, false
	}
	for _, c := range middle {
		common = append(common, step{head + c.from, head + c.to})
	}
	for i := range tail {
		common = append(common, step{len(from) - tail + i, len(to) - tail + i})
	}
	return common, true
}

// commonChain is commonItems without the ends, by the method of Hunt and Szymanski: the longest
// ascending chain through the pairs of equal items.
func commonChain(from, to []int) (common []step, ok bool) {
	if len(from) == 0 || len(to) == 0 {
		return nil, true
	}
	places := make(map[int][]int, len(to))
	for j := range to {
		places[to[j]] = append(places[to[j]], j)
	}
	type link struct {
		step
		before int // the link before it in the chain, or -1
	}
	var links []link
	var ends []int // ends[k] is the link of least to that ends a chain of k+1
	matches := 0
	for i := range from {
		at := places[from[i]]
		if matches += len(at); matches > maxMatches {
			return nil, false
		}
		for _, j := range slices.Backward(at) {
			k := sort.Search(len(ends), func(k int) bool { return links[ends[k]].to >= j })
			l := link{step{i, j}, -1}
			if k > 0 {
				l.before = ends[k-1]
			}
			links = append(links, l)
			if k == len(ends) {
				ends = append(ends, 0)
			}
			ends[k] = len(links) - 1
		}
	}
	if len(ends) == 0 {
		return nil, true
	}
	for i := ends[len(ends)-1]; i >= 0; i = links[i].before {
		common = append(common, links[i].step)
	}
	slices.Reverse(common)
	return common, true
}

// appendChanged appends the steps from one place up to another, between which no items
// are equal.
func appendChanged(steps []step, from, to []node, at, end step) []step {
	alone := func(upTo step) {
		for ; at.from < upTo.from; at.from++ {
			steps = append(steps, step{at.from, -1})
		}
		for ; at.to < upTo.to; at.to++ {
			steps = append(steps, step{-1, at.to})
		}
	}
	origin := at
	for _, pair := range alike(pointers(from[at.from:end.from]), pointers(to[at.to:end.to])) {
		changed := step{origin.from + pair.from, origin.to + pair.to}
		alone(changed)
		steps = append(steps, changed)
		at = step{changed.from + 1, changed.to + 1}
	}
	alone(end)
	return steps
}

func pointers(nodes []node) []*node {
	to := make([]*node, len(nodes))
	for i := range nodes {
		to[i] = &nodes[i]
	}
	return to
}

// alike pairs items of two lists, in their order, so that their likeness is greatest in
// sum. Of lists that are too long for that, it pairs the first with the first and so on.
func alike(from, to []*node) (pairs []step) {
	if len(from) == 1 && len(to) == 1 || len(from)*len(to) > maxLikened {
		for i := range min(len(from), len(to)) {
			if likeness(from[i], to[i]) > 0 {
				pairs = append(pairs, step{i, i})
			}
		}
		return pairs
	}
	// best[i][j] is the greatest sum for the rests from i and from j on.
	width := len(to) + 1
	best := make([]int, (len(from)+1)*width)
	likes := make([]int, len(from)*width)
	for i, a := range slices.Backward(from) {
		for j, b := range slices.Backward(to) {
			like := likeness(a, b)
			sum := max(best[(i+1)*width+j], best[i*width+j+1])
			if like > 0 {
				sum = max(sum, like+best[(i+1)*width+j+1])
			}
			best[i*width+j], likes[i*width+j] = sum, like
		}
	}
	for i, j := 0, 0; i < len(from) && j < len(to); {
		like := likes[i*width+j]
		switch sum := best[i*width+j]; {
		case like > 0 && sum == like+best[(i+1)*width+j+1]:
			pairs = append(pairs, step{i, j})
			i++
			j++
		case sum == best[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// likeness tells how much two unequal items are alike; 0 means that one cannot have been
// changed into the other.
func likeness(a, b *node) int {
	switch {
	case a.isContainer() != b.isContainer(), a.isContainer() && a.kind != b.kind:
		return 0
	case !a.isContainer():
		return 1
	}
	const enough = 32 // kids that are compared
	like := 1
	for i := range min(len(a.kids), enough) {
		for j := range min(len(b.kids), enough) {
			if a.kids[i].key != b.kids[j].key {
				continue
			}
			if a.kids[i].id == b.kids[j].id {
				like += 2
				break
			}
			if a.kind == Object {
				like++
				break
			}
		}
	}
	return like
}

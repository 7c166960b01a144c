package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxClockOff is by how much a clock may be off before Status says so. Of two edits at once
// the later one stands, and history is in the order of the clocks.
const maxClockOff = time.Minute

// reading is how far a member's clock was ahead of this node's, within a margin either way:
// it was read between a question and its answer.
type reading struct {
	name          string
	ahead, margin time.Duration
}

// readClock returns how far a clock is ahead that said a time at some moment between two of
// this node's.
func readClock(name string, said, asked, answered time.Time) reading {
	half := answered.Sub(asked) / 2
	return reading{name, said.Sub(asked.Add(half)), half}
}

// clocksOff says whose clocks are off, given those of the others; "" if none is. Which of
// two is wrong nobody can tell; of more it is the one that is away from the middle.
func clocksOff(others []reading) string {
	if len(others) < 2 {
		return clocksDiffer(others)
	}
	all := append(slices.Clone(others), reading{})
	slices.SortFunc(all, func(a, b reading) int { return cmp.Compare(a.ahead, b.ahead) })
	middle := all[len(all)/2]
	if len(all)%2 == 0 {
		middle.ahead = (middle.ahead + all[len(all)/2-1].ahead) / 2
	}
	if own := (reading{margin: middle.margin}); own.off(middle.ahead) {
		return "the clock of this node is " + own.from(middle.ahead, "the others'")
	}
	var off []string
	for _, o := range others {
		if o.off(middle.ahead) {
			off = append(off, fmt.Sprintf("the clock of %s is %s", o.name, o.from(middle.ahead, "the others'")))
		}
	}
	if len(off) == 0 {
		return clocksDiffer(others) // half of them by one clock, half by another
	}
	return strings.Join(off, ", ")
}

// clocksDiffer names the first clock that differs from this node's.
func clocksDiffer(others []reading) string {
	for _, o := range others {
		if o.off(0) {
			return fmt.Sprintf("the clocks of this node and of %s differ: that of %s is %s", o.name, o.name, o.from(0, "this node's"))
		}
	}
	return ""
}

// off reports whether the clock is surely off, if the right one is so far ahead of this
// node's.
func (r reading) off(right time.Duration) bool {
	return (r.ahead-right).Abs()-r.margin > maxClockOff
}

// from says how far the clock is from the right one.
func (r reading) from(right time.Duration, whose string) string {
	d := (r.ahead - right).Round(time.Second)
	if d < 0 {
		return fmt.Sprintf("%v behind %s", -d, whose)
	}
	return fmt.Sprintf("%v ahead of %s", d, whose)
}

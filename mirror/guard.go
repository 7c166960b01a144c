package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

const (
	// guardWindow is the time over which losses are counted together.
	guardWindow = time.Minute
	// guardFloor is how many losses are always allowed within the window.
	guardFloor = 3
	// guardPercent is how many of the files may be lost within the window.
	guardPercent = 20
	// guardAll is how many files lost within the window are held if no other is left,
	// though they are few: a directory that was emptied. A single one may be deleted.
	guardAll = 2
)

// guard decides whether losses (deletions, or files that return to earlier bytes)
// look like the work of somebody who means it, or like an accident: a directory
// emptied, unmounted or restored from a backup. It counts over a sliding window,
// so a slow "rm -rf" is caught too. It is given the time and is not safe for
// concurrent use.
type guard struct {
	losses map[definition.Path]time.Time
	counts []count // oldest first; the first may be older than the window
}

// count is how many files there were from a moment on.
type count struct {
	since time.Time
	files int
}

// observe notes how many files there are now.
func (g *guard) observe(now time.Time, files int) {
	if n := len(g.counts); n > 0 && g.counts[n-1].files == files {
		return
	}
	g.prune(now)
	g.counts = append(g.counts, count{now, files})
}

// admit counts the losses and reports whether they may be published: whether,
// with all others of the window, they are no more than the limit. They count
// further on whatever the answer is.
func (g *guard) admit(now time.Time, lost []definition.Path) bool {
	g.prune(now)
	if g.losses == nil {
		g.losses = make(map[definition.Path]time.Time)
	}
	for _, p := range lost {
		g.losses[p] = now
	}
	most := 0
	for _, c := range g.counts {
		most = max(most, c.files)
	}
	return len(g.losses) <= max(guardFloor, most*guardPercent/100)
}

// forget no longer counts a path: it came back, or somebody approved its loss.
func (g *guard) forget(p definition.Path) { delete(g.losses, p) }

// prune drops what is older than the window. The latest count at or before its
// start stays: it held when the window began.
func (g *guard) prune(now time.Time) {
	start := now.Add(-guardWindow)
	for p, at := range g.losses {
		if !at.After(start) {
			delete(g.losses, p)
		}
	}
	first := 0
	for first+1 < len(g.counts) && !g.counts[first+1].since.After(start) {
		first++
	}
	g.counts = g.counts[first:]
}

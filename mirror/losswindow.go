package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// The thresholds of the guard; ARCHITECTURE.md has them as a table. There is one more: a file
// that returns to earlier bytes with a modification time from before these were replaced is held
// alone, too (see suspicion.go).
const (
	// guardWindow is the time over which losses are counted together.
	guardWindow = time.Minute
	// guardFloor is how many losses of a kind are always allowed within the window.
	guardFloor = 3
	// guardPercent is how many of the files may be lost within the window, if that is
	// more. It counts for deletions and overwritings: the more files there are, the more
	// of them somebody deletes or replaces at once on purpose.
	guardPercent = 20
	// guardAll is how many files lost within the window are held if no other is left,
	// though they are few: a directory that was emptied. A single one may be deleted.
	guardAll = 2
)

// percent is guardPercent for the kinds that it counts for.
func (k LossKind) percent() int {
	if k == Deletion || k == Overwriting {
		return guardPercent
	}
	return 0
}

// lossWindow decides whether losses of one kind look like the work of somebody who means it,
// or like an accident: a directory emptied, unmounted or restored from a backup, a script
// that went wrong. It counts over a sliding window, so a slow "rm -rf" is caught too. It is
// given the time and is not safe for concurrent use.
type lossWindow struct {
	kind   LossKind
	losses map[definition.Path]time.Time
	counts []count // oldest first; the first may be older than the window
}

// count is how many files there were from a moment on.
type count struct {
	since time.Time
	files int
}

// observe notes how many files there are now.
func (w *lossWindow) observe(now time.Time, files int) {
	if n := len(w.counts); n > 0 && w.counts[n-1].files == files {
		return
	}
	w.prune(now)
	w.counts = append(w.counts, count{now, files})
}

// admit counts the losses and reports whether they may be published: whether,
// with all others of the window, they are no more than the limit. They count
// further on whatever the answer is.
func (w *lossWindow) admit(now time.Time, lost []definition.Path) bool {
	w.prune(now)
	if w.losses == nil {
		w.losses = make(map[definition.Path]time.Time)
	}
	for _, p := range lost {
		w.losses[p] = now
	}
	most := 0
	for _, c := range w.counts {
		most = max(most, c.files)
	}
	return len(w.losses) <= max(guardFloor, most*w.kind.percent()/100)
}

// forget no longer counts a path: it came back, or somebody approved its loss.
func (w *lossWindow) forget(p definition.Path) { delete(w.losses, p) }

// prune drops what is older than the window. The latest count at or before its
// start stays: it held when the window began.
func (w *lossWindow) prune(now time.Time) {
	start := now.Add(-guardWindow)
	for p, at := range w.losses {
		if !at.After(start) {
			delete(w.losses, p)
		}
	}
	first := 0
	for first+1 < len(w.counts) && !w.counts[first+1].since.After(start) {
		first++
	}
	w.counts = w.counts[first:]
}

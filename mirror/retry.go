package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// retry is the work that failed and when to try it again: after a second, and twice
// as long after each further failure, up to a minute.
type retry struct {
	paths map[definition.Path]struct{}
	at    time.Time
	delay time.Duration
}

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// add notes that the work on a path failed.
func (r *retry) add(p definition.Path, now time.Time) {
	if r.paths == nil {
		r.paths = make(map[definition.Path]struct{})
	}
	if len(r.paths) == 0 {
		r.delay = min(max(2*r.delay, firstRetry), lastRetry)
		r.at = now.Add(r.delay)
	}
	r.paths[p] = struct{}{}
}

// take returns the paths if their time has come. If all of them succeed now, calm
// must be called.
func (r *retry) take(now time.Time) map[definition.Path]struct{} {
	if !r.waiting() || now.Before(r.at) {
		return nil
	}
	paths := r.paths
	r.paths = nil
	return paths
}

// calm begins with the shortest delay again if nothing waits.
func (r *retry) calm() {
	if !r.waiting() {
		r.delay = 0
	}
}

// waiting reports whether something is to be tried again.
func (r *retry) waiting() bool { return len(r.paths) > 0 }

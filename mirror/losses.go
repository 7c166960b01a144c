package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// losses are the files of one kind that wait until no more follow: whether it was one
// file, a move or the whole directory shows only then.
type losses struct {
	window  lossWindow
	pending map[definition.Path]*loss
	last    time.Time // when the latest was added
}

// loss is one of them.
type loss struct {
	since time.Time
	hash  definition.Hash // what the file is now; zero if it is gone
	// id is the CAS id of the file that is gone, once it was looked for.
	id     string
	sought bool
	// old: the file came with a modification time from before its bytes were replaced.
	old bool
}

// longestWait bounds, in times of the settle time, how long losses wait for others
// that never cease.
const longestWait = 10

// add notes a loss, if it is a new one.
func (l *losses) add(p definition.Path, h definition.Hash, old bool, now time.Time) {
	if was, ok := l.pending[p]; ok && was.hash == h {
		was.old = was.old || old
		return
	}
	if l.pending == nil {
		l.pending = make(map[definition.Path]*loss)
	}
	l.pending[p] = &loss{since: now, hash: h, old: old}
	l.last = now
}

// drop ends the wait of a path.
func (l *losses) drop(p definition.Path) { delete(l.pending, p) }

// due returns when the losses that wait are to be published; zero if none waits.
func (l *losses) due(settle time.Duration) time.Time {
	if len(l.pending) == 0 {
		return time.Time{}
	}
	at := l.last.Add(settle)
	for _, p := range l.pending {
		at = sooner(at, p.since.Add(longestWait*settle))
	}
	return at
}

package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// losses are the files that are gone (or that returned to earlier bytes) and wait
// until no more follow: whether it was one file, a move or the whole directory
// shows only then.
type losses struct {
	guard   guard
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
}

// longestWait bounds, in times of the settle time, how long losses wait for others
// that never cease.
const longestWait = 10

// add notes a loss, if it is a new one.
func (l *losses) add(p definition.Path, h definition.Hash, now time.Time) {
	if was, ok := l.pending[p]; ok && was.hash == h {
		return
	}
	if l.pending == nil {
		l.pending = make(map[definition.Path]*loss)
	}
	l.pending[p] = &loss{since: now, hash: h}
	l.last = now
}

// drop ends the wait of a path: it came back, or was dealt with.
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

// dropLoss ends the wait of a path among the losses of both kinds.
func (m *Mirror) dropLoss(p definition.Path) {
	for kind := range m.losses {
		m.losses[kind].drop(p)
	}
}

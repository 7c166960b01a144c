package mirror

import (
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// settling is the set of files that may still be written to: changed, and not
// surely complete by their content. A program that saves in place shows others an
// empty or half file in between, and half a YAML file can parse.
type settling map[definition.Path]resting

// resting is since when a file has had its size and modification time.
type resting struct {
	size, mtime int64
	since       time.Time
}

// rested reports whether size and modification time of the file have been the
// same for long enough, and if not, remembers them. A file whose modification
// time is that old already counts at once (it was renamed or copied in).
func (s settling) rested(p definition.Path, at dir.Stat, now time.Time, enough time.Duration) bool {
	if age := now.Sub(time.Unix(0, at.Mtime)); age >= enough {
		delete(s, p)
		return true
	}
	was, ok := s[p]
	if !ok || was.size != at.Size || was.mtime != at.Mtime {
		s[p] = resting{at.Size, at.Mtime, now}
		return false
	}
	if now.Sub(was.since) < enough {
		return false
	}
	delete(s, p)
	return true
}

// due returns the files that should be looked at again at the time now, and when
// the next of the others is due (zero if there is none).
func (s settling) due(now time.Time, enough time.Duration) (due []definition.Path, next time.Time) {
	for p, r := range s {
		at := r.since.Add(enough)
		if !at.After(now) {
			due = append(due, p)
		} else {
			next = sooner(next, at)
		}
	}
	return due, next
}

// any reports whether one of the losses is being written to.
func (s settling) any(losses map[definition.Path]*loss) bool {
	for p := range losses {
		if _, ok := s[p]; ok {
			return true
		}
	}
	return false
}

// sooner returns the earlier of two times, of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

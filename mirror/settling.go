package mirror

import (
	"fmt"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// settling is the set of files that may still be written to: changed, and not
// surely complete by their content. A program that saves in place shows others an
// empty or half file in between, and half a YAML file can parse.
type settling struct {
	files  map[definition.Path]resting
	enough time.Duration // how long size and modification time must have rested
}

// resting is since when a file has had its size and modification time.
type resting struct {
	size, mtime int64
	since       time.Time
}

// complete reports whether nobody is in the middle of saving p, and notes whether its
// content is a definition. If it is not complete, it will be due.
func (s settling) complete(p definition.Path, e *entry, content []byte, now time.Time) bool {
	doc, err := definition.Parse(p, content)
	if (err != nil || !doc.Complete()) && !s.rested(p, e.stat, now) {
		return false
	}
	s.drop(p)
	e.seen.parses = err == nil
	if err != nil {
		e.seen.fault = fmt.Sprintf("it is no definition: %v", err)
	}
	return true
}

// drop ends the wait of a path.
func (s settling) drop(p definition.Path) { delete(s.files, p) }

// rested reports whether size and modification time of the file have been the
// same for long enough, and if not, remembers them. A file whose modification
// time is that old already counts at once (it was renamed or copied in).
func (s settling) rested(p definition.Path, at dir.Stat, now time.Time) bool {
	if age := now.Sub(time.Unix(0, at.Mtime)); age >= s.enough {
		delete(s.files, p)
		return true
	}
	was, ok := s.files[p]
	if !ok || was.size != at.Size || was.mtime != at.Mtime {
		s.files[p] = resting{at.Size, at.Mtime, now}
		return false
	}
	if now.Sub(was.since) < s.enough {
		return false
	}
	delete(s.files, p)
	return true
}

// due returns the files that should be looked at again at the time now, and when
// the next of the others is due (zero if there is none).
func (s settling) due(now time.Time) (due []definition.Path, next time.Time) {
	for p, r := range s.files {
		at := r.since.Add(s.enough)
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
		if _, ok := s.files[p]; ok {
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

package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// settling is the set of files that may still be written to. A program that saves in
// place shows others an empty file, half a file, or a mixture of old and new in between,
// and each of them can parse. A file is complete
//
//   - not while a process has it open for writing, where the system tells; but one that
//     was left untouched for openPatience does not wait for its writer any longer;
//   - at once, if nobody has it open and its last brace is there;
//   - else when its size and modification time have rested. So too, where the system
//     does not tell, a file that is saved in place.
type settling struct {
	files  map[definition.Path]resting
	dir    *dir.Directory
	enough time.Duration // how long size and modification time must have rested
}

// resting is what was seen of a file while it was not complete.
type resting struct {
	inode       uint64
	size, mtime int64
	since       time.Time // since when it has had this size and modification time
	first       time.Time // since when it waits
	// opened and open are when a process was first and last seen to have it open for
	// writing.
	opened, open time.Time
	writers      dir.Writers
	next         time.Time // when to look again
}

const (
	// openPatience is how long a file that somebody has open for writing waits for the
	// next write.
	openPatience = time.Minute
	// longWait is how long a file waits until status names it, and nothing else waits for
	// it any longer.
	longWait = 10 * time.Second
	// slowWriter is how long a writer has its file open that is slow: a program that has
	// all of a definition at hand takes a few milliseconds.
	slowWriter = 100 * time.Millisecond
	// firstPoll and lastPoll bound how often a file that is open for writing is looked at.
	firstPoll = 2 * time.Millisecond
	lastPoll  = time.Second
)

// saved says how a file that is complete was written.
type saved struct {
	// slow: its writer had it open for long.
	slow bool
	// inPlace: it was written under its own name.
	inPlace bool
}

// complete reports whether nobody is in the middle of saving p, and how it was saved, and
// notes whether its content is a definition. If it is not complete, it will be due. The
// error is dir.ErrReplaced, or fs.ErrNotExist, if the file is otherwise by now.
func (s settling) complete(p definition.Path, e *entry, content []byte, now time.Time) (saved, bool, error) {
	writers, err := s.dir.WritersOf(p.String(), e.stat, content)
	if errors.Is(err, dir.ErrReplaced) || errors.Is(err, fs.ErrNotExist) {
		return saved{}, false, err
	}
	doc, err := definition.Parse(p, content)
	r := s.files[p].see(e.stat, writers, now)
	known := e.inode == e.stat.Ino
	again := e.whole == wholeFile{e.stat.Ino, e.seen.hash} // nothing has come of it yet
	if !again && !r.done(e.stat, writers, err == nil && doc.Complete(), known || e.inode == 0 && e.base.hash != (definition.Hash{}), s.enough, now) {
		s.files[p] = r.again(writers, s.enough, now)
		return saved{}, false, nil
	}
	s.drop(p)
	e.whole = wholeFile{e.stat.Ino, e.seen.hash}
	e.seen.parses = err == nil
	if err != nil {
		e.seen.fault = fmt.Sprintf("it is no definition: %v", err)
	}
	return saved{slow: r.open.Sub(r.opened) >= slowWriter, inPlace: known || !r.opened.IsZero()}, true, nil
}

// wholeFile is a file that was complete.
type wholeFile struct {
	inode uint64
	hash  definition.Hash
}

// see is r after another look at the file.
func (r resting) see(at dir.Stat, writers dir.Writers, now time.Time) resting {
	if r.inode != at.Ino && r.inode != 0 {
		r = resting{} // another file has its place
	}
	r.inode = at.Ino
	if r.first.IsZero() {
		r.first = now
	}
	if r.since.IsZero() || r.size != at.Size || r.mtime != at.Mtime {
		r.size, r.mtime, r.since = at.Size, at.Mtime, now
	}
	r.writers = writers
	if writers == dir.SomeWriter {
		if r.opened.IsZero() {
			r.opened = now
		}
		r.open = now
	}
	return r
}

// done reports whether the file does not wait any longer. whole says that its content
// shows its end, inPlace that it may be written over what was there before.
func (r resting) done(at dir.Stat, writers dir.Writers, whole, inPlace bool, enough time.Duration, now time.Time) bool {
	if writers == dir.SomeWriter {
		return now.Sub(r.since) >= openPatience || now.Sub(time.Unix(0, at.Ctime)) >= openPatience
	}
	if whole && (writers == dir.NoWriter || !inPlace) {
		return true
	}
	// A modification time that is old already: it was renamed or copied in.
	return now.Sub(r.since) >= enough || now.Sub(time.Unix(0, at.Mtime)) >= enough
}

// again sets when to look again. No event tells that a writer has closed its file, so it
// is looked at often at first.
func (r resting) again(writers dir.Writers, enough time.Duration, now time.Time) resting {
	r.next = r.since.Add(enough)
	if writers == dir.SomeWriter {
		r.next = now.Add(min(max(now.Sub(r.since)/2, firstPoll), lastPoll))
	}
	return r
}

// reason says what the file waits for.
func (r resting) reason() string {
	if r.writers == dir.SomeWriter {
		return "a program has it open for writing"
	}
	return "it is written to again and again"
}

// drop ends the wait of a path.
func (s settling) drop(p definition.Path) { delete(s.files, p) }

// due returns the files that should be looked at again at the time now, and when
// the next of the others is due (zero if there is none).
func (s settling) due(now time.Time) (due []definition.Path, next time.Time) {
	for p, r := range s.files {
		if !r.next.After(now) {
			due = append(due, p)
		} else {
			next = sooner(next, r.next)
		}
	}
	return due, next
}

// brief reports whether a file waits that somebody should wait for: not one that a program
// has had open for long.
func (s settling) brief(now time.Time) bool {
	for _, r := range s.files {
		if r.brief(now) {
			return true
		}
	}
	return false
}

func (r resting) brief(now time.Time) bool {
	return r.writers != dir.SomeWriter || now.Sub(r.first) < longWait
}

// waiting returns the files that have waited for long.
func (s settling) waiting(now time.Time) []WaitingFile {
	var list []WaitingFile
	for p, r := range s.files {
		if now.Sub(r.first) >= longWait {
			list = append(list, WaitingFile{Path: p, Reason: r.reason(), Since: r.first})
		}
	}
	return list
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

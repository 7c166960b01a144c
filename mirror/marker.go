package mirror

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// Mark makes a directory one of the cluster: it writes the marker, so that a
// mirror of this cluster, and no other, may open it. It touches nothing else and
// is done once, when a node is made. The error wraps ErrNoDirectory,
// ErrPermission, ErrLocked or ErrForeignMarker where one of them is the cause. To
// mark a directory twice is no error.
func Mark(directory, cluster string) error {
	abs, err := filepath.Abs(directory)
	if err != nil {
		return fmt.Errorf("mark directory: %w", err)
	}
	d, err := dir.Open(abs)
	if err != nil {
		return err
	}
	err = d.CheckMarker(cluster)
	if errors.Is(err, ErrNoMarker) {
		err = d.WriteMarker(cluster)
	}
	return errors.Join(err, d.Close())
}

// survey is what a directory without marker holds.
type survey struct {
	at time.Time
	// same are the files that are as they were, changed those that are there otherwise,
	// missing those that are gone.
	same, changed, missing int
	// sum depends on the state of every file: equal sums mean that nothing has happened.
	sum uint64
	// next is when to look again.
	next time.Time
}

const (
	// surveyRest is how long nothing must have happened to a directory before it is marked
	// again: what has removed the marker may be about to remove the rest.
	surveyRest = 700 * time.Millisecond
	// surveyPause is the time between two looks at a directory of which most files are not as
	// they were.
	surveyPause = 10 * time.Second
)

// markSame marks the directory again, if it is the one that it was, as the system names it, at
// least half of its files are as they were, and nothing goes on in it: a program that removes
// what it does not know has taken the marker away (rsync --delete, git clean). What it has
// changed or deleted beside is then imported, as far as the guard lets it.
func (m *Mirror) markSame(now time.Time) bool {
	if m.opts.Observe || m.ledger.directory == "" || now.Before(m.surveyed.next) {
		return false
	}
	if at, err := m.dir.IDAt(); err != nil || at != m.ledger.directory {
		return false
	}
	if err := m.dir.Follow(m.log, func(*dir.Directory) error { return nil }); err != nil {
		return false
	}
	before := m.surveyed
	m.surveyed = m.ledger.survey(m.dir, now)
	switch {
	case m.surveyed.same < m.surveyed.changed+m.surveyed.missing:
		m.surveyed.next = now.Add(surveyPause)
		return false
	case m.surveyed.sum != before.sum || before.at.IsZero():
		return false
	case now.Sub(before.at) < surveyRest:
		m.surveyed.at = before.at
		return false
	}
	if err := m.dir.WriteMarker(m.opts.Cluster); err != nil {
		m.report.failed(err)
		return false
	}
	m.log.Warn("the directory had lost its marker and is marked again: it is the same, and most of its files are as they were",
		"path", m.opts.Dir, "same", m.surveyed.same, "changed", m.surveyed.changed, "missing", m.surveyed.missing)
	m.surveyed = survey{}
	return true
}

// survey looks at every file that was in sync.
func (l *ledger) survey(d *dir.Directory, now time.Time) survey {
	s := survey{at: now}
	for p, e := range l.entries {
		if e.base.hash == (definition.Hash{}) {
			continue
		}
		_, err := e.look(d, p, nil)
		switch {
		case err == nil && e.seen.kind == absent:
			s.missing++
		case err == nil && e.seen.kind == present && (e.seen.hash == e.base.hash || e.intent != nil && e.seen.hash == e.intent.base.hash):
			s.same++
		default:
			s.changed++
		}
		h := fnv.New64a()
		fmt.Fprintln(h, p, e.seen.kind, e.stat.Ino, e.stat.Size, e.stat.Mtime)
		s.sum += h.Sum64()
	}
	return s
}

// Marked is what the directory held when it was to be marked again.
type Marked struct {
	Marked                 bool // it had no marker; else nothing was done
	Same, Changed, Missing int  // files that are as they were, that are otherwise, that are gone
}

// MarkAgain marks the directory again, whichever it is now, so that the mirror goes on: what has
// changed in it is imported, as far as the guard lets it. The error wraps ErrEmpty,
// ErrNoDirectory, ErrForeignMarker or ErrObserving where that is the cause.
func (m *Mirror) MarkAgain(ctx context.Context) (Marked, error) {
	var marked Marked
	if err := m.ask(ctx, m.markRequest(&marked)); err != nil {
		return Marked{}, fmt.Errorf("mark directory %s: %w", m.opts.Dir, err)
	}
	return marked, nil
}

// markRequest is the request of MarkAgain.
func (m *Mirror) markRequest(marked *Marked) *request {
	r := newRequest(nil, func(*pass) (bool, error) { return true, nil })
	r.first = func(_ context.Context, ps *pass) error {
		unmarked := false
		err := m.follow(func(next *dir.Directory, isUnmarked bool) error {
			unmarked = isUnmarked
			empty, err := next.Empty()
			if err == nil && unmarked && empty && m.ledger.inSync > 0 {
				err = ErrEmpty
			}
			return err
		})
		if err != nil {
			return err
		}
		m.ledger.distrust()
		s := m.ledger.survey(m.dir, ps.now)
		*marked = Marked{unmarked, s.same, s.changed, s.missing}
		if unmarked {
			return m.dir.WriteMarker(m.opts.Cluster)
		}
		return nil
	}
	return r
}

// Refill marks the directory, which must be empty and without marker, and fills it with what
// the cluster has; no deletion is published. The error wraps ErrNotEmpty, ErrMarked,
// ErrNoDirectory, ErrForeignMarker or ErrObserving where that is the cause.
func (m *Mirror) Refill(ctx context.Context) error {
	r := newRequest(overAll, func(*pass) (bool, error) { return true, nil })
	r.first = func(ctx context.Context, ps *pass) error {
		err := m.follow(func(next *dir.Directory, unmarked bool) error {
			if !unmarked {
				return ErrMarked
			}
			return mustBeEmpty(next)
		})
		if err != nil {
			return err
		}
		if err := m.refill(ctx); err != nil {
			return err
		}
		m.guard.reset()
		clear(m.settling.files)
		clear(m.holds.files)
		m.holds.changed = true
		m.unsaved, ps.batch = nil, newBatch(nil)
		m.copies, m.equal = newCopies(m.ledger), false
		return nil
	}
	if err := m.ask(ctx, r); err != nil {
		return fmt.Errorf("refill directory %s: %w", m.opts.Dir, err)
	}
	return nil
}

// follow goes on in the directory that is at the path now, if fit returns nil for it. It is told
// whether that directory has no marker.
func (m *Mirror) follow(fit func(next *dir.Directory, unmarked bool) error) error {
	if m.opts.Observe {
		return ErrObserving
	}
	return m.dir.Follow(m.log, func(next *dir.Directory) error {
		err := next.CheckMarker(m.opts.Cluster)
		unmarked := errors.Is(err, ErrNoMarker)
		if err != nil && !unmarked {
			return err
		}
		return fit(next, unmarked)
	})
}

func mustBeEmpty(d *dir.Directory) error {
	empty, err := d.Empty()
	if err == nil && !empty {
		err = ErrNotEmpty
	}
	return err
}

// refill takes an empty directory as one that this node never had in sync.
func (m *Mirror) refill(ctx context.Context) error {
	if err := mustBeEmpty(m.dir); err != nil {
		return err
	}
	if err := m.ledger.forget(ctx); err != nil {
		return err
	}
	if err := m.dir.WriteMarker(m.opts.Cluster); err != nil {
		return err
	}
	return m.ledger.load(ctx, m.opts.Founder)
}

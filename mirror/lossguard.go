package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
)

// lossGuard stands between what the directory has lost and what is published. A path
// that is gone, returned to earlier bytes, was overwritten or is a copy goes through it like
// this:
//
//	reconcile: judge -> wait for others, held in a set, publish or undo (as decided)
//	import:    taken, if it was a move; else due -> admit: published, or held in a set
//	           from now on
//	record:    drop and release, when the pass has dealt with the path
//
// What it holds is durable: it survives a restart until Approve or Restore decides, or
// until the file is otherwise than it was. Everything else is memory and is found again.
type lossGuard struct {
	ledger *ledger
	holds  *holds
	log    *slog.Logger
	settle time.Duration // how long no other loss must have come

	losses [lossKinds]losses // by LossKind
	sets   map[string]*heldSet
	byPath map[definition.Path]*heldSet
	// heldGone are the deletions that are held: what they speak of may come back under
	// another name.
	heldGone map[definition.Path]*loss
	// changed: the sets have, since the last list.
	changed bool
	// decided is what a request of this pass decides about a set.
	decided *decision
}

// decision is an answer to a held set.
type decision struct {
	set     *heldSet
	publish bool
}

// verdict is what the guard says about one loss.
type verdict uint8

const (
	// waits: for others, so that they are judged together.
	waits verdict = iota
	// isHeld: it is part of a set, nothing is to be done.
	isHeld
	// publish and undo: somebody has decided so.
	publish
	undo
)

func newLossGuard(l *ledger, h *holds, log *slog.Logger, settle time.Duration) *lossGuard {
	g := &lossGuard{
		ledger: l, holds: h, log: log, settle: settle,
		sets: make(map[string]*heldSet), byPath: make(map[definition.Path]*heldSet),
		heldGone: make(map[definition.Path]*loss),
	}
	for kind := range g.losses {
		g.losses[kind].window.kind = LossKind(kind)
	}
	return g
}

// load reads the sets that are held since an earlier run.
func (g *lossGuard) load(ctx context.Context, replica Replica) error {
	records, err := replica.LoadRecords(ctx, approvalPrefix)
	if err != nil {
		return fmt.Errorf("load held deletions: %w", err)
	}
	for key, value := range records {
		set, err := decodeHeldSet(key, value)
		if err != nil {
			return err
		}
		g.add(set)
	}
	return nil
}

// begin begins a pass, of which nothing is decided yet.
func (g *lossGuard) begin() { g.decided = nil }

// count notes how many files there are now.
func (g *lossGuard) count(now time.Time) {
	for kind := range g.losses {
		g.losses[kind].window.observe(now, g.ledger.inSync)
	}
}

// judge says what is to be done about a loss that reconcile has found.
func (g *lossGuard) judge(b *batch, kind LossKind, f finding, now time.Time) verdict {
	p := f.path
	for other := range g.losses {
		if LossKind(other) != kind {
			g.losses[other].drop(p)
		}
	}
	if s := g.byPath[p]; s != nil && s.kind == kind && s.files[p] == f.seen.hash {
		switch {
		case g.decided == nil || g.decided.set != s:
			g.holds.note(p.String(), s.reason())
			return isHeld
		case g.decided.publish:
			return publish
		default:
			return undo
		}
	}
	g.release(b, p)
	g.losses[kind].add(p, f.seen.hash, f.old, now)
	return waits
}

// found notes that a path is no loss now.
func (g *lossGuard) found(b *batch, p definition.Path, seen diskState) {
	g.drop(p)
	if seen.kind == present {
		g.forget(p)
	}
	g.release(b, p)
}

// drop ends the wait of a path: it came back, or was dealt with.
func (g *lossGuard) drop(p definition.Path) {
	for kind := range g.losses {
		g.losses[kind].drop(p)
	}
}

// release takes a path out of the set that holds it, and ends its hold. The set is gone
// with its last path.
func (g *lossGuard) release(b *batch, p definition.Path) {
	s := g.byPath[p]
	if s == nil {
		return
	}
	g.changed = true
	delete(g.byPath, p)
	delete(g.heldGone, p)
	delete(s.files, p)
	if len(s.files) == 0 {
		delete(g.sets, s.id)
	}
	g.holds.release(p.String())
	b.saveSet(s)
}

// forget no longer counts a path as deleted: the file is there again.
func (g *lossGuard) forget(p definition.Path) { g.losses[Deletion].window.forget(p) }

// due returns those of the losses that are to be published now.
func (g *lossGuard) due(kind LossKind, lost []finding, now time.Time) []finding {
	l := &g.losses[kind]
	if at := l.due(g.settle); at.IsZero() || at.After(now) {
		return nil
	}
	var due []finding
	for _, f := range lost {
		if _, ok := l.pending[f.path]; ok {
			due = append(due, f)
		}
	}
	return due
}

// admit returns those of the losses that are due that may be published. The others are held as
// one set from now on.
func (g *lossGuard) admit(b *batch, kind LossKind, due []finding, now time.Time) (admitted []finding) {
	l := &g.losses[kind]
	paths := make([]definition.Path, 0, len(due))
	for _, f := range due {
		paths = append(paths, f.path)
	}
	// Of copies there are many already: few are never taken for losses (see copies.go).
	few := kind != Copying && l.window.admit(now, paths) && !g.lostAll(l)
	files := make(map[definition.Path]definition.Hash)
	for _, f := range due {
		if few && !l.pending[f.path].old {
			admitted = append(admitted, f)
		} else {
			files[f.path] = f.seen.hash
		}
	}
	if len(files) == 0 {
		return admitted
	}
	since := g.absorb(b, kind, files, now)
	set := newHeldSet(kind, now, files)
	set.since = since
	g.add(set)
	for p := range files {
		l.drop(p)
		g.holds.note(p.String(), set.reason())
	}
	b.saveSet(set)
	g.log.Warn("the guard holds losses until they are approved", "kind", kind, "id", set.id, "files", len(files))
	return admitted
}

// absorb adds to the losses the sets of the same kind that are held since less than the window:
// one accident is one set. It gets another id, so nobody approves what was not in the list. absorb
// returns since when the oldest of them is held.
func (g *lossGuard) absorb(b *batch, kind LossKind, files map[definition.Path]definition.Hash, now time.Time) (since time.Time) {
	since = now
	for id, s := range g.sets {
		if s.kind != kind || now.Sub(s.since) >= guardWindow || g.decided != nil && g.decided.set == s {
			continue
		}
		since = sooner(since, s.since)
		maps.Copy(files, s.files)
		clear(s.files)
		b.saveSet(s)
		delete(g.sets, id)
	}
	return since
}

// lostAll reports whether several losses have left no file as it was.
func (g *lossGuard) lostAll(l *losses) bool {
	if len(l.window.losses) < guardAll {
		return false
	}
	for p, e := range g.ledger.entries {
		if _, lost := l.window.losses[p]; !lost && e.seen.kind != absent {
			return false
		}
	}
	return true
}

func (g *lossGuard) add(s *heldSet) {
	g.sets[s.id] = s
	g.changed = true
	for p := range s.files {
		g.byPath[p] = s
		if s.kind == Deletion {
			g.heldGone[p] = new(loss)
		}
	}
}

// decide makes a decision about a held set that of this pass. The error is ErrNoApproval
// if there is no set of this id.
func (g *lossGuard) decide(id string, publish bool) (*heldSet, error) {
	set := g.sets[id]
	if set == nil {
		return nil, ErrNoApproval
	}
	g.decided = &decision{set: set, publish: publish}
	for p := range set.files {
		g.losses[set.kind].window.forget(p)
	}
	return set, nil
}

// outcome is that of the decision of this pass, which ended with err: an error also if some
// files of the set are as they were.
func (g *lossGuard) outcome(err error) error {
	left := g.decided.set.paths()
	if len(left) == 0 {
		return err
	}
	reason := g.holds.reason(left[0].String())
	return errors.Join(err, fmt.Errorf("%d of its files are left as they are, the first is %s: %s", len(left), left[0], reason))
}

// approving reports whether the pass publishes a held set.
func (g *lossGuard) approving() bool { return g.decided != nil && g.decided.publish }

// toLookAt calls add for each path of which the guard must know now what is there: of
// losses that are due, and of the set that is decided about.
func (g *lossGuard) toLookAt(now time.Time, add func(definition.Path)) {
	for kind := range g.losses {
		l := &g.losses[kind]
		if at := l.due(g.settle); !at.IsZero() && !at.After(now) {
			for p := range l.pending {
				add(p)
			}
		}
	}
	if g.decided != nil {
		for p := range g.decided.set.files {
			add(p)
		}
	}
}

// next returns when losses are due next; zero if none waits. Losses of which one is
// settling do not count: the pass comes when it has settled.
func (g *lossGuard) next(s settling) (next time.Time) {
	for kind := range g.losses {
		if l := &g.losses[kind]; !s.any(l.pending) {
			next = sooner(next, l.due(g.settle))
		}
	}
	return next
}

// waiting reports whether a loss waits for others.
func (g *lossGuard) waiting() bool {
	for kind := range g.losses {
		if len(g.losses[kind].pending) > 0 {
			return true
		}
	}
	return false
}

// restart forgets what waits: the directory came back, nothing that was seen counts.
func (g *lossGuard) restart() {
	for kind := range g.losses {
		clear(g.losses[kind].pending)
	}
}

// reset forgets everything: the directory that it was about is no more.
func (g *lossGuard) reset() {
	*g = *newLossGuard(g.ledger, g.holds, g.log, g.settle)
	g.changed = true
}

// gone are the deletions that wait or are held. Settling a path takes it out.
func (g *lossGuard) gone() map[definition.Path]*loss {
	if len(g.heldGone) == 0 {
		return g.losses[Deletion].pending
	}
	all := maps.Clone(g.heldGone)
	maps.Copy(all, g.losses[Deletion].pending)
	return all
}

// arrived are the files that wait or are held though they are there: each may be what a file
// that is gone has become.
func (g *lossGuard) arrived() []definition.Path {
	all := make(map[definition.Path]struct{})
	for kind := range g.losses {
		if LossKind(kind) != Deletion {
			for p := range g.losses[kind].pending {
				all[p] = struct{}{}
			}
		}
	}
	for p, s := range g.byPath {
		if s.kind != Deletion {
			all[p] = struct{}{}
		}
	}
	return slices.SortedFunc(maps.Keys(all), definition.Path.Compare)
}

// lost notes a deletion that reconcile has not come upon.
func (g *lossGuard) lost(p definition.Path, now time.Time) {
	g.losses[Deletion].add(p, definition.Hash{}, false, now)
}

// list returns the held sets, oldest first.
func (g *lossGuard) list() []Approval {
	list := make([]Approval, 0, len(g.sets))
	for _, s := range g.sets {
		list = append(list, s.approval())
	}
	slices.SortFunc(list, func(x, y Approval) int {
		return cmp.Or(x.Since.Compare(y.Since), strings.Compare(x.ID, y.ID))
	})
	return list
}

package mirror

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// todo is what reconcile has found to be done. What needs no work is settled by then.
type todo struct {
	imports []finding
	lost    [lossKinds][]finding // by LossKind: those that wait, as they are now
	exports []finding
}

// finding is one path that something is to be done about.
type finding struct {
	path  definition.Path
	entry *entry
	// seen and stat are what the directory held when it was decided.
	seen    diskState
	stat    dir.Stat
	view    definition.View
	content []byte // of an import

	adopted  bool
	old      bool                 // it has the modification time that a backup brings back
	approved bool                 // somebody has decided that it is meant
	returned bool                 // it is again what a recent export has replaced
	parents  []definition.Version // of an edit of an older version, instead of the base's heads
	moved    definition.Path      // from there
	replaced *replacedFile        // the bytes are no longer in the directory
	saved    saved                // how the file was written
}

// passBytes is how much content one change may collect; the paths beyond it are
// left to the next pass.
const passBytes = 16 << 20

// reconcile looks at each path and decides what is to be done about it. The pass is
// refused if ctx ends meanwhile.
func (m *Mirror) reconcile(ctx context.Context, ps *pass, f *found) *todo {
	do := new(todo)
	size := 0
	for _, p := range slices.SortedFunc(maps.Keys(f.paths), definition.Path.Compare) {
		if ctx.Err() != nil {
			ps.refusal = ErrNotRunning
			return do // the paths are found again by the next start
		}
		if size > passBytes && !m.guard.approving() {
			ps.leave(p)
			continue
		}
		size += m.reconcilePath(ctx, ps, do, p, f.paths[p])
	}
	return do
}

// reconcilePath looks at one path and decides what is to be done about it. It returns
// how much content an import holds in memory now.
func (m *Mirror) reconcilePath(ctx context.Context, ps *pass, do *todo, p definition.Path, info fs.FileInfo) int {
	if !m.opts.mirrors(p.String()) {
		return 0
	}
	e := m.ledger.entry(p)
	e.expire(ps.now, m.opts.FormTime)
	content, err := e.look(m.dir, p, info)
	if err != nil {
		ps.leave(p)
		return 0
	}
	if e.fresh && e.seen.kind != unreadable {
		m.recover(ctx, ps, p, e, content)
	}
	view := m.replica.View(p)
	if view.Withheld != "" {
		m.settle(ps, p, e, outcome{kind: leftAlone, reason: view.Withheld})
		return 0
	}
	f := finding{path: p, entry: e, view: view}
	switch {
	case e.seen.kind != present || e.seen.hash == e.base.hash || e.seen.hash == view.Hash:
		m.settling.drop(p)
		m.cuts.drop(&ps.batch, p)
	default:
		if content == nil {
			if content, err = e.read(m.dir, p); err != nil {
				ps.leave(p)
				return 0
			}
		}
		how, done, err := m.settling.complete(p, e, content, ps.now)
		if err != nil {
			ps.leave(p)
			return 0
		}
		if !done {
			m.guard.drop(p) // if it was gone, it is no more
			return 0
		}
		f.saved = how
		f.content = content
	}
	f.seen, f.stat = e.seen, e.stat
	a := plan(e.seen, e.base, view)
	if m.opts.ReadOnly() {
		a = a.forReader(e.seen, view)
	}
	if a == importFile {
		if reason := m.cuts.judge(ctx, &ps.batch, f); reason != "" {
			a, f.seen.fault = hold, reason
		}
	}
	if m.opts.Observe {
		m.planned.note(f, a, m.holds)
		return 0
	}
	return m.act(ctx, ps, do, f, a)
}

// act puts the path where a later phase deals with it, or settles it. It returns how much
// content an import holds in memory now.
func (m *Mirror) act(ctx context.Context, ps *pass, do *todo, f finding, a action) int {
	p := f.path
	folder, missing, apart := m.mounts.above(p)
	f.old = f.old || apart
	switch {
	case apart && (a == exportFile || a == exportDeletion) && !m.opts.ReadOnly():
		if missing { // else the end of the pass decides about the folder
			m.settle(ps, p, f.entry, outcome{kind: leftAlone, reason: fmt.Sprintf("its folder %s is held: %s", folder, m.holds.reason(folder))})
		}
		return 0
	case a == importDeletion && f.seen.folder && !apart:
		// Whoever puts a folder there means it. What is in the folder is imported by
		// now, or soon, and can only be there if the file is not.
		m.guard.drop(p)
		m.guard.release(&ps.batch, p)
		do.imports = append(do.imports, f)
		return 0
	case a == importDeletion:
		m.actOnLoss(ps, do, f, Deletion)
		return 0
	case a == importFile:
		if kind, ok := m.guard.suspect(ctx, &f, ps.now, m.dir.Tick()); ok && (kind != Overwriting || !m.copies.hasOwnID(f)) {
			m.actOnLoss(ps, do, f, kind)
			return 0
		}
	}
	m.guard.found(&ps.batch, p, f.seen)
	leave := func(reason string) { m.settle(ps, p, f.entry, outcome{kind: leftAlone, reason: reason}) }
	switch a {
	case hold:
		leave(f.seen.fault)
	case noop:
		m.settle(ps, p, f.entry, outcome{kind: asBefore})
		m.ledger.dropUnused(p, f.view)
	case recordBase:
		m.settle(ps, p, f.entry, outcome{kind: recorded, record: f.entry.advance(baseOf(f.view), ps.now)})
	case importFile, adoptFile:
		f.adopted = a == adoptFile
		do.imports = append(do.imports, f)
		return len(f.content)
	case exportFile, exportDeletion:
		if f.seen.folder && !m.dir.IsEmpty(p.String()) {
			leave(dir.ErrFolder.Error())
			break
		}
		if a == exportDeletion && f.seen.kind == present && !m.opts.ReadOnly() && m.ledger.isRemoved(m.dir, displacedBy(f.view)) {
			// Its user has removed the other, and made this in its place.
			if reason := m.holds.reason(displacedBy(f.view).String()); reason != "" {
				leave(fmt.Sprintf("it takes the place of %s, which is held: %s", displacedBy(f.view), reason))
			}
			break
		}
		do.exports = append(do.exports, f)
	case quarantineFile:
		if err := m.putAside(f); err != nil {
			leave("this node only reads: " + err.Error())
			break
		}
		do.exports = append(do.exports, f)
	}
	return 0
}

// actOnLoss asks the guard about a loss.
func (m *Mirror) actOnLoss(ps *pass, do *todo, f finding, kind LossKind) {
	switch m.guard.judge(&ps.batch, kind, f, ps.now) {
	case waits:
		do.lost[kind] = append(do.lost[kind], f)
	case publish:
		f.approved = true
		do.imports = append(do.imports, f)
	case undo:
		m.nextRescan = ps.now           // what has taken its place gives way
		if f.seen.hash == f.view.Hash { // another path is in its place: nothing to put back
			m.settle(ps, f.path, f.entry, outcome{kind: recorded, record: f.entry.advance(baseOf(f.view), ps.now)})
			break
		}
		if kind == Overwriting || kind == Copying { // its bytes are nowhere else
			if err := m.putAside(f); err != nil {
				m.settle(ps, f.path, f.entry, outcome{kind: leftAlone, reason: err.Error()})
				return
			}
		}
		do.exports = append(do.exports, f)
	case isHeld: // the guard has said so
	}
}

// putAside keeps the bytes of an edit that is not published, so that the view can be restored.
func (m *Mirror) putAside(f finding) error {
	if m.quarantine == "" {
		return errNoQuarantine
	}
	content := f.content
	if content == nil {
		var err error
		if content, err = f.entry.read(m.dir, f.path); err != nil {
			return fmt.Errorf("put aside: %w", err)
		}
	}
	if err := m.quarantine.put(f.path, content); err != nil {
		return err
	}
	m.report.count(func(s *Status) { s.Aside++ })
	m.log.Info("an edit was put aside and the file is restored", "path", f.path, "folder", m.opts.Aside)
	return nil
}

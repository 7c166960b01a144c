package mirror

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

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
			m.lookAgain(ps, p)
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
		m.lookAgain(ps, p)
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
		delete(m.settling, p)
	default:
		if content == nil {
			if content, err = e.read(m.dir, p); err != nil {
				m.lookAgain(ps, p)
				return 0
			}
		}
		if !m.complete(p, e, content, ps.now) {
			return 0
		}
		f.content = content
	}
	f.seen, f.stat = e.seen, e.stat
	a := plan(e.seen, e.base, view)
	if m.opts.ReadOnly() {
		a = a.forReader(e.seen)
	}
	if m.opts.Observe {
		m.observe(f, a)
		return 0
	}
	return m.act(ctx, ps, do, f, a)
}

// complete reports whether nobody is in the middle of saving p, and notes whether its
// content is a definition. If it is not complete, it will be looked at again.
func (m *Mirror) complete(p definition.Path, e *entry, content []byte, now time.Time) bool {
	doc, err := definition.Parse(p, content)
	if (err != nil || !doc.Complete()) && !m.settling.rested(p, e.stat, now, m.opts.SettleTime) {
		return false
	}
	delete(m.settling, p)
	e.seen.parses = err == nil
	if err != nil {
		e.seen.fault = fmt.Sprintf("it is no definition: %v", err)
	}
	return true
}

// act puts the path where a later phase deals with it, or settles it. It returns how much
// content an import holds in memory now.
func (m *Mirror) act(ctx context.Context, ps *pass, do *todo, f finding, a action) int {
	p := f.path
	switch {
	case a == importDeletion && f.seen.folder:
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
		if kind, ok := m.suspicion(ctx, &f, ps.now); ok {
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
		do.exports = append(do.exports, f)
	case quarantineFile:
		if err := m.quarantine(f); err != nil {
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
		if kind == Overwriting || kind == Copying { // its bytes are nowhere else
			if err := m.quarantine(f); err != nil {
				m.settle(ps, f.path, f.entry, outcome{kind: leftAlone, reason: err.Error()})
				return
			}
		}
		do.exports = append(do.exports, f)
	case isHeld: // the guard has said so
	}
}

// observe notes what would be done.
func (m *Mirror) observe(f finding, a action) {
	if a == hold {
		m.holds.hold(f.path.String(), f.seen.fault)
	} else {
		m.holds.release(f.path.String())
	}
	if a == noop || a == recordBase || a == hold {
		delete(m.planned, f.path)
		return
	}
	m.planned[f.path] = a
}

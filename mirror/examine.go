package mirror

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// examine looks at one path and decides what the turn does about it.
func (m *Mirror) examine(ctx context.Context, t *turn, p definition.Path, info fs.FileInfo) {
	if !m.mirrors(p.String()) {
		return
	}
	e := m.entry(p)
	content, err := m.look(p, e, info)
	if err != nil {
		m.lookAgain(t, p)
		return
	}
	if e.fresh && e.seen.kind != unreadable {
		m.recover(ctx, t, p, e, content)
	}
	view := m.replica.View(p)
	if view.Withheld != "" {
		m.hold(p.String(), view.Withheld)
		return
	}
	f := finding{path: p, entry: e, view: view}
	switch {
	case e.seen.kind != present || e.seen.hash == e.base.hash || e.seen.hash == view.Hash:
		delete(m.settling, p)
	default:
		if content == nil {
			if content, err = m.read(p, e); err != nil {
				m.lookAgain(t, p)
				return
			}
		}
		if !m.parse(p, e, content, t.now) {
			return // it may still be written to
		}
		f.content = content
	}
	f.seen, f.at = e.seen, e.at
	a := plan(e.seen, e.base, view)
	if m.opts.ReadOnly() {
		a = a.forReader(e.seen)
	}
	if m.opts.Observe {
		m.observe(f, a)
		return
	}
	m.decide(t, f, a)
}

// recover finds the base of a file at the first look after a start.
func (m *Mirror) recover(ctx context.Context, t *turn, p definition.Path, e *entry, content []byte) {
	e.fresh = false
	if e.intent == nil && len(e.stale) == 0 {
		return
	}
	r := e.record.recover(e.seen, e.at, m.rebooted, m.tookPlace(p, e.intent))
	if m.rebooted && !m.opts.Observe && e.foreign(e.seen, e.at) && m.torn(ctx, p, e.base, content) && m.keepTorn(p, content) {
		r = e.torn(e.seen)
	}
	m.setRecord(e, r)
	t.records[recordKey(p)] = r.encode(p)
	t.synced = true
}

// tookPlace reports whether an export that an earlier run had begun surely took place:
// its temporary file is gone, which the mirror removes in no other way before the records
// say so. After a power failure, or without its folder, that proves nothing.
func (m *Mirror) tookPlace(p definition.Path, in *intent) bool {
	if in == nil || in.inode == 0 || m.rebooted {
		return false
	}
	name := p.String()
	if _, err := m.dir.Lstat(path.Dir(name)); err != nil {
		return false
	}
	_, err := m.dir.Lstat(dir.TempName(name))
	return errors.Is(err, fs.ErrNotExist)
}

// decide puts the path where the turn will deal with it.
func (m *Mirror) decide(t *turn, f finding, a action) {
	p := f.path
	if a == importDeletion && f.seen.folder {
		// Whoever puts a folder there means it. What is in the folder is imported by
		// now, or soon, and can only be there if the file is not.
		m.dropLoss(p)
		m.releaseApproval(t, p)
		t.imports = append(t.imports, f)
		return
	}
	if a == importDeletion || a == importFile && f.entry.returns(f.seen.hash) {
		kind := Deletion
		if a == importFile {
			kind = Reversion
		}
		m.decideLoss(t, f, kind)
		return
	}
	m.foundAgain(t, p, f.seen)
	if a == hold {
		m.hold(p.String(), f.seen.fault)
		return
	}
	switch a {
	case rest:
		m.unhold(p.String())
		if !f.entry.stored && f.seen.kind == absent && len(f.view.Heads) == 0 {
			delete(m.entries, p) // a name that came and went
		}
	case recordBase:
		m.unhold(p.String())
		next := f.entry.advance(baseOf(f.view))
		t.synced = t.synced || next.base.hash != f.entry.base.hash
		m.setRecord(f.entry, next)
		t.records[recordKey(p)] = next.encode(p)
	case importFile, adoptFile:
		f.adopted = a == adoptFile
		t.imports = append(t.imports, f)
		t.bytes += len(f.content)
	case exportFile, exportDeletion:
		if f.seen.folder && !m.dir.IsEmpty(p.String()) {
			m.hold(p.String(), dir.ErrFolder.Error())
			return
		}
		t.exports = append(t.exports, f)
	case setAside:
		if err := m.setAside(f); err != nil {
			m.hold(p.String(), err.Error())
			return
		}
		t.exports = append(t.exports, f)
	}
}

// decideLoss lets a loss wait for others, or leaves it in the set that is held.
func (m *Mirror) decideLoss(t *turn, f finding, kind LossKind) {
	p := f.path
	m.losses[1-kind].drop(p)
	if s := m.approvals.byPath[p]; s != nil && s.kind == kind && s.files[p] == f.seen.hash {
		switch s {
		case t.approve:
			t.imports = append(t.imports, f)
		case t.restore:
			t.exports = append(t.exports, f)
		default:
			m.noteHeld(p.String(), heldBy(s))
		}
		return
	}
	m.releaseApproval(t, p)
	m.losses[kind].add(p, f.seen.hash, t.now)
	t.lost[kind] = append(t.lost[kind], f)
}

// heldBy is the reason that Status shows for a file of the set.
func heldBy(s *heldSet) string {
	return "the guard holds this " + s.kind.String() + ": approve " + s.id + " publishes it, with --restore it is undone"
}

// foundAgain ends the wait of a path that is no loss now.
func (m *Mirror) foundAgain(t *turn, p definition.Path, seen sight) {
	m.dropLoss(p)
	if seen.kind == present {
		m.losses[Deletion].guard.forget(p)
	}
	m.releaseApproval(t, p)
}

// observe notes what would be done.
func (m *Mirror) observe(f finding, a action) {
	if a == hold {
		m.hold(f.path.String(), f.seen.fault)
	} else {
		m.unhold(f.path.String())
	}
	if a == rest || a == recordBase || a == hold {
		delete(m.planned, f.path)
		return
	}
	m.planned[f.path] = a
}

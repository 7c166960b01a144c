package mirror

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// recover finds the base of a file at the first look after a start.
func (m *Mirror) recover(ctx context.Context, ps *pass, p definition.Path, e *entry, content []byte) {
	e.fresh = false
	if e.intent == nil && len(e.stale) == 0 {
		return
	}
	r := e.record.recover(e.seen, e.stat, m.ledger.rebooted, !m.ledger.rebooted && tookPlace(m.dir, p, e.intent), ps.now)
	if m.ledger.rebooted && !m.opts.Observe && e.foreign(e.seen, e.stat) &&
		torn(ctx, m.replica, p, e.base, content) && m.quarantine.putTorn(p, content, m.log) {
		r = e.torn(e.seen)
	}
	m.ledger.set(e, r)
	ps.batch.put(p, r)
	ps.batch.sync = true
}

// tookPlace reports whether an export that an earlier run had begun surely took place:
// its temporary file is gone, which the mirror removes in no other way before the records
// say so. After a power failure, or without its folder, that proves nothing.
func tookPlace(d *dir.Directory, p definition.Path, in *intent) bool {
	if in == nil || in.inode == 0 {
		return false
	}
	name := p.String()
	if _, err := d.Lstat(path.Dir(name)); err != nil {
		return false
	}
	_, err := d.Lstat(dir.TempName(name))
	return errors.Is(err, fs.ErrNotExist)
}

// torn reports whether a file, which the machine may have lost writes of, holds what nobody
// wrote. A program that saves without a sync may find its file empty, cut off or full of
// zeros after a power failure, long after the edit was published. Left alone it would be
// held for ever, or be published if what is left of it parses.
func torn(ctx context.Context, replica Replica, p definition.Path, was base, content []byte) bool {
	if _, err := definition.Parse(p, content); err != nil {
		return true
	}
	view, whole, err := replica.Read(ctx, p)
	return err == nil && view.Hash == was.hash && bytes.HasPrefix(whole, content)
}

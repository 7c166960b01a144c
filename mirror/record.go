package mirror

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// outcome is how a pass has dealt with one path.
type outcome struct {
	kind outcomeKind
	// record is what is known about the path now; of recorded, imported and exported.
	record record
	// reason says why the file is left alone; of leftAlone and unwritten.
	reason string
	// do says what must be done, if not to the file; of unwritten.
	do string
}

type outcomeKind uint8

const (
	// asBefore: there was nothing to do.
	asBefore outcomeKind = iota
	// recorded: disk and view agree, and the record must still say so.
	recorded
	// imported: what was on disk is in the set; the record was written with the change.
	imported
	// exported: the view is on disk, and the record must still say so.
	exported
	// leftAlone: it is held for a reason.
	leftAlone
	// unwritten: as leftAlone, and it is tried again.
	unwritten
	// changed: the file is otherwise than it was; the next pass looks at it again.
	changed
	// postponed: the import failed and is tried again.
	postponed
)

// settle does the books for a path with which the pass is done. Whatever happens to a
// path, it ends here (but for losses that wait or are held, which are the guard's).
func (m *Mirror) settle(ps *pass, p definition.Path, e *entry, o outcome) {
	m.guard.drop(p)
	switch o.kind {
	case recorded:
		ps.batch.sync = ps.batch.sync || o.record.base.hash != e.base.hash
		ps.batch.put(p, o.record)
	case imported:
		ps.batch.drop(p) // it is older
		ps.imported[p] = e
		if e.seen.kind == present { // its reversion was a loss, but it is there
			m.guard.forget(p)
		}
	case exported:
		ps.batch.put(p, o.record)
		m.guard.forget(p)
	case leftAlone:
		m.holds.hold(p.String(), o.reason)
		return
	case unwritten:
		m.holds.holdUntil(p.String(), o.reason, o.do)
		m.retry.add(p, ps.now)
		return
	case changed:
		m.again[p] = struct{}{}
		return
	case postponed:
		m.retry.add(p, ps.now)
		return
	}
	if o.kind != asBefore {
		m.ledger.set(e, o.record)
	}
	if o.kind != exported && e.seen.kind == present {
		e.inode = e.stat.Ino
	}
	m.guard.release(&ps.batch, p)
	m.holds.release(p.String())
}

// batch collects the records that are written together at the end of a phase.
type batch struct {
	records map[string][]byte // nil: to delete
	sync    bool              // they must be durable
	err     error
}

// newBatch begins with what an earlier pass could not write.
func newBatch(unsaved map[string][]byte) batch {
	b := batch{records: make(map[string][]byte), sync: len(unsaved) > 0}
	maps.Copy(b.records, unsaved)
	return b
}

// put writes the record of p.
func (b *batch) put(p definition.Path, r record) { b.records[recordKey(p)] = r.encode(p) }

// drop does not write the record of p after all.
func (b *batch) drop(p definition.Path) { delete(b.records, recordKey(p)) }

// undo writes the record of p as it was before an export that did not take place. It is
// synced: the inode in the intent is soon another file's.
func (b *batch) undo(p definition.Path, e *entry) {
	b.sync = true
	if e.stored {
		b.put(p, e.record)
	} else {
		b.records[recordKey(p)] = nil
	}
}

// saveSet writes a held set, or drops it if it has become empty.
func (b *batch) saveSet(s *heldSet) {
	key, value, err := s.encode()
	if err != nil {
		b.err = errors.Join(b.err, err)
		return
	}
	if len(s.files) == 0 {
		value = nil
	}
	b.records[key] = value
	b.sync = true
}

// save writes the records that the pass has collected.
func (m *Mirror) save(ctx context.Context, ps *pass) {
	ps.err = errors.Join(ps.err, ps.batch.err)
	ps.batch.err = nil
	if len(ps.batch.records) == 0 {
		return
	}
	if err := m.replica.SaveRecords(ctx, ps.batch.records, ps.batch.sync); err != nil {
		ps.err = errors.Join(ps.err, err)
		m.unsaved = ps.batch.records // in memory they hold; the next pass writes them
		m.nextRescan = sooner(m.nextRescan, ps.now.Add(firstRetry))
		return
	}
	failpoint.Hit(failpoint.RecordsSaved, "")
	m.unsaved = nil
	ps.batch = newBatch(nil)
}

// flushDelay is how long after a change of a file the directory is written to disk. Until
// then a power failure could bring an older file back, and the records keep the base that
// it would have.
const flushDelay = time.Second

// flush writes the directory to disk and ends what the records keep for the case that
// it was not. A failure is tried again after the next change.
func (m *Mirror) flush(ctx context.Context) {
	m.ledger.flushAt = time.Time{}
	paths := m.ledger.unflushed()
	if len(paths) == 0 || m.opts.Observe {
		return
	}
	if err := m.dir.Flush(paths); err != nil {
		m.report.failed(err)
		return
	}
	failpoint.Hit(failpoint.Flushed, "")
	if err := m.ledger.flushed(ctx, paths); err != nil {
		m.report.failed(err) // harmless: what was to be dropped stays
	}
	failpoint.Hit(failpoint.FlushRecorded, "")
}

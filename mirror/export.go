package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// exportBatch is how many files are made durable together.
const exportBatch = 2000

// staged is one file that is ready to be put in place, or one that is to go.
type staged struct {
	finding
	next base
	temp string // empty for a deletion
	ino  uint64
	file *os.File // the temporary file while it must be synced by itself
}

// export brings the directory to the view: first the deletions, because CAS unloads
// the id in a deleted file's name, which a new file may bear; then the files, batch by
// batch.
func (m *Mirror) export(ctx context.Context, t *turn) {
	if len(t.exports) == 0 || m.unsaved != nil { // first the disk must take what is remembered
		return
	}
	slices.SortFunc(t.exports, func(a, b finding) int { return a.path.Compare(b.path) })
	var files, deletions []finding
	for _, f := range t.exports {
		// The change that this turn has appended may have altered the view.
		if f.view = m.replica.View(f.path); f.view.Present {
			files = append(files, f)
		} else {
			deletions = append(deletions, f)
		}
	}
	m.exportBatch(ctx, t, deletions)
	for batch := range slices.Chunk(files, exportBatch) {
		if ctx.Err() != nil {
			return
		}
		m.exportBatch(ctx, t, batch)
	}
}

// exportBatch puts a batch in place. Temps and intents are durable before the first
// rename: then, wherever the machine stops, each file is one whole version, and the
// next start knows which.
func (m *Mirror) exportBatch(ctx context.Context, t *turn, batch []finding) {
	var ready []*staged
	for _, f := range batch {
		s, err := m.stage(ctx, f, len(batch) <= dir.FewFiles)
		if errors.Is(err, dir.ErrReplaced) {
			m.again[f.path] = struct{}{}
			continue
		}
		if err != nil {
			m.exportFails(t, f, err)
			continue
		}
		ready = append(ready, s)
	}
	if len(ready) == 0 {
		return
	}
	if err := m.makeDurable(ctx, ready); err != nil {
		for _, s := range ready {
			m.exportFails(t, s.finding, err)
			m.undoIntent(t, s)
		}
		m.saveRecords(ctx, t)
		m.discardAll(ready)
		return
	}
	failpoint.Hit(failpoint.ExportBegins, "")
	// Deletions first, also of what the view has lost since the turn began.
	slices.SortStableFunc(ready, func(a, b *staged) int { return cmp.Compare(min(len(a.temp), 1), min(len(b.temp), 1)) })
	var exported uint64
	var undone []*staged
	for _, s := range ready {
		switch err := m.place(s); {
		case errors.Is(err, dir.ErrReplaced):
			m.again[s.path] = struct{}{}
			m.undoIntent(t, s)
			undone = append(undone, s)
		case err != nil:
			m.exportFails(t, s.finding, err)
			m.undoIntent(t, s)
			undone = append(undone, s)
		default:
			exported++
			m.placed(t, s)
		}
	}
	failpoint.Hit(failpoint.ExportPlaced, "")
	m.counted(func(s *Status) { s.Exported += exported })
	m.saveRecords(ctx, t)
	m.discardAll(undone)
}

// exportFails holds a file that could not be written and tries again later.
func (m *Mirror) exportFails(t *turn, f finding, err error) {
	m.hold(f.path.String(), fmt.Sprintf("it cannot be brought to what the cluster has: %v", err))
	m.retry.add(f.path, t.now)
}

// stage writes the view's bytes of one path into a temporary file beside it. If alone
// is set, the file is left open, to be synced by itself. The error is dir.ErrReplaced if the
// file need not be written any more.
func (m *Mirror) stage(ctx context.Context, f finding, alone bool) (*staged, error) {
	view, content, err := m.replica.Read(ctx, f.path)
	if err != nil {
		return nil, err
	}
	s := &staged{finding: f, next: baseOf(view)}
	s.view = view
	if view.Hash == f.seen.hash {
		return nil, dir.ErrReplaced // the view has come to what is there: nothing to write
	}
	if !view.Present {
		return s, nil
	}
	file, info, err := m.dir.Stage(f.path.String(), content, f.seen.kind == present, m.opts.FileMode)
	if err != nil {
		return nil, err
	}
	s.temp = dir.TempName(f.path.String())
	s.ino = dir.StatOf(info).Ino
	if alone {
		s.file = file
		return s, nil
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(err, m.discard(s))
	}
	return s, nil
}

// makeDurable syncs the temps and the intents, side by side: neither needs the other.
func (m *Mirror) makeDurable(ctx context.Context, ready []*staged) error {
	intents := make(map[string][]byte, len(ready))
	alone := true
	for _, s := range ready {
		r := s.entry.record
		r.intent = &intent{base: s.next, inode: s.ino}
		intents[recordKey(s.path)] = r.encode(s.path)
		alone = alone && (s.temp == "" || s.file != nil)
	}
	saved := make(chan error, 1)
	go func() {
		err := m.replica.SaveRecords(ctx, intents, true)
		failpoint.Hit(failpoint.IntentsSaved, "")
		saved <- err
	}()
	var err error
	if !alone {
		err = m.dir.Sync()
	}
	for _, s := range ready {
		if s.file != nil {
			err = errors.Join(err, s.file.Sync(), s.file.Close())
			failpoint.Hit(failpoint.TempSynced, s.temp)
		}
	}
	return errors.Join(err, <-saved)
}

// place renames the temp over the file, or removes the file, if the file is still what
// the export was decided for. Otherwise the error is dir.ErrReplaced.
func (m *Mirror) place(s *staged) error {
	m.onPlace()
	old, err := m.dir.Place(s.temp, s.path.String(), dir.Was{Present: s.seen.kind == present, Stat: s.at, Folder: s.seen.folder})
	if old != nil {
		m.keep(s.finding, old)
	}
	return err
}

// placed notes the new base of an exported path.
func (m *Mirror) placed(t *turn, s *staged) {
	e := s.entry
	if s.temp == "" {
		e.see(sight{})
	} else {
		e.see(sight{kind: present, hash: s.next.hash})
	}
	r := e.advance(s.next)
	m.setRecord(e, r)
	t.records[recordKey(s.path)] = r.encode(s.path)
	if above, err := definition.ParsePath(path.Dir(s.path.String())); err == nil && s.temp == "" {
		m.again[above] = struct{}{} // the folder may be in the way of a file
	}
	m.dropLoss(s.path)
	m.losses[Deletion].guard.forget(s.path)
	m.releaseApproval(t, s.path)
	m.unhold(s.path.String())
	m.log.Debug("exported", "path", s.path, "deleted", s.temp == "")
}

// undoIntent writes the record as it was before the export that did not take place. It
// is synced: the inode in the intent is soon another file's.
func (m *Mirror) undoIntent(t *turn, s *staged) {
	t.synced = true
	if s.entry.stored {
		t.records[recordKey(s.path)] = s.entry.encode(s.path)
	} else {
		t.records[recordKey(s.path)] = nil
	}
}

// discardAll removes the temps of exports that did not take place. Their intents must
// not be on disk any more: a temp that is gone tells the next start that the export has
// taken place. If they may be, a later sweep removes the temps.
func (m *Mirror) discardAll(undone []*staged) {
	if m.unsaved != nil {
		return
	}
	for _, s := range undone {
		if err := m.discard(s); err != nil {
			m.log.Warn("cannot remove a temporary file", "path", s.temp, "err", err)
		}
	}
}

// discard removes the temp of an export that does not take place.
func (m *Mirror) discard(s *staged) error {
	if s.temp == "" {
		return nil
	}
	return m.dir.Remove(s.temp)
}

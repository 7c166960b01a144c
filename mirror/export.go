package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

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
func (m *Mirror) export(ctx context.Context, ps *pass, exports []finding) {
	if len(exports) == 0 || m.unsaved != nil { // first the disk must take what is remembered
		return
	}
	slices.SortFunc(exports, func(a, b finding) int { return a.path.Compare(b.path) })
	var files, deletions []finding
	for _, f := range exports {
		// The change that this pass has appended may have altered the view.
		if f.view = m.replica.View(f.path); f.view.Present {
			files = append(files, f)
		} else {
			deletions = append(deletions, f)
		}
	}
	m.exportBatch(ctx, ps, deletions)
	for batch := range slices.Chunk(files, exportBatch) {
		if ctx.Err() != nil {
			return
		}
		m.exportBatch(ctx, ps, batch)
	}
}

// exportBatch puts a batch in place. Temps and intents are durable before the first
// rename: then, wherever the machine stops, each file is one whole version, and the
// next start knows which.
func (m *Mirror) exportBatch(ctx context.Context, ps *pass, batch []finding) {
	var ready []*staged
	for _, f := range batch {
		s, err := stage(ctx, m.replica, m.dir, f, m.opts.FileMode, len(batch) <= dir.FewFiles)
		if err != nil {
			m.settle(ps, f.path, f.entry, m.opts.failure(err))
			continue
		}
		ready = append(ready, s)
	}
	if len(ready) == 0 {
		return
	}
	if err := makeDurable(ctx, m.replica, m.dir, ready); err != nil {
		for _, s := range ready {
			m.settle(ps, s.path, s.entry, m.opts.failure(err))
			ps.batch.undo(s.path, s.entry)
		}
		m.saveAndDiscard(ctx, ps, ready)
		return
	}
	failpoint.Hit(failpoint.ExportBegins, "")
	// Deletions first, also of what the view has lost since the pass began.
	slices.SortStableFunc(ready, func(a, b *staged) int { return cmp.Compare(min(len(a.temp), 1), min(len(b.temp), 1)) })
	var done uint64
	var undone []*staged
	for _, s := range ready {
		if err := m.place(s); err != nil {
			m.settle(ps, s.path, s.entry, m.opts.failure(err))
			ps.batch.undo(s.path, s.entry)
			undone = append(undone, s)
			continue
		}
		done++
		m.settle(ps, s.path, s.entry, outcome{kind: exported, record: s.entry.exported(s.next, ps.now)})
		m.log.Debug("exported", "path", s.path, "deleted", s.temp == "")
	}
	failpoint.Hit(failpoint.ExportPlaced, "")
	m.report.count(func(s *Status) { s.Exported += done })
	m.saveAndDiscard(ctx, ps, undone)
}

// failure is the outcome for a file that could not be written, or has changed meanwhile.
func (o Options) failure(err error) outcome {
	if errors.Is(err, dir.ErrReplaced) {
		return outcome{kind: changed}
	}
	do := "mend what is in its way: it is tried again by itself"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		do = "free space on the disk of " + o.Dir + ": it is tried again by itself"
		err = fmt.Errorf("the disk of %s is full: %w", o.Dir, err)
	}
	return outcome{kind: unwritten, reason: fmt.Sprintf("it cannot be brought to what the cluster has: %v", err), do: do}
}

// stage writes the view's bytes of one path into a temporary file beside it. If alone
// is set, the file is left open, to be synced by itself. The error is dir.ErrReplaced if
// the file need not be written any more.
func stage(ctx context.Context, replica Replica, d *dir.Directory, f finding, mode fs.FileMode, alone bool) (*staged, error) {
	view, content, err := replica.Read(ctx, f.path)
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
	file, info, err := d.Stage(f.path.String(), content, f.seen.kind == present, mode)
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
		return nil, errors.Join(err, d.Remove(s.temp))
	}
	return s, nil
}

// makeDurable syncs the temps and the intents, side by side: neither needs the other.
func makeDurable(ctx context.Context, replica Replica, d *dir.Directory, ready []*staged) error {
	intents := batch{records: make(map[string][]byte, len(ready))}
	alone := true
	for _, s := range ready {
		r := s.entry.record
		r.intent = &intent{base: s.next, inode: s.ino}
		intents.put(s.path, r)
		alone = alone && (s.temp == "" || s.file != nil)
	}
	saved := make(chan error, 1)
	go func() {
		err := replica.SaveRecords(ctx, intents.records, true)
		failpoint.Hit(failpoint.IntentsSaved, "")
		saved <- err
	}()
	var err error
	if !alone {
		err = d.Sync()
	}
	for _, s := range ready {
		if s.file != nil {
			err = errors.Join(err, s.file.Sync(), s.file.Close())
			failpoint.Hit(failpoint.TempSynced, s.temp)
		}
	}
	return errors.Join(err, <-saved)
}

// place puts a staged file in place, or removes the file that is to go, if what is there
// is still what the export was decided for. Otherwise the error is dir.ErrReplaced.
func (m *Mirror) place(s *staged) error {
	m.onPlace()
	was := dir.Was{Present: s.seen.kind == present, Stat: s.stat, Folder: s.seen.folder}
	m.watch.Expect(s.path.String(), s.ino)
	old, err := m.dir.Place(s.temp, s.path.String(), was)
	if err != nil {
		m.watch.Unexpect(s.path.String())
		return err
	}
	if old != nil {
		m.replaced.keep(s.finding, old)
	}
	if s.temp != "" {
		s.entry.see(diskState{kind: present, hash: s.next.hash})
		s.entry.inode = s.ino
		return nil
	}
	s.entry.see(diskState{})
	if above, err := definition.ParsePath(path.Dir(s.path.String())); err == nil {
		m.again[above] = struct{}{} // the folder may be in the way of a file
	}
	return nil
}

// saveAndDiscard writes the records of the batch, and removes the temps of exports that
// did not take place. Their intents must not be on disk any more: a temp that is gone
// tells the next start that the export has taken place. If they may be, a later sweep
// removes the temps.
func (m *Mirror) saveAndDiscard(ctx context.Context, ps *pass, undone []*staged) {
	m.save(ctx, ps)
	if m.unsaved != nil {
		return
	}
	for _, s := range undone {
		if s.temp == "" {
			continue
		}
		if err := m.dir.Remove(s.temp); err != nil {
			m.log.Warn("cannot remove a temporary file", "path", s.temp, "err", err)
		}
	}
}

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

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// exportBatch is how many files are made durable together.
const exportBatch = 2000

// staged is one file that is ready to be put in place, or one that is to go.
type staged struct {
	finding
	next base
	temp string // empty for a deletion
	info fs.FileInfo
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
		s, err := m.stage(ctx, f, len(batch) <= fewFiles)
		if errors.Is(err, errReplaced) {
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
		case errors.Is(err, errReplaced):
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
// is set, the file is left open, to be synced by itself. The error is errReplaced if the
// file need not be written any more.
func (m *Mirror) stage(ctx context.Context, f finding, alone bool) (*staged, error) {
	view, content, err := m.replica.Read(ctx, f.path)
	if err != nil {
		return nil, err
	}
	s := &staged{finding: f, next: baseOf(view)}
	s.view = view
	if view.Hash == f.seen.hash {
		return nil, errReplaced // the view has come to what is there: nothing to write
	}
	if !view.Present {
		return s, nil
	}
	folder := path.Dir(f.path.String())
	if err := m.tree.makeFolders(folder); err != nil {
		return nil, err
	}
	s.temp = tempName(f.path.String())
	file, err := m.tree.create(s.temp, 0o600)
	if err != nil {
		return nil, err
	}
	failpoint.Hit(failpoint.TempCreated, s.temp)
	if err = m.fill(file, s, content); err == nil {
		s.info, err = file.Stat()
	}
	failpoint.Hit(failpoint.TempWritten, s.temp)
	if err != nil {
		return nil, errors.Join(err, file.Close(), m.discard(s))
	}
	s.ino = stampOf(s.info).ino
	if alone {
		s.file = file
		return s, nil
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(err, m.discard(s))
	}
	return s, nil
}

// fill writes content and gives the file the attributes of the one that it replaces, or
// those of a new file.
func (m *Mirror) fill(file *os.File, s *staged, content []byte) error {
	if _, err := file.Write(content); err != nil {
		return err
	}
	if s.seen.kind != present {
		return m.dress(file, path.Dir(s.temp))
	}
	info, err := m.tree.lstat(s.path.String())
	if err != nil {
		return m.dress(file, path.Dir(s.temp)) // it went; the look before the rename finds out
	}
	old, err := m.tree.open(s.path.String(), info)
	if err != nil {
		return err
	}
	defer old.Close()
	uid, gid := ownerOf(info)
	if err := file.Chown(uid, gid); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err := file.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	return copyAttributes(file, old)
}

// dress gives a new file its mode and, where this process may, the owner of its folder.
func (m *Mirror) dress(file *os.File, folder string) error {
	mode := m.opts.FileMode
	if m.tree.owner.shared {
		mode = 0o660
	}
	if m.tree.owner.chown {
		if err := m.tree.giveToOwner(file, folder); err != nil {
			return err
		}
	}
	return file.Chmod(mode)
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
		err = m.tree.syncAll()
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
// the export was decided for. Otherwise the error is errReplaced.
func (m *Mirror) place(s *staged) error {
	m.onPlace()
	name := s.path.String()
	info, err := m.tree.lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = nil, nil
	}
	if err != nil {
		return err
	}
	if info != nil && info.IsDir() && s.seen.folder {
		if err := m.tree.root.Remove(name); err != nil { // it does so only if it is empty
			return fmt.Errorf("%w: %w", errFolder, err)
		}
		info = nil
	}
	if (info != nil) != (s.seen.kind == present) || info != nil && stampOf(info) != s.at {
		return errReplaced
	}
	var old *os.File
	if info != nil {
		if old, err = m.tree.open(name, info); err != nil {
			return err
		}
	}
	if s.temp == "" {
		failpoint.Hit(failpoint.Deleting, name)
		err = ignoreAbsent(m.tree.root.Remove(name))
		failpoint.Hit(failpoint.Deleted, name)
	} else {
		failpoint.Hit(failpoint.Renaming, name)
		err = m.tree.root.Rename(s.temp, name)
		failpoint.Hit(failpoint.Renamed, name)
	}
	if old == nil {
		return err
	}
	if err != nil {
		return errors.Join(err, old.Close())
	}
	m.keep(s.finding, old)
	return nil
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
	return ignoreAbsent(m.tree.root.Remove(s.temp))
}

const (
	tempPrefix = ".starling-"
	tempSuffix = ".tmp"
)

// tempName returns the name of the temporary file of a file, beside it: CAS skips names
// that begin with a dot, and endings that are not its own. It is always the same, so that
// the next start finds out whether the temporary file is there.
func tempName(name string) string {
	return path.Join(path.Dir(name), tempPrefix+definition.HashOf([]byte(name)).String()[:16]+tempSuffix)
}

// create makes a temporary file, in the place of one that was left there.
func (t *tree) create(temp string, mode fs.FileMode) (*os.File, error) {
	if err := ignoreAbsent(t.root.Remove(temp)); err != nil {
		return nil, err
	}
	return t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// isTemp reports whether a base name is one of ours.
func isTemp(base string) bool {
	return len(base) > len(tempPrefix)+len(tempSuffix) &&
		base[:len(tempPrefix)] == tempPrefix && base[len(base)-len(tempSuffix):] == tempSuffix
}

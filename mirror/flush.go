package mirror

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// flushDelay is how long after a change of a file the directory is written to disk. Until then a power failure could bring an older file back, and the records
// keep the base that it would have.
const flushDelay = time.Second

// flush writes the directory to disk and ends what the records keep for the case that
// it was not. A failure is tried again after the next change.
func (m *Mirror) flush(ctx context.Context) {
	m.flushAt = time.Time{}
	var paths []definition.Path
	for p, e := range m.entries {
		if len(e.stale) > 0 && !e.fresh { // it must be compared first
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 || m.opts.Observe {
		return
	}
	if err := m.tree.flush(paths); err != nil {
		m.failed(err)
		return
	}
	failpoint.Hit(failpoint.Flushed, "")
	records := make(map[string][]byte, len(paths))
	for _, p := range paths {
		e := m.entries[p]
		e.record = e.flushed()
		records[recordKey(p)] = e.encode(p)
	}
	if err := m.replica.SaveRecords(ctx, records, false); err != nil {
		m.failed(err) // harmless: what was to be dropped stays
	}
	failpoint.Hit(failpoint.FlushRecorded, "")
}

// fewFiles is up to how many files are written to disk one by one; more are cheaper
// with the whole file system.
const fewFiles = 8

// flush writes the given files and all folders above them to disk: a folder may be new,
// and is lost with what is in it unless the one above it is written too.
func (t *tree) flush(paths []definition.Path) error {
	if len(paths) > fewFiles {
		return t.syncAll()
	}
	done := make(map[string]bool)
	var errs []error
	for _, p := range paths {
		errs = append(errs, t.flushOne(p.String()))
		for dir := p.String(); dir != "."; {
			if dir = path.Dir(dir); !done[dir] {
				done[dir] = true
				errs = append(errs, t.flushOne(dir))
			}
		}
	}
	return errors.Join(errs...)
}

// syncAll writes everything of the directory's file system to disk.
func (t *tree) syncAll() error {
	err := syncFileSystem(t.handle)
	failpoint.Hit(failpoint.FileSystemSynced, ".")
	return err
}

// flushOne writes one file or folder to disk. What is gone needs it no more, and what
// cannot be read was not read before either.
func (t *tree) flushOne(name string) error {
	info, err := t.lstat(name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	var f *os.File
	if err == nil {
		f, err = t.root.Open(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errLinked):
		return nil
	case err != nil:
		return err
	}
	err = errors.Join(f.Sync(), f.Close())
	failpoint.Hit(failpoint.FileFlushed, name)
	return err
}

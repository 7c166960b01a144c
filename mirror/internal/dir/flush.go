package dir

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// FewFiles is up to how many files are written to disk one by one; more are cheaper
// with the whole file system.
const FewFiles = 8

// Flush writes the given files and all folders above them to disk: a folder may be new,
// and is lost with what is in it unless the one above it is written too.
func (d *Directory) Flush(paths []definition.Path) error {
	if len(paths) > FewFiles {
		return d.Sync()
	}
	done := make(map[string]bool)
	var errs []error
	for _, p := range paths {
		errs = append(errs, d.flushOne(p.String()))
		for dir := p.String(); dir != "."; {
			if dir = path.Dir(dir); !done[dir] {
				done[dir] = true
				errs = append(errs, d.flushOne(dir))
			}
		}
	}
	return errors.Join(errs...)
}

// Sync writes everything of the directory's file system to disk.
func (d *Directory) Sync() error {
	err := syncFileSystem(d.handle)
	failpoint.Hit(failpoint.FileSystemSynced, ".")
	return err
}

// flushOne writes one file or folder to disk. What is gone needs it no more, and what
// cannot be read was not read before either.
func (d *Directory) flushOne(name string) error {
	info, err := d.Lstat(name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	var f *os.File
	if err == nil {
		f, err = d.root.Open(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, ErrLinked):
		return nil
	case err != nil:
		return err
	}
	err = errors.Join(f.Sync(), f.Close())
	failpoint.Hit(failpoint.FileFlushed, name)
	return err
}

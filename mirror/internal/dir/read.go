package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/starling-sync/starling/definition"
)

// ErrNotRegular says that a name is something else than a file.
var ErrNotRegular = errors.New("it is no regular file")

// OpenFile opens a file for reading if it still is the regular file that info shows.
// It never blocks on a FIFO and never follows a link to somewhere else.
func (d *Directory) OpenFile(name string, info fs.FileInfo) (*os.File, error) {
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && (!opened.Mode().IsRegular() || !os.SameFile(info, opened)) {
		err = ErrReplaced
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ErrReplaced says that a file was replaced or written to between two looks at it.
var ErrReplaced = errors.New("it is being replaced")

// ErrTooLarge says that a file is over the limit.
var ErrTooLarge = fmt.Errorf("it is larger than %d KiB", definition.MaxSize>>10)

// ReadAll returns the content of an open file, from its beginning.
func ReadAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > definition.MaxSize {
		return nil, ErrTooLarge
	}
	// The file may grow meanwhile: read one byte more than it may have.
	content, err := io.ReadAll(io.NewSectionReader(f, 0, definition.MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(content) > definition.MaxSize {
		return nil, ErrTooLarge
	}
	return content, nil
}

// KindFault says what a name is that is no regular file.
func KindFault(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errors.New("it is a link, and links are not followed")
	}
	return ErrNotRegular
}

// Content returns the bytes of a file.
func (d *Directory) Content(p definition.Path) ([]byte, error) {
	info, err := d.Lstat(p.String())
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, KindFault(info.Mode())
	}
	return d.ReadFile(p.String(), info)
}

// ReadFile returns the content of the file that info shows. The error is ErrReplaced if
// the file was written to meanwhile: then its Stat would speak of other bytes, and a
// half-saved file would seem to have rested.
func (d *Directory) ReadFile(name string, info fs.FileInfo) ([]byte, error) {
	if info.Size() > definition.MaxSize {
		return nil, ErrTooLarge
	}
	f, err := d.OpenFile(name, info)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := ReadAll(f)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && StatOf(after) != StatOf(info) {
		err = ErrReplaced
	}
	return content, err
}

// Tick is how coarse the change times of the directory's file system are.
func (d *Directory) Tick() time.Duration {
	if d.Network != "" {
		return networkTick
	}
	return localTick
}

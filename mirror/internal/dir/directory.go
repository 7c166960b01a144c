package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/starling-sync/starling/internal/filelock"
)

var (
	// ErrNoDirectory is returned by Open if the directory is not there.
	ErrNoDirectory = errors.New("the directory is not there")
	// ErrPermission is returned by Open if this user may not run the mirror of the
	// directory. The error says what to do.
	ErrPermission = errors.New("not for this user")
	// ErrLocked is returned by Open if another process mirrors the directory.
	ErrLocked = errors.New("another node mirrors it")
)

// Directory is the open directory. Every access goes through os.Root, so nothing
// outside the directory can be reached by a link or a "..", whoever changes the
// directory meanwhile. Its methods are for one goroutine.
type Directory struct {
	path string // as the operator named it, absolute
	root *os.Root
	// handle is the directory itself: it carries the lock, and the flushes.
	handle *os.File
	id     Stat // of the directory; only dev and ino matter
	owner  owner
	device uint64 // of the first directory that had the marker; 0 until then
	marker Stat   // of the marker that was last read and right
	// Network names the network file system that the directory is on, if any.
	Network string
	// remote are the other devices on which files were met: whether they are the network's.
	remote map[uint64]bool
}

// Open opens and locks the directory. The error wraps ErrNoDirectory,
// ErrPermission or ErrLocked where one of them is the cause.
func Open(dir string) (*Directory, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open directory %s: %w: create it, or mount it, first", dir, ErrNoDirectory)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open directory %s: %w: let this user search the folders above it", dir, ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("open directory: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("open directory %s: %w: it is no directory", dir, ErrNoDirectory)
	}
	own, err := ownerFor(dir, info)
	if err != nil {
		return nil, err
	}
	d := &Directory{path: dir, owner: own}
	if d.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	if err := d.attach(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// attach opens the handle below the root and locks it.
func (d *Directory) attach() error {
	var err error
	if d.handle, err = d.root.Open("."); err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	info, err := d.handle.Stat()
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	d.id = StatOf(info)
	if d.Network, err = networkFileSystem(d.handle); err != nil {
		return err
	}
	if err := filelock.Try(d.handle); errors.Is(err, filelock.ErrHeld) {
		return fmt.Errorf("lock directory %s: %w: stop the other node, or give this one its own directory", d.path, ErrLocked)
	} else if err != nil {
		return err
	}
	return nil
}

// Close unlocks and closes the directory.
func (d *Directory) Close() error {
	var err error
	if d.handle != nil {
		err = d.handle.Close() // and with it the lock
	}
	return errors.Join(err, d.root.Close())
}

// Lstat looks at one name without following a link, in the last component or in a
// folder above it.
func (d *Directory) Lstat(name string) (fs.FileInfo, error) {
	if err := d.checkFolder(path.Dir(name)); err != nil {
		return nil, err
	}
	return d.root.Lstat(name)
}

// ErrLinked says that a folder above a file is a link, which is not followed: what
// is behind it belongs to somebody else.
var ErrLinked = errors.New("a folder above it is a link, and links are not followed")

// checkFolder checks that a folder and all above it are folders and no links. The
// error is fs.ErrNotExist if something else is in the place of one. It goes down step by
// step, so that a deep folder costs in proportion to its depth.
func (d *Directory) checkFolder(dir string) error {
	if dir == "." {
		return nil
	}
	root := d.root
	defer func() {
		if root != d.root {
			root.Close()
		}
	}()
	for {
		name, rest, more := strings.Cut(dir, "/")
		switch info, err := root.Lstat(name); {
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return ErrLinked
		case !info.IsDir():
			return fmt.Errorf("%s is no folder: %w", name, fs.ErrNotExist)
		}
		if !more {
			return nil
		}
		next, err := root.OpenRoot(name)
		if err != nil {
			return err
		}
		if root != d.root {
			root.Close()
		}
		root, dir = next, rest
	}
}

// ErrFolder says that a file cannot be put where a folder is.
var ErrFolder = errors.New("a folder with files is in its place")

// IsEmpty reports whether a folder is there and holds nothing.
func (d *Directory) IsEmpty(name string) bool {
	if d.checkFolder(name) != nil {
		return false
	}
	f, err := d.root.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}

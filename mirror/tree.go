package mirror

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/internal/filelock"
)

// tree is the open directory. Every access goes through os.Root, so nothing
// outside the directory can be reached by a link or a "..", whoever changes the
// directory meanwhile.
type tree struct {
	path string // as the operator named it, absolute
	root *os.Root
	// handle is the directory itself: it carries the lock, and the flushes.
	handle *os.File
	id     stamp // of the directory; only dev and ino matter
	owner  owner
	// network names the network file system that the directory is on, if any.
	network string
}

// openTree opens and locks the directory. The error wraps ErrNoDirectory,
// ErrPermission or ErrLocked where one of them is the cause.
func openTree(dir string) (*tree, error) {
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
	t := &tree{path: dir, owner: own}
	if t.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	if err := t.attach(); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// attach opens the handle below the root and locks it.
func (t *tree) attach() error {
	var err error
	if t.handle, err = t.root.Open("."); err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	info, err := t.handle.Stat()
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	t.id = stampOf(info)
	if t.network, err = networkFileSystem(t.handle); err != nil {
		return err
	}
	if err := filelock.Try(t.handle); errors.Is(err, filelock.ErrHeld) {
		return fmt.Errorf("lock directory %s: %w: stop the other node, or give this one its own directory", t.path, ErrLocked)
	} else if err != nil {
		return err
	}
	return nil
}

// close unlocks and closes the directory.
func (t *tree) close() error {
	var err error
	if t.handle != nil {
		err = t.handle.Close() // and with it the lock
	}
	return errors.Join(err, t.root.Close())
}

// lstat looks at one name without following a link, in the last component or in a
// folder above it.
func (t *tree) lstat(name string) (fs.FileInfo, error) {
	if err := t.checkFolder(path.Dir(name)); err != nil {
		return nil, err
	}
	return t.root.Lstat(name)
}

// errLinked says that a folder above a file is a link, which is not followed: what
// is behind it belongs to somebody else.
var errLinked = errors.New("a folder above it is a link, and links are not followed")

// checkFolder checks that a folder and all above it are folders and no links. The
// error is fs.ErrNotExist if something else is in the place of one.
func (t *tree) checkFolder(dir string) error {
	if dir == "." {
		return nil
	}
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		switch info, err := t.root.Lstat(dir[:i]); {
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return errLinked
		case !info.IsDir():
			return fmt.Errorf("%s is no folder: %w", dir[:i], fs.ErrNotExist)
		}
	}
	return nil
}

// errFolder says that a file cannot be put where a folder is.
var errFolder = errors.New("a folder with files is in its place")

// isEmpty reports whether a folder is there and holds nothing.
func (t *tree) isEmpty(name string) bool {
	if t.checkFolder(name) != nil {
		return false
	}
	f, err := t.root.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}

// errNotRegular says that a name is something else than a file.
var errNotRegular = errors.New("it is no regular file")

// open opens a file for reading if it still is the regular file that info shows.
// It never blocks on a FIFO and never follows a link to somewhere else.
func (t *tree) open(name string, info fs.FileInfo) (*os.File, error) {
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && (!opened.Mode().IsRegular() || !os.SameFile(info, opened)) {
		err = errReplaced
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// errReplaced says that a file was replaced or written to between two looks at it.
var errReplaced = errors.New("it is being replaced")

// errTooLarge says that a file is over the limit.
var errTooLarge = fmt.Errorf("it is larger than %d KiB", definition.MaxSize>>10)

// readAll returns the content of an open file, from its beginning.
func readAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > definition.MaxSize {
		return nil, errTooLarge
	}
	// The file may grow meanwhile: read one byte more than it may have.
	content, err := io.ReadAll(io.NewSectionReader(f, 0, definition.MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(content) > definition.MaxSize {
		return nil, errTooLarge
	}
	return content, nil
}

// makeFolders creates the folders above a file that are missing, each with the mode
// (and, where this process may, the owner) of the folder above it.
func (t *tree) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	err := t.checkFolder(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := path.Dir(dir)
	if err := t.makeFolders(above); err != nil {
		return err
	}
	parent, err := t.root.Lstat(above)
	if err != nil {
		return err
	}
	if err := t.root.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return t.checkFolder(dir) // somebody else has just made it
		}
		return err
	}
	failpoint.Hit(failpoint.FolderMade, dir)
	if t.owner.chown {
		uid, gid := ownerOf(parent)
		if err := t.root.Lchown(dir, uid, gid); err != nil {
			return err
		}
	}
	const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return t.root.Chmod(dir, parent.Mode()&modeBits)
}

// walk calls visit for every name below dir that does not begin with a dot, and for
// our own temporary files, with what lstat says about it: folders before what is in
// them. A folder or file that
// goes away meanwhile is left out; one that cannot be read is passed to visit
// with its error.
func (t *tree) walk(dir string, visit func(name string, info fs.FileInfo, err error)) error {
	root := t.root
	if dir != "." {
		if err := t.checkFolder(dir); err != nil {
			return err
		}
		sub, err := t.root.OpenRoot(dir)
		if err != nil {
			return err
		}
		defer sub.Close()
		root = sub
	}
	return walkRoot(root, dir, visit)
}

func walkRoot(root *os.Root, dir string, visit func(string, fs.FileInfo, error)) error {
	entries, err := readNames(root)
	if err != nil {
		return fmt.Errorf("list folder %s: %w", dir, err)
	}
	for _, base := range entries {
		if strings.HasPrefix(base, ".") && !isTemp(base) {
			continue
		}
		name := path.Join(dir, base)
		info, err := root.Lstat(base)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		visit(name, info, err)
		if err != nil || !info.IsDir() {
			continue
		}
		if err := walkFolder(root, base, name, visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			visit(name, info, err)
		}
	}
	return nil
}

func walkFolder(root *os.Root, base, name string, visit func(string, fs.FileInfo, error)) error {
	sub, err := root.OpenRoot(base)
	if err != nil {
		return err
	}
	defer sub.Close()
	return walkRoot(sub, name, visit)
}

// readNames returns the names in a folder in no order.
func readNames(root *os.Root) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

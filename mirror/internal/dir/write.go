package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// makeFolders creates the folders above a file that are missing, each with the mode
// (and, where this process may, the owner) of the folder above it.
func (d *Directory) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	err := d.checkFolder(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := path.Dir(dir)
	if err := d.makeFolders(above); err != nil {
		return err
	}
	parent, err := d.root.Lstat(above)
	if err != nil {
		return err
	}
	if err := d.root.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return d.checkFolder(dir) // somebody else has just made it
		}
		return err
	}
	failpoint.Hit(failpoint.FolderMade, dir)
	if d.owner.chown {
		uid, gid := OwnerOf(parent)
		if err := d.root.Lchown(dir, uid, gid); err != nil {
			return err
		}
	}
	const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return d.root.Chmod(dir, parent.Mode()&modeBits)
}

// Stage writes content into the temporary file of name, in the place of one that was
// left there. The file gets the attributes of the file that it replaces (replaces says
// that one was seen), or mode and what else a new file gets. It is returned open, and is
// not synced. After an error nothing is left.
func (d *Directory) Stage(name string, content []byte, replaces bool, mode fs.FileMode) (*os.File, fs.FileInfo, error) {
	if err := d.makeFolders(path.Dir(name)); err != nil {
		return nil, nil, err
	}
	temp := TempName(name)
	file, err := d.create(temp, 0o600)
	if err != nil {
		return nil, nil, err
	}
	failpoint.Hit(failpoint.TempCreated, temp)
	var info fs.FileInfo
	if err = d.fill(file, name, content, replaces, mode); err == nil {
		info, err = file.Stat()
	}
	failpoint.Hit(failpoint.TempWritten, temp)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close(), d.Remove(temp))
	}
	return file, info, nil
}

// fill writes content and gives the file the attributes of the one that it replaces, or
// those of a new file.
func (d *Directory) fill(file *os.File, name string, content []byte, replaces bool, mode fs.FileMode) error {
	if _, err := file.Write(content); err != nil {
		return err
	}
	if !replaces {
		return d.dress(file, path.Dir(name), mode)
	}
	info, err := d.Lstat(name)
	if err != nil {
		return d.dress(file, path.Dir(name), mode) // it went; Place finds out
	}
	old, err := d.OpenFile(name, info)
	if err != nil {
		return err
	}
	defer old.Close()
	uid, gid := OwnerOf(info)
	if err := file.Chown(uid, gid); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err := file.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	return copyAttributes(file, old)
}

// dress gives a new file its mode and, where this process may, the owner of its folder.
func (d *Directory) dress(file *os.File, folder string, mode fs.FileMode) error {
	if d.owner.shared {
		mode = 0o660
	}
	if d.owner.chown {
		if err := d.giveToOwner(file, folder); err != nil {
			return err
		}
	}
	return file.Chmod(mode)
}

// Was is what was seen at a name. The zero Was: nothing.
type Was struct {
	// Present: a file, and this one.
	Present bool
	Stat    Stat
	// Folder: a folder.
	Folder bool
}

// Place renames the temporary file temp over name, or removes name if temp is empty, if
// name is still what was seen there; an empty folder gives way. Otherwise the error wraps
// ErrReplaced or ErrFolder. It returns the file that was there, open, if there was one:
// somebody may be writing into it.
func (d *Directory) Place(temp, name string, was Was) (*os.File, error) {
	info, err := d.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info != nil && info.IsDir() && was.Folder {
		if err := d.root.Remove(name); err != nil { // it does so only if it is empty
			return nil, fmt.Errorf("%w: %w", ErrFolder, err)
		}
		info = nil
	}
	if (info != nil) != was.Present || info != nil && StatOf(info) != was.Stat {
		return nil, ErrReplaced
	}
	var old *os.File
	if info != nil {
		if old, err = d.OpenFile(name, info); err != nil {
			return nil, err
		}
	}
	if temp == "" {
		failpoint.Hit(failpoint.Deleting, name)
		err = d.Remove(name)
		failpoint.Hit(failpoint.Deleted, name)
	} else {
		failpoint.Hit(failpoint.Renaming, name)
		err = d.root.Rename(temp, name)
		failpoint.Hit(failpoint.Renamed, name)
	}
	if err != nil && old != nil {
		err, old = errors.Join(err, old.Close()), nil
	}
	return old, err
}

// Remove removes a file. That it is not there is no error.
func (d *Directory) Remove(name string) error { return ignoreAbsent(d.root.Remove(name)) }

const (
	tempPrefix = ".starling-"
	tempSuffix = ".tmp"
)

// TempName returns the name of the temporary file of a file, beside it: CAS skips names
// that begin with a dot, and endings that are not its own. It is always the same, so that
// the next start finds out whether the temporary file is there.
func TempName(name string) string {
	return path.Join(path.Dir(name), tempPrefix+definition.HashOf([]byte(name)).String()[:16]+tempSuffix)
}

// create makes a temporary file, in the place of one that was left there.
func (d *Directory) create(temp string, mode fs.FileMode) (*os.File, error) {
	if err := ignoreAbsent(d.root.Remove(temp)); err != nil {
		return nil, err
	}
	return d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// IsTemp reports whether a base name is one of ours.
func IsTemp(base string) bool {
	return len(base) > len(tempPrefix)+len(tempSuffix) &&
		base[:len(tempPrefix)] == tempPrefix && base[len(base)-len(tempSuffix):] == tempSuffix
}

// giveToOwner gives f the owner and the group of the folder that it is in.
func (d *Directory) giveToOwner(f *os.File, dir string) error {
	info, err := d.root.Lstat(dir)
	if err != nil {
		return err
	}
	return f.Chown(OwnerOf(info))
}

// ignoreAbsent returns nil for the error that says that a file is not there.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/starling-sync/starling/internal/failpoint"
)

// markerName is the file that says that a directory is mirrored, and for which
// cluster. An unmounted or emptied directory lacks it, and then nothing in it, or
// missing from it, means anything.
const markerName = ".starling"

// Mark makes dir a directory of the cluster: it writes the marker, so that a
// mirror of this cluster, and no other, may open it. It touches nothing else and
// is done once, when a node is made. The error wraps ErrNoDirectory,
// ErrPermission, ErrLocked or ErrForeignMarker where one of them is the cause. To
// mark a directory twice is no error.
func Mark(dir, cluster string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("mark directory: %w", err)
	}
	t, err := openTree(abs)
	if err != nil {
		return err
	}
	err = t.checkMarker(cluster)
	if errors.Is(err, ErrNoMarker) {
		err = t.writeMarker(cluster)
	}
	return errors.Join(err, t.close())
}

// checkMarker returns nil if the marker is there and names the cluster.
func (t *tree) checkMarker(cluster string) error {
	info, err := t.root.Lstat(markerName)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	var content []byte
	if err == nil {
		content, err = t.root.ReadFile(markerName)
	}
	switch found := strings.TrimSpace(string(content)); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("check directory %s: %w", t.path, ErrNoMarker)
	case err != nil:
		return fmt.Errorf("check marker of directory %s: %w", t.path, err)
	case found != cluster:
		return fmt.Errorf("check directory %s: %w: it names %.80q, this node is of %q", t.path, ErrForeignMarker, found, cluster)
	}
	return nil
}

// writeMarker writes the marker, whole and durably.
func (t *tree) writeMarker(cluster string) error {
	temp := tempName(markerName)
	f, err := t.create(temp, 0o644)
	if err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	_, err = f.WriteString(cluster + "\n")
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil && t.owner.chown {
		err = t.giveToOwner(f, ".")
	}
	if err == nil {
		err = f.Sync()
	}
	failpoint.Hit(failpoint.MarkingTemp, temp)
	if err = errors.Join(err, f.Close()); err == nil {
		err = t.root.Rename(temp, markerName)
		failpoint.Hit(failpoint.MarkingPlaced, markerName)
	}
	if err == nil {
		err = t.handle.Sync()
		failpoint.Hit(failpoint.MarkingSynced, ".")
	}
	if err != nil {
		return fmt.Errorf("write marker: %w", errors.Join(err, ignoreAbsent(t.root.Remove(temp))))
	}
	return nil
}

// giveToOwner gives f the owner and the group of the folder that it is in.
func (t *tree) giveToOwner(f *os.File, dir string) error {
	info, err := t.root.Lstat(dir)
	if err != nil {
		return err
	}
	return f.Chown(ownerOf(info))
}

// ignoreAbsent returns nil for the error that says that a file is not there.
func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// empty reports whether the directory holds nothing but names that begin with a
// dot, and what every fresh ext file system has.
func (t *tree) empty() (bool, error) {
	names, err := readNames(t.root)
	if err != nil {
		return false, fmt.Errorf("list directory %s: %w", t.path, err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, ".") && name != "lost+found" {
			return false, nil
		}
	}
	return true, nil
}

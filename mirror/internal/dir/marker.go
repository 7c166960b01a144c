package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/starling-sync/starling/internal/failpoint"
)

// MarkerName is the file that says that a directory is mirrored, and for which
// cluster. An unmounted or emptied directory lacks it, and then nothing in it, or
// missing from it, means anything.
const MarkerName = ".starling"

var (
	// ErrNoMarker is returned by CheckMarker if the directory has no marker, or one that
	// names no cluster: it was emptied, or is not mounted, or a program has written over
	// all its files.
	ErrNoMarker = errors.New("its marker " + MarkerName + " is missing or names no cluster " +
		"(if its files are the right ones, run \"starling mark\"; if it is meant to be empty, \"starling refill\")")
	// ErrForeignMarker is returned by CheckMarker if the directory belongs to another
	// cluster.
	ErrForeignMarker = errors.New("it belongs to another cluster")
)

// CheckMarker returns nil if the marker is there and names the cluster.
func (d *Directory) CheckMarker(cluster string) error {
	info, err := d.root.Lstat(MarkerName)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	var content []byte
	if err == nil {
		content, err = d.root.ReadFile(MarkerName)
	}
	switch found := strings.TrimSpace(string(content)); {
	case errors.Is(err, fs.ErrNotExist), err == nil && !isName(found):
		return fmt.Errorf("check directory %s: %w", d.path, ErrNoMarker)
	case err != nil:
		return fmt.Errorf("check marker of directory %s: %w", d.path, err)
	case found != cluster:
		return fmt.Errorf("check directory %s: %w: it names %.80q, this node is of %q", d.path, ErrForeignMarker, found, cluster)
	}
	return nil
}

// isName reports whether the content of a marker can be the name of a cluster, and not a text
// that some program has put into every file.
func isName(found string) bool {
	first, _ := utf8.DecodeRuneInString(found)
	return unicode.IsLetter(first) || unicode.IsDigit(first)
}

// WriteMarker writes the marker, whole and durably.
func (d *Directory) WriteMarker(cluster string) error {
	temp := TempName(MarkerName)
	f, err := d.create(temp, 0o644)
	if err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	_, err = f.WriteString(cluster + "\n")
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil && d.owner.chown {
		err = d.giveToOwner(f, ".")
	}
	if err == nil {
		err = f.Sync()
	}
	failpoint.Hit(failpoint.MarkingTemp, temp)
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(temp, MarkerName)
		failpoint.Hit(failpoint.MarkingPlaced, MarkerName)
	}
	if err == nil {
		err = d.handle.Sync()
		failpoint.Hit(failpoint.MarkingSynced, ".")
	}
	if err != nil {
		return fmt.Errorf("write marker: %w", errors.Join(err, d.Remove(temp)))
	}
	return nil
}

// Empty reports whether the directory holds nothing but names that begin with a
// dot, and what every fresh ext file system has.
func (d *Directory) Empty() (bool, error) {
	names, err := readNames(d.root)
	if err != nil {
		return false, fmt.Errorf("list directory %s: %w", d.path, err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, ".") && name != "lost+found" {
			return false, nil
		}
	}
	return true, nil
}

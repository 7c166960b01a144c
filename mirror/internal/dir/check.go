package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
)

// Check makes sure that the open directory is still the one at its path, on the file
// system on which it was first found to be right, and bears the marker of the cluster. If
// another directory of the cluster is at the path now, it goes on in that one, and
// reports it. The error says why nothing may be touched.
func (d *Directory) Check(cluster string, log *slog.Logger) (replaced bool, err error) {
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("check directory %s: %w", d.path, ErrNoDirectory)
	case err != nil:
		return false, fmt.Errorf("check directory: %w", err)
	}
	at := StatOf(info)
	if d.device != 0 && at.Dev != d.device {
		return false, fmt.Errorf("check directory %s: another file system is mounted there: mount the right one, or restart the node if it is meant", d.path)
	}
	if at.Dev != d.id.Dev || at.Ino != d.id.Ino {
		if err := d.reopen(cluster, log); err != nil {
			return false, err
		}
		replaced = true
	}
	return replaced, d.recheckMarker(cluster)
}

// ID names the directory, as the system does.
func (d *Directory) ID() string { return d.id.id() }

func (s Stat) id() string { return fmt.Sprintf("%d:%d", s.Dev, s.Ino) }

// IDAt names the directory that is at the path now, as ID does.
func (d *Directory) IDAt() (string, error) {
	info, err := os.Stat(d.path)
	if err != nil {
		return "", fmt.Errorf("check directory: %w", err)
	}
	return StatOf(info).id(), nil
}

// Follow goes on in the directory that is at the path now, whichever it is, marked or not, if
// fit returns nil for it. Else its error is returned and nothing of that directory stays open,
// for it may have to be unmounted.
func (d *Directory) Follow(log *slog.Logger, fit func(*Directory) error) error {
	if at, err := d.IDAt(); err == nil && at == d.ID() {
		return fit(d)
	}
	next, err := Open(d.path)
	if err != nil {
		return err
	}
	if err := fit(next); err != nil {
		return errors.Join(err, next.Close())
	}
	d.become(next, log)
	return nil
}

// become makes d the directory next, which is open.
func (d *Directory) become(next *Directory, log *slog.Logger) {
	if err := d.Close(); err != nil {
		log.Warn("cannot close the directory that was replaced", "err", err)
	}
	*d = *next
}

// recheckMarker checks the marker, and reads it if it is not the one that was read
// before.
func (d *Directory) recheckMarker(cluster string) error {
	info, err := d.root.Lstat(MarkerName)
	if err == nil && d.marker != (Stat{}) && StatOf(info) == d.marker {
		return nil
	}
	d.marker = Stat{}
	if err := d.CheckMarker(cluster); err != nil {
		return err
	}
	if info != nil {
		d.marker = StatOf(info)
	}
	if d.device == 0 {
		d.device = d.id.Dev
	}
	return nil
}

// reopen goes on in the directory that is at the path now: the old one was moved away
// or removed, and another one bears its name.
func (d *Directory) reopen(cluster string, log *slog.Logger) error {
	next, err := Open(d.path)
	if err != nil {
		return err
	}
	if err := next.CheckMarker(cluster); err != nil {
		return errors.Join(err, next.Close())
	}
	device := d.device
	d.become(next, log)
	d.device = device
	return nil
}

package mirror

import (
	"errors"
	"fmt"
	"github.com/starling-sync/starling/mirror/internal/dir"
	"io/fs"
	"os"
)

// checkDirectory makes sure that the open directory is still the one at its path and
// bears the marker; it comes before every turn and before every publication of a
// deletion. came reports that the mirror goes on after it had stopped, or in another
// directory than before: then nothing that was seen counts any more. The error says
// why nothing may be touched.
func (m *Mirror) checkDirectory() (came bool, err error) {
	info, err := os.Stat(m.opts.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("check directory %s: %w", m.opts.Dir, ErrNoDirectory)
	case err != nil:
		return false, fmt.Errorf("check directory: %w", err)
	}
	at := dir.StatOf(info)
	if at.Dev != m.device {
		return false, fmt.Errorf("check directory %s: another file system is mounted there: mount the right one, or restart the node if it is meant", m.opts.Dir)
	}
	if !m.dir.Is(at) {
		if err := m.reopen(); err != nil {
			return false, err
		}
		came = true
	}
	if err := m.lookAtMarker(); err != nil {
		return false, err
	}
	if m.stopped != nil {
		m.log.Info("mirror goes on: the directory is back", "path", m.opts.Dir)
		m.stopped = nil
		came = true
	}
	if came {
		m.watch.Restart(m.dir)
		for _, e := range m.entries {
			e.sure = false
		}
		for kind := range m.losses {
			clear(m.losses[kind].pending)
		}
	}
	return came, nil
}

// lookAtMarker checks the marker, and reads it if it is not the one that was read
// before.
func (m *Mirror) lookAtMarker() error {
	at, err := m.dir.Marker()
	if err == nil && m.marker != (dir.Stat{}) && at == m.marker {
		return nil
	}
	m.marker = dir.Stat{}
	if err := m.dir.CheckMarker(m.opts.Cluster); err != nil {
		return err
	}
	m.marker = at
	return nil
}

// reopen goes on in the directory that is at the path now: the old one was moved away
// or removed, and another one bears its name.
func (m *Mirror) reopen() error {
	d, err := dir.Open(m.opts.Dir)
	if err != nil {
		return err
	}
	if err := d.CheckMarker(m.opts.Cluster); err != nil {
		return errors.Join(err, d.Close())
	}
	if err := m.dir.Close(); err != nil {
		m.log.Warn("cannot close the directory that was replaced", "err", err)
	}
	m.dir, m.marker = d, dir.Stat{}
	return nil
}

// stoppedBy is the error of a request while the mirror has stopped.
func stoppedBy(reason error) error { return fmt.Errorf("%w: %w", ErrStopped, reason) }

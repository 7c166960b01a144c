package mirror

import (
	"errors"
	"io/fs"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// scan adds every path to the turn: those in the directory, those that the mirror
// knows, and those that the replica knows.
func (m *Mirror) scan(t *turn) {
	m.nextRescan = t.now.Add(m.rescan())
	if m.watch.Failed() {
		m.watch.Restart(m.dir) // the limit may have been raised
	}
	bad := make(map[string]struct{})
	err := m.dir.Walk(".", func(name string, info fs.FileInfo, err error) {
		if !m.visit(t, name, info, err) {
			bad[name] = struct{}{}
		}
	})
	if err != nil {
		t.err = errors.Join(t.err, err)
	}
	for name := range m.held {
		if _, err := definition.ParsePath(name); err != nil || !m.mirrors(name) {
			if _, ok := bad[name]; !ok {
				m.unhold(name)
			}
		}
	}
	for p := range m.entries {
		t.look(p)
	}
	for _, p := range m.replica.Paths() {
		t.look(p)
	}
}

// visit takes a name that the scan came upon. It returns false if the name itself is
// held: it is no valid path, or a folder that cannot be read.
func (m *Mirror) visit(t *turn, name string, info fs.FileInfo, err error) bool {
	if err == nil && info.IsDir() {
		m.watch.Folder(name)
		m.lookAt(t, name) // it may have come in the place of a file
		return true
	}
	if dir.IsTemp(path.Base(name)) {
		t.temps = append(t.temps, name)
		return true
	}
	if err != nil && info != nil && info.IsDir() {
		m.hold(name, "the folder cannot be read: "+unreadableBy(err).fault)
		return false
	}
	if !m.mirrors(name) {
		return true
	}
	p, parseErr := definition.ParsePath(name)
	if parseErr != nil {
		m.hold(name, parseErr.Error())
		return false
	}
	if err != nil {
		info = nil // the look finds out
	}
	t.paths[p] = info
	return true
}

// sweep removes the temporary files of an earlier run that the scan came upon: this run
// has none between turns. One of an export of which it is not known yet whether it took
// place stays, or its inode would be another file's, which would then be taken for it.
func (m *Mirror) sweep(t *turn) {
	if len(t.temps) == 0 || m.unsaved != nil {
		return
	}
	undecided := make(map[uint64]bool)
	for _, e := range m.entries {
		if e.fresh && e.intent != nil {
			undecided[e.intent.inode] = true
		}
	}
	for _, name := range t.temps {
		info, err := m.dir.Lstat(name)
		if err == nil && undecided[dir.StatOf(info).Ino] {
			continue
		}
		if err == nil {
			err = m.dir.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.log.Warn("cannot remove a temporary file", "path", name, "err", err)
		}
	}
}

// visitTouched takes a name that an event spoke of: a file, a folder, or something
// that is gone.
func (m *Mirror) visitTouched(t *turn, name string) {
	if name == "." || name == dir.MarkerName {
		return // the check of the directory comes before every turn
	}
	if m.watch.Watches(name) {
		// A known folder came, went or was replaced. What is watched now is not
		// worth finding out: watch everything anew.
		m.watch.Restart(m.dir)
		t.full = true
		return
	}
	info, err := m.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		m.unholdName(name)
		m.lookAt(t, name)
		m.lookAt(t, path.Dir(name)) // it may have been in the way of a file
		return
	}
	if m.visit(t, name, info, err); err != nil || !info.IsDir() {
		return
	}
	err = m.dir.Walk(name, func(name string, info fs.FileInfo, err error) {
		m.visit(t, name, info, err)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.err = errors.Join(t.err, err)
	}
}

// lookAt adds a name to the turn, if it is one of a file that is mirrored.
func (m *Mirror) lookAt(t *turn, name string) {
	if p, err := definition.ParsePath(name); err == nil && m.mirrors(name) {
		t.look(p)
	}
}

// unholdName ends the hold of a name that is no valid path, or no file.
func (m *Mirror) unholdName(name string) {
	if _, err := definition.ParsePath(name); err != nil || !m.mirrors(name) {
		m.unhold(name)
	}
}

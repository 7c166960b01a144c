package mirror

import (
	"errors"
	"io/fs"
	"path"

	"github.com/starling-sync/starling/definition"
)

// scan adds every path to the turn: those in the directory, those that the mirror
// knows, and those that the replica knows.
func (m *Mirror) scan(t *turn) {
	m.nextRescan = t.now.Add(m.rescan())
	if m.watchFailed {
		m.watchAll() // the limit may have been raised
	}
	bad := make(map[string]struct{})
	err := m.tree.walk(".", func(name string, info fs.FileInfo, err error) {
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
		m.watchFolder(name)
		m.lookAt(t, name) // it may have come in the place of a file
		return true
	}
	if isTemp(path.Base(name)) {
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
		info, err := m.tree.lstat(name)
		if err == nil && undecided[stampOf(info).ino] {
			continue
		}
		if err == nil {
			err = m.tree.root.Remove(name)
		}
		if ignoreAbsent(err) != nil {
			m.log.Warn("cannot remove a temporary file", "path", name, "err", err)
		}
	}
}

// visitTouched takes a name that an event spoke of: a file, a folder, or something
// that is gone.
func (m *Mirror) visitTouched(t *turn, name string) {
	if name == "." || name == markerName {
		return // the check of the directory comes before every turn
	}
	if _, ok := m.folders[name]; ok {
		// A known folder came, went or was replaced. What is watched now is not
		// worth finding out: watch everything anew.
		m.watchAll()
		t.full = true
		return
	}
	info, err := m.tree.lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		m.unholdName(name)
		m.lookAt(t, name)
		m.lookAt(t, path.Dir(name)) // it may have been in the way of a file
		return
	}
	if m.visit(t, name, info, err); err != nil || !info.IsDir() {
		return
	}
	err = m.tree.walk(name, func(name string, info fs.FileInfo, err error) {
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

// watchAll watches the directory and all its folders anew.
func (m *Mirror) watchAll() {
	if err := m.watch.close(); err != nil {
		m.log.Warn("cannot end the watch", "err", err)
	}
	clear(m.folders)
	m.watchFailed = false
	var err error
	if m.watch, err = startWatch(m.opts.Dir); err != nil {
		m.watchFails(err)
		return
	}
	err = m.tree.walk(".", func(name string, info fs.FileInfo, err error) {
		if err == nil && info.IsDir() {
			m.watchFolder(name)
		}
	})
	if err != nil {
		m.watchFails(err)
	}
	if !m.watchFailed && m.blind != "" {
		m.log.Info("changes of the directory are noticed at once again")
		m.blind = ""
	}
}

// watchFolder also watches one folder.
func (m *Mirror) watchFolder(name string) {
	if _, ok := m.folders[name]; ok || m.watch == nil {
		return
	}
	if err := m.watch.add(name); err != nil {
		m.watchFails(err)
		return
	}
	m.folders[name] = struct{}{}
}

// watchFails notes why only rescans find changes; each tries to watch again. What fails
// for one folder fails for all after it, so the first says it.
func (m *Mirror) watchFails(err error) {
	if m.watchFailed {
		return
	}
	m.watchFailed = true
	if m.blind != err.Error() {
		m.blind = err.Error()
		m.log.Warn("changes of the directory are found by rescans only", "err", err, "every", m.rescan())
	}
}

package mirror

import (
	"errors"
	"io/fs"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// found is what the scan has found: the paths to look at.
type found struct {
	// paths may be otherwise than they were; the value is what lstat says, if the scan
	// has asked already.
	paths map[definition.Path]fs.FileInfo
	// temps are temporary files that the scan came upon.
	temps []string
	// bad are names that are held for what they are.
	bad map[string]struct{}
}

// add adds a path to look at.
func (f *found) add(p definition.Path) {
	if _, ok := f.paths[p]; !ok {
		f.paths[p] = nil
	}
}

// scan collects the paths to look at: those that an event, the replica or a timer speaks
// of, or all.
func (m *Mirror) scan(ps *pass) *found {
	f := &found{paths: make(map[definition.Path]fs.FileInfo), bad: make(map[string]struct{})}
	names, lost := m.watch.Take()
	if lost || !ps.now.Before(m.nextRescan) {
		ps.full = true
	}
	for _, name := range names {
		m.visitTouched(ps, f, name)
	}
	if ps.full {
		m.scanAll(ps, f)
	}
	for _, p := range m.replica.TakeDirty() {
		f.add(p)
	}
	due, _ := m.settling.due(ps.now, m.opts.SettleTime)
	for _, p := range due {
		f.add(p)
	}
	m.guard.toLookAt(ps.now, f.add)
	for p := range m.again {
		f.add(p)
	}
	clear(m.again)
	for p := range m.retry.take(ps.now) {
		f.add(p)
	}
	return f
}

// scanAll adds every path: those in the directory, those that the mirror knows, and those
// that the replica knows.
func (m *Mirror) scanAll(ps *pass, f *found) {
	m.nextRescan = ps.now.Add(m.rescan())
	clear(f.bad)
	if m.watch.Failed() {
		m.watch.Restart(m.dir) // the limit may have been raised
	}
	err := m.dir.Walk(".", func(name string, info fs.FileInfo, err error) { m.visit(f, name, info, err) })
	if err != nil {
		ps.err = errors.Join(ps.err, err)
	}
	for name := range m.holds.files {
		if _, ok := f.bad[name]; !ok && !m.opts.mirrored(name) {
			m.holds.release(name)
		}
	}
	for p := range m.ledger.entries {
		f.add(p)
	}
	for _, p := range m.replica.Paths() {
		f.add(p)
	}
}

// visitTouched takes a name that an event spoke of: a file, a folder, or something
// that is gone.
func (m *Mirror) visitTouched(ps *pass, f *found, name string) {
	if name == "." || name == dir.MarkerName {
		return // the check of the directory comes before every pass
	}
	if m.watch.Watches(name) {
		// A known folder came, went or was replaced. What is watched now is not
		// worth finding out: watch everything anew.
		m.watch.Restart(m.dir)
		ps.full = true
		return
	}
	info, err := m.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if !m.opts.mirrored(name) {
			m.holds.release(name)
		}
		m.addName(f, name)
		m.addName(f, path.Dir(name)) // it may have been in the way of a file
		return
	}
	if m.visit(f, name, info, err); err != nil || !info.IsDir() {
		return
	}
	err = m.dir.Walk(name, func(name string, info fs.FileInfo, err error) { m.visit(f, name, info, err) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		ps.err = errors.Join(ps.err, err)
	}
}

// visit takes a name that the scan came upon. It holds the name if that is no valid path,
// or a folder that cannot be read.
func (m *Mirror) visit(f *found, name string, info fs.FileInfo, err error) {
	if err == nil && info.IsDir() {
		m.watch.Folder(name)
		m.addName(f, name) // it may have come in the place of a file
		return
	}
	if dir.IsTemp(path.Base(name)) {
		f.temps = append(f.temps, name)
		return
	}
	bad := ""
	if err != nil && info != nil && info.IsDir() {
		bad = "the folder cannot be read: " + unreadableBy(err).fault
	} else if !m.opts.mirrors(name) {
		return
	}
	p, parseErr := definition.ParsePath(name)
	if bad == "" && parseErr != nil {
		bad = parseErr.Error()
	}
	if bad != "" {
		f.bad[name] = struct{}{}
		m.holds.hold(name, bad)
		return
	}
	if err != nil {
		info = nil // the look finds out
	}
	f.paths[p] = info
}

// addName adds a name, if it is one of a file that is mirrored.
func (m *Mirror) addName(f *found, name string) {
	if p, err := definition.ParsePath(name); err == nil && m.opts.mirrors(name) {
		f.add(p)
	}
}

// sweep removes the temporary files of an earlier run that the scan came upon: this run
// has none between passes. One of an export of which it is not known yet whether it took
// place stays, or its inode would be another file's, which would then be taken for it.
func (m *Mirror) sweep(temps []string) {
	if len(temps) == 0 || m.unsaved != nil {
		return
	}
	undecided := make(map[uint64]bool)
	for _, e := range m.ledger.entries {
		if e.fresh && e.intent != nil {
			undecided[e.intent.inode] = true
		}
	}
	for _, name := range temps {
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

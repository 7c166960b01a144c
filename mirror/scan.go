package mirror

import (
	"errors"
	"io/fs"
	"log/slog"
	"path"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// found is what the scan has found: the paths to look at.
type found struct {
	opts  *Options
	dir   *dir.Directory
	watch *dir.Watch
	holds *holds

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
	f := &found{
		opts: &m.opts, dir: m.dir, watch: m.watch, holds: m.holds,
		paths: make(map[definition.Path]fs.FileInfo),
		bad:   make(map[string]struct{}),
	}
	names, lost := m.watch.Take()
	if lost || !ps.now.Before(m.nextRescan) {
		ps.full = true
	}
	for _, name := range names {
		all, err := f.touched(name)
		ps.full = ps.full || all
		ps.err = errors.Join(ps.err, err)
	}
	if ps.full {
		m.scanAll(ps, f)
	}
	for _, p := range takeDirty(m.replica) {
		f.add(p)
	}
	due, _ := m.settling.due(ps.now)
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

// takeDirty takes the paths whose view may have changed, and the wake that was sent for
// them. A path that is marked meanwhile is taken, or is followed by a wake of its own.
func takeDirty(r Replica) []definition.Path {
	select {
	case <-r.Wake():
	default:
	}
	return r.TakeDirty()
}

// scanAll adds every path: those in the directory, those that the mirror knows, and those
// that the replica knows.
func (m *Mirror) scanAll(ps *pass, f *found) {
	m.nextRescan = ps.now.Add(m.rescan())
	clear(f.bad)
	m.watch.ExpectNothing() // where nothing is watched no event has come
	if m.watch.Failed() {
		m.watch.Restart(m.dir) // the limit may have been raised
	}
	ps.err = errors.Join(ps.err, m.dir.Walk(".", f.visit))
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

// touched takes a name that an event spoke of: a file, a folder, or something that is
// gone. It reports whether everything must be looked at.
func (f *found) touched(name string) (all bool, err error) {
	if name == "." || name == dir.MarkerName {
		return false, nil // the check of the directory comes before every pass
	}
	if f.watch.Watches(name) {
		// A known folder came, went or was replaced. What is watched now is not
		// worth finding out: watch everything anew.
		f.watch.Restart(f.dir)
		return true, nil
	}
	info, err := f.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if !f.opts.mirrored(name) {
			f.holds.release(name)
		}
		f.addName(name)
		f.addName(path.Dir(name)) // it may have been in the way of a file
		return false, nil
	}
	f.visit(name, info, err)
	if err == nil && info.IsDir() {
		err = f.dir.Walk(name, f.visit)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

// visit takes a name that the scan came upon, and what lstat says about it. It holds the
// name if that is no valid path, or a folder that cannot be read.
func (f *found) visit(name string, info fs.FileInfo, err error) {
	if err == nil && info.IsDir() {
		if f.holds.reason(name) == linkedFolder {
			f.holds.release(name)
		}
		f.watch.Folder(name)
		f.addName(name) // it may have come in the place of a file
		return
	}
	if dir.IsTemp(path.Base(name)) {
		f.temps = append(f.temps, name)
		return
	}
	if err != nil && info != nil && info.IsDir() {
		f.hold(name, "the folder cannot be read: "+unreadableBy(err).fault)
		return
	}
	if !f.opts.mirrors(name) {
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && f.dir.LinksToFolder(name) {
			f.hold(name, linkedFolder)
		}
		return
	}
	p, parseErr := definition.ParsePath(name)
	if parseErr != nil {
		f.hold(name, parseErr.Error())
		return
	}
	if err != nil {
		info = nil // the look finds out
	}
	f.paths[p] = info
}

// linkedFolder is why a link to a folder is held.
const linkedFolder = "it is a link to a folder, and links are not followed: what is in it is not mirrored"

// hold holds a name for what it is.
func (f *found) hold(name, reason string) {
	f.bad[name] = struct{}{}
	f.holds.hold(name, reason)
}

// addName adds a name, if it is one of a file that is mirrored.
func (f *found) addName(name string) {
	if p, err := definition.ParsePath(name); err == nil && f.opts.mirrors(name) {
		f.add(p)
	}
}

// sweep removes the temporary files of an earlier run that the scan came upon: this run
// has none between passes. One of an export of which it is not known yet whether it took
// place stays, or its inode would be another file's, which would then be taken for it.
func (f *found) sweep(l *ledger, log *slog.Logger) {
	if len(f.temps) == 0 {
		return
	}
	undecided := make(map[uint64]bool)
	for _, e := range l.entries {
		if e.fresh && e.intent != nil {
			undecided[e.intent.inode] = true
		}
	}
	for _, name := range f.temps {
		info, err := f.dir.Lstat(name)
		if err == nil && undecided[dir.StatOf(info).Ino] {
			continue
		}
		if err == nil {
			err = f.dir.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("cannot remove a temporary file", "path", name, "err", err)
		}
	}
}

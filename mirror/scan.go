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
	// ledger knows which files there were below a folder.
	ledger *ledger

	// paths may be otherwise than they were; the value is what lstat says, if the scan
	// has asked already.
	paths map[definition.Path]fs.FileInfo
	// temps are temporary files that the scan came upon.
	temps []string
	// bad are names that are held for what they are.
	bad map[string]struct{}
	// below are folders of which all files must be looked at: something has happened to the
	// folder itself.
	below map[string]struct{}
	// mounts are the folders at which something is mounted, and devices those of all folders;
	// both only of a look at everything.
	mounts  map[string]dir.Mount
	devices map[string]uint64
	// newMount: something is mounted at a folder that has come, so everything must be looked at.
	newMount bool
	// replaced: a folder that is watched came, went or was replaced.
	replaced bool
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
		opts: &m.opts, dir: m.dir, watch: m.watch, holds: m.holds, ledger: m.ledger,
		paths: make(map[definition.Path]fs.FileInfo),
		bad:   make(map[string]struct{}),
		below: make(map[string]struct{}),
	}
	names, lost := m.watch.Take()
	if lost || !ps.now.Before(m.nextRescan) {
		ps.full = true
	}
	for _, name := range names {
		f.touched(name)
	}
	if f.replaced {
		// What is watched now is not worth finding out: watch everything anew.
		f.replaced = false
		m.watch.Restart(m.dir)
		ps.full = true
	}
	if ps.full {
		m.scanAll(ps, f)
	} else {
		f.addBelow()
	}
	if f.replaced { // only the scan has come upon it
		m.watch.Restart(m.dir)
		m.nextRescan = ps.now
	}
	if f.newMount && !ps.full {
		m.nextRescan = ps.now
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
	f.mounts, f.devices = make(map[string]dir.Mount), make(map[string]uint64)
	err := m.dir.Walk(".", f.visit)
	ps.err = errors.Join(ps.err, err)
	if err == nil {
		m.mounts.update(&ps.batch, f.mounts)
	}
	for folder := range m.mounts.apart {
		f.bad[folder] = struct{}{} // it is for the end of the pass to say whether it is
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

// touched takes a name that an event spoke of: a file, a folder, or something that is
// gone.
func (f *found) touched(name string) {
	if name == "." || name == dir.MarkerName {
		return // the check of the directory comes before every pass
	}
	info, err := f.dir.Lstat(name)
	known := f.watch.Watches(name)
	if known && (err != nil || !f.watch.IsWatched(name, info)) {
		f.replaced = true
		return
	}
	if f.ledger.below[name] > 0 { // as when a link has the folder's place, or goes
		f.below[name] = struct{}{}
	}
	if errors.Is(err, fs.ErrNotExist) {
		if !f.opts.mirrored(name) {
			f.holds.release(name)
		}
		f.addName(name)
		f.addName(path.Dir(name)) // it may have been in the way of a file
		return
	}
	if f.visit(name, info, err); err != nil || !info.IsDir() {
		return
	}
	if known { // its attributes have changed: maybe it can be read now, or no more
		err = f.dir.List(name, f.visitNew)
	} else {
		err = f.dir.Walk(name, f.visit)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		f.visit(name, info, err)
		return
	}
	if _, bad := f.bad[name]; !bad && !f.opts.mirrored(name) {
		f.holds.release(name)
	}
}

// seeMount notes whether something is mounted at a folder, in a look at everything.
func (f *found) seeMount(name string, info fs.FileInfo) {
	f.devices[name] = dir.StatOf(info).Dev
	above, ok := f.devices[path.Dir(name)]
	if !ok {
		above = f.dir.Device()
	}
	if mount, ok := f.dir.MountAt(name, info, above); ok {
		f.mounts[name] = mount
	}
}

// isMount reports whether something is mounted at a folder.
func (f *found) isMount(name string, info fs.FileInfo) bool {
	above := f.dir.Device()
	if parent, err := f.dir.Lstat(path.Dir(name)); err == nil {
		above = dir.StatOf(parent).Dev
	}
	_, ok := f.dir.MountAt(name, info, above)
	return ok
}

// visitNew is visit for a name in a folder that is known, with all that is in a folder that
// is new.
func (f *found) visitNew(name string, info fs.FileInfo, err error) {
	known := f.watch.Watches(name)
	f.visit(name, info, err)
	if known || err != nil || !info.IsDir() {
		return
	}
	if err := f.dir.Walk(name, f.visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.visit(name, info, err)
	}
}

// addBelow adds all files below the folders to which something has happened.
func (f *found) addBelow() {
	if len(f.below) == 0 {
		return
	}
	for p := range f.ledger.entries {
		for folder := range foldersAbove(p.String()) {
			if _, ok := f.below[folder]; ok {
				f.add(p)
				break
			}
		}
	}
}

// visit takes a name that the scan came upon, and what lstat says about it. It holds the
// name if that is no valid path, or a folder that cannot be read.
func (f *found) visit(name string, info fs.FileInfo, err error) {
	if err == nil && info.IsDir() {
		if f.watch.Watches(name) && !f.watch.IsWatched(name, info) {
			f.replaced = true
		}
		if f.devices != nil {
			f.seeMount(name, info)
		} else if !f.watch.Watches(name) && f.isMount(name, info) {
			f.newMount = true
		}
		f.watch.Folder(name, info)
		f.addName(name) // it may have come in the place of a file
		if f.holds.reason(name) == linkedFolder {
			f.holds.release(name)
		}
		return
	}
	if dir.IsTemp(path.Base(name)) {
		f.temps = append(f.temps, name)
		return
	}
	if err != nil && info != nil && info.IsDir() {
		f.hold(name, unreadableFolder(err))
		return
	}
	if !f.opts.mirrors(name) {
		switch folder := path.Dir(name); {
		case err != nil && folder != ".": // it can be listed, but not searched
			f.hold(folder, unreadableFolder(err))
		case err == nil && f.dir.IsLinkToFolder(name, info):
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

// linkedFolder is why a link in a folder's place is held.
const linkedFolder = "it is a link to a folder, and links are not followed: nothing in it is mirrored " +
	"(put the folder itself here, or mount it here)"

// unreadableFolder says why a folder is held that cannot be read.
func unreadableFolder(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "the folder cannot be read: let this user read and search it (chmod u+rx, or chown)"
	}
	return "the folder cannot be read: " + err.Error()
}

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

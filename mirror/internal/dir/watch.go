package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch tells which names below a directory something happened to: what happened, its
// owner finds out by looking. Its methods are for one goroutine.
type Watch struct {
	log     *slog.Logger
	events  *notifier
	folders map[string]folderID // that are watched
	blind   string              // why only rescans find changes; empty if events come
	failed  bool                // in the present try
	// every is the time between two rescans, for the log.
	every func() time.Duration
}

// NewWatch returns a watch that watches nothing yet. every is called when the watch
// fails, for its line in the log: it returns how often the directory is rescanned then.
func NewWatch(log *slog.Logger, every func() time.Duration) *Watch {
	return &Watch{log: log, folders: make(map[string]folderID), every: every}
}

// Restart watches the directory and all its folders anew.
func (w *Watch) Restart(d *Directory) {
	w.Close()
	clear(w.folders)
	w.failed = false
	var err error
	if w.events, err = startNotifier(d.path); err != nil {
		w.fail(err)
		return
	}
	err = d.Walk(".", func(name string, info fs.FileInfo, err error) {
		if err == nil && info.IsDir() {
			w.Folder(name, info)
		}
	})
	if err != nil {
		w.fail(err)
	}
	if !w.failed && w.blind != "" {
		w.log.Info("changes of the directory are noticed at once again")
		w.blind = ""
	}
}

// folderID tells a folder from another that takes its place.
type folderID struct{ dev, ino uint64 }

func folderIDOf(info fs.FileInfo) folderID {
	s := StatOf(info)
	return folderID{s.Dev, s.Ino}
}

// Folder also watches one folder, which info shows. One that is gone, or that this user may
// not read, is left out: whoever lists it finds out.
func (w *Watch) Folder(name string, info fs.FileInfo) {
	if w.Watches(name) || w.events == nil {
		return
	}
	switch err := w.events.add(name); {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
	case err != nil:
		w.fail(err)
	default:
		w.folders[name] = folderIDOf(info)
	}
}

// IsWatched reports whether the folder that info shows is the one that is watched under its
// name. If it is another, only Restart can watch it: the old one may be elsewhere by now.
func (w *Watch) IsWatched(name string, info fs.FileInfo) bool {
	return info.IsDir() && w.folders[name] == folderIDOf(info)
}

// Folders returns the names of the folders that are watched, in no order.
func (w *Watch) Folders() []string { return slices.Collect(maps.Keys(w.folders)) }

// Replaced reports whether another folder, or none, is in the place of one that is watched.
// The system tells of no mount and no unmount.
func (w *Watch) Replaced(d *Directory) bool {
	for name, id := range w.folders {
		if info, err := d.Lstat(name); err != nil || !info.IsDir() || folderIDOf(info) != id {
			return true
		}
	}
	return false
}

// Watches reports whether a name is that of a folder that is watched.
func (w *Watch) Watches(name string) bool {
	_, ok := w.folders[name]
	return ok
}

// fail notes why only rescans find changes; each tries to watch again. What fails
// for one folder fails for all after it, so the first says it.
func (w *Watch) fail(err error) {
	if w.failed {
		return
	}
	w.failed = true
	if w.blind != err.Error() {
		w.blind = err.Error()
		w.log.Warn("changes of the directory are found by rescans only", "err", err, "every", w.every())
	}
}

// Failed reports whether the latest try to watch failed: Restart tries again.
func (w *Watch) Failed() bool { return w.failed }

// Blind says why only rescans find changes; it is empty if events come.
func (w *Watch) Blind() string { return w.blind }

// Signal is the channel that says that Take has something. Restart makes a new one.
func (w *Watch) Signal() <-chan struct{} { return w.events.signal() }

// Take returns the touched names since the last call, and whether events were lost
// since. It never blocks.
func (w *Watch) Take() (names []string, lost bool) { return w.events.take() }

// Expect says that the caller is about to put the file with this inode at a name itself,
// or to remove the name if the inode is 0. The one event that says just that is left out,
// if nothing else has happened to the name before or since.
func (w *Watch) Expect(name string, inode uint64) { w.events.expect(name, inode) }

// Unexpect takes Expect back: it was not done.
func (w *Watch) Unexpect(name string) { w.events.unexpect(name) }

// ExpectNothing takes all Expects back. An event that is still to come is told then.
func (w *Watch) ExpectNothing() { w.events.expectNothing() }

// Close ends the watch and waits for its goroutine.
func (w *Watch) Close() {
	if err := w.events.close(); err != nil {
		w.log.Warn("cannot end the watch", "err", err)
	}
	w.events = nil
}

// notifier collects the names below the directory that something happened to. Its one
// goroutine only forwards: what happened, the loop finds out by looking.
type notifier struct {
	dir    string
	notify *fsnotify.Watcher
	wake   chan struct{} // one slot: take has something
	joined chan struct{}

	mu      sync.Mutex
	touched map[string]struct{} // names relative to dir
	own     map[string]uint64   // what the owner does itself: name to inode, see Watch.Expect
	lost    bool                // events were lost: look at everything
}

// startNotifier begins to watch the directory itself; its folders are added one by
// one. The error says why only rescans will find changes.
func startNotifier(dir string) (*notifier, error) {
	notify, err := fsnotify.NewWatcher()
	if errors.Is(err, syscall.EMFILE) {
		return nil, fmt.Errorf("watch directory: %w (the limit is fs.inotify.max_user_instances)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("watch directory: %w", err)
	}
	w := &notifier{
		dir:     dir,
		notify:  notify,
		wake:    make(chan struct{}, 1),
		joined:  make(chan struct{}),
		touched: make(map[string]struct{}),
		own:     make(map[string]uint64),
	}
	go w.forward()
	if err := w.add("."); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// add also watches the folder, so that what comes into it is noticed from now on;
// what is there already must be looked at by the caller.
func (w *notifier) add(folder string) error {
	switch err := w.notify.Add(filepath.Join(w.dir, folder)); {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("watch folder %s: %w (the limit is fs.inotify.max_user_watches)", folder, err)
	case err != nil:
		return fmt.Errorf("watch folder %s: %w", folder, err)
	}
	return nil
}

// close ends the notifier and waits for its goroutine. A nil notifier is closed.
func (w *notifier) close() error {
	if w == nil {
		return nil
	}
	err := w.notify.Close()
	<-w.joined
	return err
}

// signal is the channel that says that take has something; nil for a nil notifier.
func (w *notifier) signal() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.wake
}

// take returns the touched names since the last call, and whether events were lost
// since. It never blocks.
func (w *notifier) take() (names []string, lost bool) {
	if w == nil {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	names, lost = slices.Collect(maps.Keys(w.touched)), w.lost
	clear(w.touched)
	if lost { // its events may be among them
		clear(w.own)
	}
	w.lost = false
	return names, lost
}

func (w *notifier) forward() {
	defer close(w.joined)
	events, errs := w.notify.Events, w.notify.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			w.touch(e)
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// An overflow or a failed read: either way events are gone.
			w.mu.Lock()
			w.lost = true
			w.mu.Unlock()
			w.ring()
		}
	}
}

// touch notes the name of an event, unless it begins with a dot: our own temporary files
// come and go all the time. The marker counts. Nor does it note what was expected.
func (w *notifier) touch(e fsnotify.Event) {
	rel, ok := strings.CutPrefix(e.Name, w.dir+"/")
	if !ok {
		rel = "." // the directory itself was moved or removed
	}
	base := rel[strings.LastIndexByte(rel, '/')+1:]
	if strings.HasPrefix(base, ".") && rel != MarkerName && rel != "." {
		return
	}
	w.mu.Lock()
	inode, expected := w.own[rel]
	delete(w.own, rel)
	echo := expected && isEcho(e, inode)
	if !echo {
		w.touched[rel] = struct{}{}
	}
	w.mu.Unlock()
	if !echo {
		w.ring()
	}
}

// isEcho reports whether an event says of its name what was expected, and it still is so.
func isEcho(e fsnotify.Event, inode uint64) bool {
	info, err := os.Lstat(e.Name)
	if inode == 0 {
		return e.Op == fsnotify.Remove && errors.Is(err, fs.ErrNotExist)
	}
	return e.Op == fsnotify.Create && err == nil && StatOf(info).Ino == inode
}

func (w *notifier) expect(name string, inode uint64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.own[name] = inode
}

func (w *notifier) expectNothing() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.own)
}

func (w *notifier) unexpect(name string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.own, name)
}

func (w *notifier) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

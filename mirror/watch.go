package mirror

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watch collects the names below the directory that something happened to. Its one
// goroutine only forwards: what happened, the loop finds out by looking.
type watch struct {
	dir    string
	notify *fsnotify.Watcher
	wake   chan struct{} // one slot: take has something
	joined chan struct{}

	mu      sync.Mutex
	touched map[string]struct{} // names relative to dir
	lost    bool                // events were lost: look at everything
}

// startWatch begins to watch the directory itself; its folders are added one by
// one. The error says why only rescans will find changes.
func startWatch(dir string) (*watch, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch directory: %w (the limit is fs.inotify.max_user_instances)", err)
	}
	w := &watch{
		dir:     dir,
		notify:  notify,
		wake:    make(chan struct{}, 1),
		joined:  make(chan struct{}),
		touched: make(map[string]struct{}),
	}
	go w.forward()
	if err := w.add("."); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// add also watches the folder, so that what comes into it is noticed from now on;
// what is there already must be looked at by the caller.
func (w *watch) add(folder string) error {
	if err := w.notify.Add(filepath.Join(w.dir, folder)); err != nil {
		return fmt.Errorf("watch folder %s: %w (the limit is fs.inotify.max_user_watches)", folder, err)
	}
	return nil
}

// close ends the watch and waits for its goroutine. A nil watch is closed.
func (w *watch) close() error {
	if w == nil {
		return nil
	}
	err := w.notify.Close()
	<-w.joined
	return err
}

// signal is the channel that says that take has something; nil for a nil watch.
func (w *watch) signal() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.wake
}

// take returns the touched names since the last call, and whether events were lost
// since. It never blocks.
func (w *watch) take() (names []string, lost bool) {
	if w == nil {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	names, lost = slices.Collect(maps.Keys(w.touched)), w.lost
	clear(w.touched)
	w.lost = false
	return names, lost
}

func (w *watch) forward() {
	defer close(w.joined)
	events, errs := w.notify.Events, w.notify.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			w.touch(e.Name)
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

// touch notes a name, unless it begins with a dot: our own temporary files come
// and go all the time. The marker counts.
func (w *watch) touch(name string) {
	rel, ok := strings.CutPrefix(name, w.dir+"/")
	if !ok {
		rel = "." // the directory itself was moved or removed
	}
	base := rel[strings.LastIndexByte(rel, '/')+1:]
	if strings.HasPrefix(base, ".") && rel != markerName && rel != "." {
		return
	}
	w.mu.Lock()
	w.touched[rel] = struct{}{}
	w.mu.Unlock()
	w.ring()
}

func (w *watch) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

package crdt

import (
	"sync"

	"github.com/starling-sync/starling/definition"
)

// Dirty collects for one receiver the paths whose view may have changed.
type Dirty struct {
	wake chan struct{}

	mu    sync.Mutex
	paths map[definition.Path]struct{}
}

// Dirty returns a new collection. It begins with every path that has a version. It
// grows until the replica is closed: take from it.
func (r *Replica) Dirty() *Dirty {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := newDirty()
	for p := range r.index.files {
		d.paths[p] = struct{}{}
	}
	if len(d.paths) > 0 {
		d.wake <- struct{}{}
	}
	r.dirty = append(r.dirty, d)
	return d
}

func newDirty() *Dirty {
	return &Dirty{wake: make(chan struct{}, 1), paths: make(map[definition.Path]struct{})}
}

// Wake has one slot: a value whenever Take may have something.
func (d *Dirty) Wake() <-chan struct{} { return d.wake }

// Take returns the paths that were collected since the last call.
func (d *Dirty) Take() []definition.Path {
	d.mu.Lock()
	defer d.mu.Unlock()
	paths := make([]definition.Path, 0, len(d.paths))
	for p := range d.paths {
		paths = append(paths, p)
	}
	clear(d.paths)
	return paths
}

// Len returns how many paths Take would return.
func (d *Dirty) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.paths)
}

// Add adds paths: those that changed, or those that were taken and not looked at.
func (d *Dirty) Add(paths []definition.Path) {
	d.mu.Lock()
	for _, p := range paths {
		d.paths[p] = struct{}{}
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

package crdt

import (
	"slices"
	"sync"

	"github.com/starling-sync/starling/definition"
)

// Dirty collects for one receiver the paths whose view may have changed.
type Dirty struct {
	replica *Replica
	wake    chan struct{}

	mu    sync.Mutex
	paths map[definition.Path]struct{}
}

// Dirty returns a new collection. It begins with every path that has a version. It
// grows until the replica is closed: take from it.
func (r *Replica) Dirty() *Dirty {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := newDirty(r)
	for p := range r.index.files {
		d.paths[p] = struct{}{}
	}
	if len(d.paths) > 0 {
		d.wake <- struct{}{}
	}
	r.dirty = append(r.dirty, d)
	return d
}

func newDirty(r *Replica) *Dirty {
	return &Dirty{replica: r, wake: make(chan struct{}, 1), paths: make(map[definition.Path]struct{})}
}

// Wake has one slot: a value whenever Take may have something.
func (d *Dirty) Wake() <-chan struct{} { return d.wake }

// Take returns the paths that were collected since the last call. What one change edited
// last comes together, so that who reads the bytes of all reads each change once.
func (d *Dirty) Take() []definition.Path {
	d.mu.Lock()
	paths := make([]definition.Path, 0, len(d.paths))
	for p := range d.paths {
		paths = append(paths, p)
	}
	clear(d.paths)
	d.mu.Unlock()
	d.replica.sortByChange(paths)
	return paths
}

// sortByChange sorts paths by the change of their latest head.
func (r *Replica) sortByChange(paths []definition.Path) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	latest := make(map[definition.Path]*version, len(paths))
	for _, p := range paths {
		if f := r.index.files[p]; f != nil && len(f.heads) > 0 {
			latest[p] = f.heads[0]
		}
	}
	slices.SortFunc(paths, func(a, b definition.Path) int {
		va, vb := latest[a], latest[b]
		switch {
		case va == vb, va != nil && vb != nil && va.element == vb.element:
			return a.Compare(b)
		case va == nil:
			return -1
		case vb == nil:
			return 1
		}
		return va.before(vb.element)
	})
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

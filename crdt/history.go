package crdt

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
)

// timeline holds all changes in the order of history, the earliest first. Changes
// come in about that order, so a new one has its place at the end or near it.
type timeline []*element

func (t *timeline) add(e *element) {
	i, _ := slices.BinarySearchFunc(*t, e, inHistory)
	*t = slices.Insert(*t, i, e)
}

// inHistory orders changes by (time, id) as far as ancestry does not say otherwise.
func inHistory(a, b *element) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.prio, b.prio), a.id.Compare(b.id))
}

// Entry is what the index knows of a change in history, without reading it.
type Entry struct {
	ID     definition.ChangeID
	Author peer.ID
	Time   time.Time
	Actor  string
}

// historyPage is how many changes are looked up at a time.
const historyPage = 256

// History yields the changes of a path, or all changes if path is zero, latest
// first: by (time, id) as far as ancestry does not say otherwise. It follows moves
// back to the path that the file had before. If after is not zero it begins behind
// that change; if there is no such change it yields nothing.
//
// It reads nothing from the disk and holds no lock while the caller looks at an
// entry.
func (r *Replica) History(path definition.Path, after definition.ChangeID) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for {
			page, more := r.historyBehind(path, after)
			for _, e := range slices.Backward(page) {
				if !yield(Entry{ID: e.id, Author: e.author.id, Time: e.time.Time(), Actor: e.actor.Value()}) {
					return
				}
			}
			if !more {
				return
			}
			after = page[0].id
		}
	}
}

// historyBehind returns the changes behind one, latest last, and whether there are
// more behind these.
func (r *Replica) historyBehind(path definition.Path, after definition.ChangeID) (page []*element, more bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all, most := r.index.log, historyPage
	if !path.IsZero() {
		f := r.index.files[path]
		if f == nil {
			return nil, false
		}
		all = f.history(r.index.now().tips(f))
		most = len(all)
	}
	if !after.IsZero() {
		e := r.index.byID.find(after)
		if e == nil || !e.isChange() {
			return nil, false
		}
		i, _ := slices.BinarySearchFunc(all, e, inHistory)
		all = all[:i]
	}
	more = len(all) > most
	return slices.Clone(all[max(0, len(all)-most):]), more
}

// history returns the changes of a file, of those that it was moved from, and those that have
// followed it here, which are among its tips.
func (f *file) history(t *tips) timeline {
	seen := make(map[*version]struct{})
	changes := make(map[*element]struct{})
	todo := slices.Concat(f.versions, t.heads)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, ok := seen[v]; ok {
			continue
		}
		seen[v] = struct{}{}
		changes[v.element] = struct{}{}
		todo = append(todo, v.parents...)
	}
	return slices.SortedFunc(maps.Keys(changes), inHistory)
}

// Resolve returns the one change whose id begins with prefix. Errors wrap
// ErrNotFound or say that there are several.
func (r *Replica) Resolve(prefix string) (definition.ChangeID, error) {
	first, last, ok := idsFrom(prefix)
	if !ok {
		return definition.ChangeID{}, fmt.Errorf("change %s: %w", prefix, ErrNotFound)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found []definition.ChangeID
	for _, e := range r.index.log {
		if e.id.Compare(first) >= 0 && e.id.Compare(last) <= 0 {
			found = append(found, e.id)
		}
	}
	switch len(found) {
	case 0:
		return definition.ChangeID{}, fmt.Errorf("change %s: %w", prefix, ErrNotFound)
	case 1:
		return found[0], nil
	default:
		return definition.ChangeID{}, fmt.Errorf("change %s: %d changes begin so, write more of the id: %w", prefix, len(found), ErrNotFound)
	}
}

// idsFrom returns the first and the last id whose text begins with prefix; false if
// there is none.
func idsFrom(prefix string) (first, last definition.ChangeID, ok bool) {
	low, high := first.String(), lastID().String()
	if len(prefix) > len(low) {
		return first, last, false
	}
	first, errFirst := definition.ParseChangeID(prefix + low[len(prefix):])
	last, errLast := definition.ParseChangeID(prefix + high[len(prefix):])
	return first, last, errFirst == nil && errLast == nil
}

// lastID returns the highest id.
func lastID() definition.ChangeID {
	var id definition.ChangeID
	for i := range id {
		id[i] = 0xff
	}
	return id
}

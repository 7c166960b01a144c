package crdt

import (
	"context"
	"fmt"

	"github.com/starling-sync/starling/definition"
)

// Follower reads the changes of a replica in the order in which they were admitted
// here, ancestors first. It keeps nothing but its place: who reads slowly delays
// nobody. It is for one goroutine, and needs no closing.
type Follower struct {
	replica *Replica
	next    int      // index in the order of admission
	since   *element // whose ancestry is left out; nil if nothing is
}

// Follow returns a reader of the changes that are admitted from now on; with since,
// of all that are not in the ancestry of that change. Whoever has read since has read
// its ancestry, on whatever node, so nothing is left out; what was made without
// knowledge of it may be read twice. Errors wrap ErrNotFound.
//
// A restart puts the changes that were there in another order, in which ancestors
// come first too. That is why a place is named by ancestry and not by position.
func (r *Replica) Follow(since definition.ChangeID) (*Follower, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if since.IsZero() {
		return &Follower{replica: r, next: len(r.index.admitted)}, nil
	}
	e := r.index.byID.find(since)
	if e == nil {
		return nil, fmt.Errorf("follow change %s: %w", since.Short(), ErrNotFound)
	}
	return &Follower{replica: r, since: e}, nil
}

// Next returns the next change, and blocks until there is one or ctx ends. It reads
// from the disk; after an error of the disk it returns the same change again.
func (f *Follower) Next(ctx context.Context) (Change, error) {
	for {
		e, more := f.peek()
		if e != nil {
			c, err := f.replica.Change(ctx, e.id)
			if err != nil {
				return Change{}, err
			}
			f.next++
			return c, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Change{}, ctx.Err()
		}
	}
}

// peek returns the change that is next, or what is closed when there may be one.
func (f *Follower) peek() (e *element, more <-chan struct{}) {
	f.replica.mu.RLock()
	defer f.replica.mu.RUnlock()
	admitted := f.replica.index.admitted
	for ; f.next < len(admitted); f.next++ {
		if e := admitted[f.next]; f.since == nil || !f.since.descendsFrom(e) {
			return e, nil
		}
	}
	return nil, f.replica.changed
}

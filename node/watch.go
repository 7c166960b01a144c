package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// WatchQuery selects changes; its zero value selects all from now on.
type WatchQuery struct {
	// Globs are doublestar globs over paths: only edits that one of them matches, and
	// changes that have such an edit; all if there is none.
	Globs []string
	// Path and Author select changes as those of LogQuery do; the edits of a change that
	// edits the path stay together.
	Path   definition.Path
	Author string
	// Since is a change that was read: see crdt.Replica.Follow.
	Since definition.ChangeID
}

// Watch reads changes in the order in which this node admits them. It is for one
// goroutine, and needs no closing.
type Watch struct {
	node     *Node
	query    WatchQuery
	follower *crdt.Follower
}

// Watch returns a reader of the changes that a query selects. Errors wrap
// ErrNotFound if this node does not have the change to go on after, and ErrInvalid.
func (n *Node) Watch(q WatchQuery) (*Watch, error) {
	for _, glob := range q.Globs {
		if !doublestar.ValidatePattern(glob) {
			return nil, fmt.Errorf("watch: %w: %q is no valid pattern", ErrInvalid, glob)
		}
	}
	follower, err := n.replica.Follow(q.Since)
	if errors.Is(err, crdt.ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	q.Globs = slices.Clone(q.Globs)
	return &Watch{node: n, query: q, follower: follower}, nil
}

// Next returns the next change, and blocks until there is one or ctx ends.
func (w *Watch) Next(ctx context.Context) (Change, error) {
	for {
		c, err := w.follower.Next(ctx)
		if err != nil {
			return Change{}, fmt.Errorf("watch: %w", err)
		}
		if !w.query.selects(w.node, c) {
			continue
		}
		change := w.node.changeOf(c, w.node.names())
		change.Edits = slices.DeleteFunc(change.Edits, func(e ChangeEdit) bool { return !w.matches(e.Path) })
		if len(change.Edits) > 0 {
			return change, nil
		}
	}
}

// selects reports whether a change is one of the author's that edits the path.
func (q WatchQuery) selects(n *Node, c crdt.Change) bool {
	if q.Author != "" && !n.author(q.Author).made(crdt.Entry{Author: c.Author, Actor: c.Actor}) {
		return false
	}
	return q.Path.IsZero() || slices.ContainsFunc(c.Edits, func(e definition.Edit) bool { return e.Path == q.Path })
}

func (w *Watch) matches(p definition.Path) bool {
	return len(w.query.Globs) == 0 || slices.ContainsFunc(w.query.Globs, func(glob string) bool {
		return doublestar.MatchUnvalidated(glob, p.String())
	})
}

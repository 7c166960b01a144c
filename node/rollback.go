package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// Rollback says which definitions are to be again what they were at a time.
type Rollback struct {
	At time.Time // see crdt.Past
	// Paths are paths, or doublestar globs, of definitions that are there or once
	// were; all if there are none.
	Paths []string
	Note  string // see definition.Draft; empty is "rolls back to" and the time
	Actor string
}

// PreviewRollback returns what RollBack would do, and changes nothing. It does not look
// at whether this node may write the paths.
func (n *Node) PreviewRollback(ctx context.Context, r Rollback) (Reverted, error) {
	_, done, err := n.planRollback(ctx, r)
	if err != nil {
		return Reverted{}, fmt.Errorf("roll back: %w", err)
	}
	return done, nil
}

// RollBack makes a new change, or several if there is too much for one, that gives each
// path the bytes that it had at a time: what was not there then is deleted, what is gone
// comes back. History stays as it is. With nothing to do it makes no change. Errors wrap
// ErrNotFound for a path or glob that no definition ever had; ErrRefused if a path
// cannot come back because another is in its place that is not to go back; and those of
// Edit. The changes are on disk when RollBack returns.
func (n *Node) RollBack(ctx context.Context, r Rollback) (Reverted, error) {
	edits, done, err := n.planRollback(ctx, r)
	if err == nil && len(edits) > 0 {
		draft := definition.Draft{Edits: edits, Note: r.Note, Actor: r.Actor}
		if draft.Note == "" {
			draft.Note = "rolls back to " + r.At.UTC().Format(time.RFC3339Nano)
		}
		done.Versions, err = n.append(ctx, draft)
	}
	if err != nil {
		return Reverted{}, fmt.Errorf("roll back: %w", err)
	}
	return done, nil
}

// planRollback returns the edits of a rollback, on top of the heads that it was made
// on: an edit that arrives meanwhile is merged with them and not undone.
func (n *Node) planRollback(ctx context.Context, r Rollback) ([]definition.Edit, Reverted, error) {
	if r.At.IsZero() {
		return nil, Reverted{}, fmt.Errorf("%w: no time is given", ErrInvalid)
	}
	selected, err := n.selectPaths(r.Paths)
	if err != nil {
		return nil, Reverted{}, err
	}
	edits, err := n.replica.At(r.At).Rollback(ctx, selected)
	switch {
	case errors.Is(err, crdt.ErrCollision), errors.Is(err, crdt.ErrWithheld):
		return nil, Reverted{}, fmt.Errorf("%w: %w", ErrRefused, err)
	case err != nil:
		return nil, Reverted{}, err
	}
	// What one change holds is read at once, so that it is parsed once.
	order := slices.Clone(edits)
	slices.SortStableFunc(order, func(a, b definition.Edit) int {
		return slices.CompareFunc(a.Parents, b.Parents, definition.Version.Compare)
	})
	var plan Reverted
	for _, e := range order {
		now, err := n.replica.Merged(ctx, e.Path, e.Parents...)
		if err != nil {
			return nil, Reverted{}, err
		}
		plan.Edits = append(plan.Edits, revertedEdit(e.Path, now, e.Content))
	}
	slices.SortFunc(plan.Edits, func(a, b RevertedEdit) int { return a.Path.Compare(b.Path) })
	return edits, plan, nil
}

// selectPaths returns a function that says whether a path is named, or matched by a
// glob; with neither, each is.
func (n *Node) selectPaths(patterns []string) (func(definition.Path) bool, error) {
	if len(patterns) == 0 {
		return func(definition.Path) bool { return true }, nil
	}
	selected := make(map[definition.Path]bool)
	known := n.replica.Paths()
	for _, pattern := range patterns {
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("%w: %q is no valid pattern", ErrInvalid, pattern)
		}
		found := false
		for _, p := range known {
			if p.String() == pattern || doublestar.MatchUnvalidated(pattern, p.String()) {
				selected[p], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s: no such definition, now or before: %w", pattern, ErrNotFound)
		}
	}
	return func(p definition.Path) bool { return selected[p] }, nil
}

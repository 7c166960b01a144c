package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/starling-sync/starling/definition"
)

// Resolution says how the conflicts of paths end: with exactly one of Take,
// Content and Merged.
type Resolution struct {
	// Paths are paths, or doublestar globs over the paths that have conflicts.
	Paths []string
	// Take is the change whose bytes, or deletion, of each path are to stand.
	Take definition.ChangeID
	// Content is what is to stand, for one path.
	Content []byte
	// Merged lets stand what stands now.
	Merged bool
	// Strict refuses what has errors by lint: see Review.
	Strict bool

	Note, Actor string // see definition.Draft
}

// Resolved is what became of a Resolution.
type Resolved struct {
	Versions []definition.Version
	// Skipped are paths that a glob matched and that no edit of theirs can
	// resolve: another path is held in their place.
	Skipped []definition.Path
}

// ResolveConflicts ends the conflicts of paths by one change on top of all their heads, so
// that they end on every node. Errors wrap ErrNotFound if a path has no open
// conflict or the taken change does not edit it, ErrRefused for a path in whose place
// another one is held or whose id another one has, and those of Edit. The change is on disk when
// ResolveConflicts returns.
func (n *Node) ResolveConflicts(ctx context.Context, r Resolution) (Resolved, error) {
	done, err := n.resolveConflicts(ctx, r)
	if err != nil {
		return Resolved{}, fmt.Errorf("resolve: %w", err)
	}
	return done, nil
}

func (n *Node) resolveConflicts(ctx context.Context, r Resolution) (Resolved, error) {
	ways := 0
	for _, way := range []bool{!r.Take.IsZero(), r.Content != nil, r.Merged} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		return Resolved{}, fmt.Errorf("%w: say one of: a change to take, a content, what is merged", ErrInvalid)
	}
	paths, skipped, err := n.disputed(ctx, r.Paths)
	if err != nil {
		return Resolved{}, err
	}
	if r.Content != nil && len(paths) != 1 {
		return Resolved{}, fmt.Errorf("%w: one content for %d paths", ErrInvalid, len(paths))
	}
	draft := definition.Draft{Note: r.Note, Actor: r.Actor}
	for _, path := range paths {
		edit, err := n.resolvingEdit(ctx, path, r)
		if err != nil {
			return Resolved{}, err
		}
		draft.Edits = append(draft.Edits, edit)
	}
	if r.Strict {
		if err := n.Review(ctx, draft.Edits); err != nil {
			return Resolved{}, err
		}
	}
	versions, err := n.Edit(ctx, draft)
	return Resolved{Versions: versions, Skipped: skipped}, err
}

// disputed returns the paths that a resolution is about, in order, and those that
// it cannot end the conflict of.
func (n *Node) disputed(ctx context.Context, patterns []string) (paths, skipped []definition.Path, err error) {
	inConflict, err := n.conflicts.paths(ctx)
	if err != nil {
		return nil, nil, err
	}
	open := make(map[definition.Path]definition.View, len(inConflict))
	for _, p := range inConflict {
		open[p] = n.replica.View(p)
	}
	for _, pattern := range patterns {
		if p, err := definition.ParsePath(pattern); err == nil {
			if v, ok := open[p]; ok {
				if c, ok := displaced(v); ok {
					return nil, nil, fmt.Errorf("%w: %s is in conflict with %s, which is held in its place: rename or delete one of the two", ErrRefused, p, c.Stands.Path)
				}
				paths = append(paths, p)
				continue
			}
			switch twins, err := n.conflicts.twinsOf(ctx, p); {
			case err != nil:
				return nil, nil, err
			case twins != nil:
				return nil, nil, fmt.Errorf("%w: the same id is in %s: give it to one of them only, or delete the others", ErrRefused, listed(twins))
			}
		}
		if !doublestar.ValidatePattern(pattern) {
			return nil, nil, fmt.Errorf("%w: %q is no valid pattern", ErrInvalid, pattern)
		}
		found := false
		for p, v := range open {
			if !doublestar.MatchUnvalidated(pattern, p.String()) {
				continue
			}
			found = true
			if _, ok := displaced(v); ok {
				skipped = append(skipped, p)
			} else {
				paths = append(paths, p)
			}
		}
		if !found {
			return nil, nil, fmt.Errorf("%s: no open conflict: %w", pattern, ErrNotFound)
		}
	}
	for _, list := range []*[]definition.Path{&paths, &skipped} {
		slices.SortFunc(*list, definition.Path.Compare)
		*list = slices.Compact(*list)
	}
	if len(paths) == 0 {
		return nil, nil, fmt.Errorf("%w: other paths are held in the place of %v: rename or delete them", ErrRefused, skipped)
	}
	return paths, skipped, nil
}

// displaced reports whether another path is held in the place of this one, and by
// which conflict.
func displaced(v definition.View) (definition.Conflict, bool) {
	i := slices.IndexFunc(v.Conflicts, func(c definition.Conflict) bool { return c.Kind == definition.ConflictPath })
	if i < 0 {
		return definition.Conflict{}, false
	}
	return v.Conflicts[i], true
}

// resolvingEdit makes the edit that ends the conflicts of one path.
func (n *Node) resolvingEdit(ctx context.Context, p definition.Path, r Resolution) (definition.Edit, error) {
	view, content, err := n.replica.Read(ctx, p)
	if err != nil {
		return definition.Edit{}, err
	}
	edit := definition.Edit{Path: p, Parents: view.Heads, Content: content, Deleted: !view.Present, Resolves: true}
	switch {
	case r.Content != nil:
		edit.Content, edit.Deleted = r.Content, false
	case !r.Take.IsZero():
		taken, err := n.replica.Edit(ctx, definition.Version{Change: r.Take, Path: p})
		if err != nil {
			return definition.Edit{}, fmt.Errorf("%s in change %s: %w", p, r.Take.Short(), ErrNotFound)
		}
		edit.Content, edit.Deleted = taken.Content, taken.Deleted
	}
	return edit, nil
}

package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/starling-sync/starling/definition"
)

// Resolution says how the conflicts of paths end: with exactly one of Take, Content, Merged
// and Choices.
type Resolution struct {
	// Paths are paths, or doublestar globs over the paths that have conflicts.
	Paths []string
	// Take is a change that is a side of the conflicts. In the fields at which it is in
	// conflict what it wrote is to stand; all else stays as it is.
	Take definition.ChangeID
	// Whole, with Take, lets stand the whole file as the change made it, or its deletion,
	// whatever others have edited.
	Whole bool
	// Merged lets stand what stands now.
	Merged bool
	// Fields, with Take or Merged, are JSON pointers: only the conflicts at these end, the
	// others stay open. The empty one is the whole file.
	Fields []string
	// Choices decide fields one by one, for one path; the conflicts at others stay open.
	Choices []Choice
	// Content is what is to stand, for one path.
	Content []byte
	// Strict refuses what has errors by lint: see Review.
	Strict bool

	Note, Actor string // see definition.Draft
}

// Choice decides one field.
type Choice struct {
	Pointer string              // empty for the whole file
	Take    definition.ChangeID // see Resolution.Take; zero lets stand what stands now
}

// Resolved is what became of a Resolution, or would.
type Resolved struct {
	Versions []definition.Version // none in a preview
	Files    []ResolvedFile
	// Skipped are paths that a glob matched and that no edit of theirs can
	// resolve: another path is held in their place.
	Skipped []definition.Path
}

// ResolvedFile is what a resolution does to one path.
type ResolvedFile struct {
	RevertedEdit                 // of what is now
	Fields       []ResolvedField // what was decided; none if it was the whole file
	By           string          // whose file it is, for Resolution.Whole
	Left         int             // conflicts of the path that stay open
}

// ResolvedField is what stands in a field from now on.
type ResolvedField struct {
	Pointer string               // empty for the whole file
	Taken   bool                 // it stood otherwise before
	Text    definition.FieldText // not set for the whole file
	By      string               // the name of who wrote it
}

// PreviewResolve says what ResolveConflicts would do, and its errors but for those of Edit. It
// changes nothing.
func (n *Node) PreviewResolve(ctx context.Context, r Resolution) (Resolved, error) {
	_, done, err := n.planResolve(ctx, r)
	if err != nil {
		return Resolved{}, fmt.Errorf("resolve: %w", err)
	}
	return done, nil
}

// ResolveConflicts ends conflicts of paths by one change on top of all their heads, so that they
// end on every node. Errors wrap ErrNotFound if a path has no such open conflict or the taken
// change is no side of one; ErrRefused for a path in whose place another one is held or whose id
// another one has, and if what is taken does not fit into what was edited since; and those of
// Edit. The change is on disk when ResolveConflicts returns.
func (n *Node) ResolveConflicts(ctx context.Context, r Resolution) (Resolved, error) {
	edits, done, err := n.planResolve(ctx, r)
	if err == nil {
		done.Versions, err = n.Edit(ctx, definition.Draft{Edits: edits, Note: r.Note, Actor: r.Actor})
	}
	if err != nil {
		return Resolved{}, fmt.Errorf("resolve: %w", err)
	}
	return done, nil
}

func (n *Node) planResolve(ctx context.Context, r Resolution) ([]definition.Edit, Resolved, error) {
	if err := r.check(); err != nil {
		return nil, Resolved{}, err
	}
	paths, skipped, err := n.disputed(ctx, r.Paths)
	if err != nil {
		return nil, Resolved{}, err
	}
	if (r.Content != nil || r.Choices != nil) && len(paths) != 1 {
		return nil, Resolved{}, fmt.Errorf("%w: one content, or choices, for %d paths", ErrInvalid, len(paths))
	}
	done := Resolved{Skipped: skipped}
	var edits []definition.Edit
	for _, path := range paths {
		edit, file, err := n.resolvingEdit(ctx, path, r)
		if err != nil {
			return nil, Resolved{}, err
		}
		edits, done.Files = append(edits, edit), append(done.Files, file)
	}
	if r.Strict {
		if err := n.Review(ctx, edits); err != nil {
			return nil, Resolved{}, err
		}
	}
	return edits, done, nil
}

// check says what is wrong with what a resolution asks for.
func (r Resolution) check() error {
	ways := 0
	for _, way := range []bool{!r.Take.IsZero(), r.Content != nil, r.Merged, len(r.Choices) > 0} {
		if way {
			ways++
		}
	}
	switch {
	case ways != 1:
		return fmt.Errorf("%w: say one of: a change to take, a content, what is merged, choices", ErrInvalid)
	case r.Whole && r.Take.IsZero():
		return fmt.Errorf("%w: the whole file of which change?", ErrInvalid)
	case len(r.Fields) > 0 && (r.Whole || r.Content != nil || len(r.Choices) > 0):
		return fmt.Errorf("%w: single fields are of a change that is taken, or of what is merged", ErrInvalid)
	}
	return nil
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

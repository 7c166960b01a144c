package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// Reversion says which change is to be reverted.
type Reversion struct {
	Change definition.ChangeID
	Note   string // see definition.Draft; empty is "reverts" and the change's id
	Actor  string
}

// Reverted is what reverting a change, or rolling back to a time, does.
type Reverted struct {
	// Edits are what it does to each path, seen from what is now. A path that has the
	// bytes already is not among them.
	Edits []RevertedEdit
	// Versions are what the edits became; none in a preview.
	Versions []definition.Version
}

// RevertedEdit brings back what one path had before.
type RevertedEdit struct {
	ChangeEdit
	Comparison // of what is now with what is brought back
}

// PreviewRevert returns what Revert would do, and changes nothing. It does not look
// at whether this node may write the paths.
func (n *Node) PreviewRevert(ctx context.Context, id definition.ChangeID) (Reverted, error) {
	_, done, err := n.planRevert(ctx, id)
	if err != nil {
		return Reverted{}, fmt.Errorf("revert: %w", err)
	}
	return done, nil
}

// Revert makes a new change that gives each path of a change the bytes that it had
// before, or no file if there was none; history stays as it is. It is all or nothing.
// Errors wrap ErrNotFound; ErrRefused if the change has no effect, changed nothing,
// or has a path that was edited since or is displaced by another one; and those of
// Edit. The new change is on disk when Revert returns.
func (n *Node) Revert(ctx context.Context, r Reversion) (Reverted, error) {
	draft, done, err := n.planRevert(ctx, r.Change)
	if err != nil {
		return Reverted{}, fmt.Errorf("revert: %w", err)
	}
	draft.Note, draft.Actor = r.Note, r.Actor
	if draft.Note == "" {
		draft.Note = "reverts " + r.Change.Short()
	}
	if done.Versions, err = n.append(ctx, draft); err != nil {
		return Reverted{}, fmt.Errorf("revert: %w", err)
	}
	return done, nil
}

// planRevert drafts the change that reverts another. Its edits name the heads that
// the plan was made on as parents, so an edit that arrives meanwhile is merged with
// it and not undone.
func (n *Node) planRevert(ctx context.Context, id definition.ChangeID) (definition.Draft, Reverted, error) {
	c, err := n.replica.Change(ctx, id)
	switch {
	case errors.Is(err, crdt.ErrNotFound):
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: %w", ErrNotFound, err)
	case err != nil:
		return definition.Draft{}, Reverted{}, err
	case !c.Counts:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: change %s has no effect: its author was revoked before it", ErrRefused, id.Short())
	}
	var draft definition.Draft
	var plan Reverted
	var since []definition.Path
	for _, e := range c.Edits {
		view := n.replica.View(e.Path)
		if !slices.Equal(view.Heads, []definition.Version{{Change: id, Path: e.Path}}) {
			since = append(since, e.Path)
			continue
		}
		if other, ok := displaced(view); ok {
			return definition.Draft{}, Reverted{}, fmt.Errorf("%w: %s is held in the place of %s: rename or delete one of the two", ErrRefused, other.Stands.Path, e.Path)
		}
		before, err := n.replica.Merged(ctx, e.Path, parentsIn(e, e.Path)...) // none if it was moved here
		if err != nil {
			return definition.Draft{}, Reverted{}, err
		}
		if bytes.Equal(before, e.Content) {
			continue
		}
		draft.Edits = append(draft.Edits, definition.Edit{Path: e.Path, Parents: view.Heads, Content: before, Deleted: len(before) == 0})
		plan.Edits = append(plan.Edits, revertedEdit(e.Path, e.Content, before))
	}
	switch {
	case len(since) > 0:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: edited since: %s", ErrRefused, listed(since))
	case len(draft.Edits) == 0:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: change %s left all bytes as they were", ErrRefused, id.Short())
	}
	return draft, plan, nil
}

func revertedEdit(p definition.Path, now, before []byte) RevertedEdit {
	edit := RevertedEdit{ChangeEdit: ChangeEdit{Path: p, Kind: EditChange, Size: len(before)}, Comparison: compare(p, now, before)}
	switch {
	case len(before) == 0:
		edit.Kind = EditDelete
	case len(now) == 0:
		edit.Kind = EditCreate
	}
	if len(before) > 0 {
		edit.Hash = definition.HashOf(before)
	}
	return edit
}

// maxListed is how many paths an error names.
const maxListed = 10

// listed names paths in an error, the first of them if they are many.
func listed(paths []definition.Path) string {
	var names []string
	for _, p := range paths[:min(len(paths), maxListed)] {
		names = append(names, p.String())
	}
	if more := len(paths) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

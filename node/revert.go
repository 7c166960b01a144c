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

// Revert makes a new change that takes back what a change did to each of its paths, and leaves
// what was edited since: a merge of what is now with what was before the change. A path that was
// not edited since has the bytes that it had before, or no file; history stays as it is. It is all
// or nothing. Errors wrap ErrNotFound; ErrRefused if the change has no effect, changed nothing, or
// has a path in which somebody edited the same field since or which is displaced by another one;
// and those of Edit. The new change is on disk when Revert returns.
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
	var since []string
	undone := false // whether somebody has taken a path back already
	for _, e := range c.Edits {
		view, now, err := n.replica.Read(ctx, e.Path)
		if err != nil {
			return definition.Draft{}, Reverted{}, err
		}
		if other, ok := displaced(view); ok {
			return definition.Draft{}, Reverted{}, fmt.Errorf("%w: %s is held in the place of %s: rename or delete one of the two", ErrRefused, other.Stands.Path, e.Path)
		}
		before, err := n.replica.MadeOn(ctx, definition.Version{Change: id, Path: e.Path}) // none if it was moved here
		if err != nil {
			return definition.Draft{}, Reverted{}, err
		}
		if bytes.Equal(before, e.Content) {
			continue
		}
		result, where, err := takeBack(e.Path, before, e.Content, now)
		switch {
		case err != nil:
			return definition.Draft{}, Reverted{}, err
		case where != "":
			since = append(since, e.Path.String()+where)
			continue
		case bytes.Equal(result, now):
			undone = true
			continue
		}
		draft.Edits = append(draft.Edits, definition.Edit{Path: e.Path, Parents: view.Heads, Content: result, Deleted: len(result) == 0})
		plan.Edits = append(plan.Edits, revertedEdit(e.Path, now, result))
	}
	switch {
	case len(since) > 0:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: edited since: %s", ErrRefused, listed(since))
	case len(draft.Edits) == 0 && undone:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: what change %s did is taken back already", ErrRefused, id.Short())
	case len(draft.Edits) == 0:
		return definition.Draft{}, Reverted{}, fmt.Errorf("%w: change %s left all bytes as they were", ErrRefused, id.Short())
	}
	return draft, plan, nil
}

// takeBack returns what is now without what an edit made of what was before it; none is no
// file. Where somebody edited the same since it says at what, in words that follow the path.
func takeBack(p definition.Path, before, after, now []byte) (result []byte, where string, err error) {
	switch {
	case bytes.Equal(now, after):
		return before, "", nil
	case bytes.Equal(now, before):
		return now, "", nil
	case len(now) == 0:
		return nil, " (it was deleted)", nil
	case len(after) == 0:
		return nil, " (it was made again)", nil
	case len(before) == 0:
		return nil, " (it had made the file)", nil
	}
	merged, err := definition.Merge(p, after, now, before)
	if errors.Is(err, definition.ErrNoMerge) {
		return nil, fmt.Sprintf(" (%v)", err), nil
	}
	// A comment is no reason to leave a value as it is: CAS drops all of them when it saves.
	fields := slices.DeleteFunc(merged.Conflicts, func(c definition.FieldConflict) bool { return c.Kind == definition.FieldComment })
	if len(fields) > 0 {
		where = " at " + pointersIn(fields)
	}
	return merged.Content, where, err
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

// listed names things in an error, the first of them if they are many.
func listed[T any](things []T) string {
	var names []string
	for _, thing := range things[:min(len(things), maxListed)] {
		names = append(names, fmt.Sprint(thing))
	}
	if more := len(things) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// ShownChange is one change whole.
type ShownChange struct {
	Change
	// Counts is false if the change has no effect, because its author was revoked
	// before it.
	Counts bool
	Edits  []ShownEdit // in place of Change.Edits, which is nil
}

// ShownEdit is one edit of a change, with what it changed.
type ShownEdit struct {
	ChangeEdit
	// Parents are the versions that it was made on.
	Parents []definition.Version
	// Against is the one of them that Comparison begins with. Zero if there was no
	// file, or if they are several: then it begins with what these merge to.
	Against definition.Version
	Comparison
}

// Show returns one change with all that it changed. Errors wrap ErrNotFound.
func (n *Node) Show(ctx context.Context, id definition.ChangeID) (ShownChange, error) {
	shown, err := n.show(ctx, id)
	if errors.Is(err, crdt.ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err != nil {
		return ShownChange{}, fmt.Errorf("show: %w", err)
	}
	return shown, nil
}

func (n *Node) show(ctx context.Context, id definition.ChangeID) (ShownChange, error) {
	c, err := n.replica.Change(ctx, id)
	if err != nil {
		return ShownChange{}, err
	}
	shown := ShownChange{Change: n.changeOf(c, n.names()), Counts: c.Counts}
	for i, e := range c.Edits {
		edit := ShownEdit{ChangeEdit: shown.Change.Edits[i], Parents: e.Parents}
		var before []byte
		if before, edit.Against, err = n.basisOf(ctx, id, e); err != nil {
			return ShownChange{}, err
		}
		edit.Comparison = compare(e.Path, before, e.Content)
		shown.Edits = append(shown.Edits, edit)
	}
	shown.Change.Edits = nil
	return shown, nil
}

// basisOf returns the bytes that an edit was made on, none if there was no file: of
// its path, or else of the path that it was moved from. Those of one parent are its
// own, whether it counts or not, and it is returned too; several are merged.
func (n *Node) basisOf(ctx context.Context, change definition.ChangeID, e definition.Edit) (content []byte, one definition.Version, err error) {
	for _, p := range []definition.Path{e.Path, e.MovedFrom} {
		parents := parentsIn(e, p)
		switch {
		case len(parents) == 1 && (len(e.Parents) == 1 || p != e.Path):
			one = parents[0]
			content, err = n.textOf(ctx, one)
		case p == e.Path:
			one = definition.Version{}
			content, err = n.replica.MadeOn(ctx, definition.Version{Change: change, Path: p})
		default:
			one = definition.Version{}
			content, err = n.replica.Merged(ctx, p, parents...)
		}
		if err != nil || len(content) > 0 {
			return content, one, err
		}
	}
	return nil, definition.Version{}, nil
}

// parentsIn returns the parents of an edit that are versions of a path.
func parentsIn(e definition.Edit, p definition.Path) []definition.Version {
	return slices.DeleteFunc(slices.Clone(e.Parents), func(v definition.Version) bool { return v.Path != p })
}

package node

import (
	"context"
	"errors"
	"fmt"

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
	// Against is the one of them that Comparison begins with: the latest that has
	// bytes. Zero if none has.
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
	shown := ShownChange{Change: changeOf(c, n.names()), Counts: c.Counts}
	for i, e := range c.Edits {
		edit := ShownEdit{ChangeEdit: shown.Change.Edits[i], Parents: e.Parents}
		if edit.Against, err = n.latest(e.Parents); err != nil {
			return ShownChange{}, err
		}
		var before []byte
		if !edit.Against.IsZero() {
			if before, err = n.textOf(ctx, edit.Against); err != nil {
				return ShownChange{}, err
			}
		}
		edit.Comparison = compare(e.Path, before, e.Content)
		shown.Edits = append(shown.Edits, edit)
	}
	shown.Change.Edits = nil
	return shown, nil
}

package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// BlamedField is one field of a definition and the change that wrote it.
type BlamedField struct {
	definition.Field
	definition.Version        // that holds the value first; of another path if the file was moved since
	Author             string // its author's name
	Time               time.Time
	Note               string
	Actor              string
}

// Blame tells who wrote each field of a definition, as it is now or as a change made it. See
// crdt.Replica.Blame for the rule. Errors wrap ErrNotFound.
func (n *Node) Blame(ctx context.Context, at Point) ([]BlamedField, error) {
	blames, err := n.replica.Blame(ctx, at)
	if errors.Is(err, crdt.ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	names := n.names()
	changes := make(map[definition.ChangeID]crdt.Change)
	fields := make([]BlamedField, 0, len(blames))
	for _, b := range blames {
		c, ok := changes[b.Version.Change]
		if !ok {
			if c, err = n.replica.Change(ctx, b.Version.Change); err != nil {
				return nil, fmt.Errorf("blame %s: %w", at.Path, err)
			}
			c.Edits = nil // their contents are not needed
			changes[b.Version.Change] = c
		}
		fields = append(fields, BlamedField{
			Field: b.Field, Version: b.Version,
			Author: nameOf(names, c.Author), Time: c.Time, Note: c.Note, Actor: c.Actor,
		})
	}
	return fields, nil
}

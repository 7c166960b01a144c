package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// Extent says how much of a definition a Comparison found changed.
type Extent string

// Extents.
const (
	// ExtentNone: the bytes are the same, or there is no file on either side.
	ExtentNone Extent = "none"
	// ExtentLayout: the bytes differ, the values do not: layout, comments, or the
	// order of what has none.
	ExtentLayout Extent = "layout"
	// ExtentFields: fields differ.
	ExtentFields Extent = "fields"
	// ExtentWhole: structure gives no answer. There is a file on one side only, one
	// does not parse, or the content is of another kind or has no fields.
	ExtentWhole Extent = "whole"
)

// Comparison is what one content of a definition became.
type Comparison struct {
	Extent Extent
	Fields []definition.FieldChange // for ExtentFields
}

// compare tells by structure what from became. Without content there is no file: no
// version is empty.
func compare(p definition.Path, from, to []byte) Comparison {
	switch {
	case bytes.Equal(from, to):
		return Comparison{Extent: ExtentNone}
	case len(from) == 0, len(to) == 0:
		return Comparison{Extent: ExtentWhole}
	}
	fields, err := definition.Diff(p, from, to)
	switch {
	case err != nil, len(fields) == 1 && fields[0].Pointer == "":
		return Comparison{Extent: ExtentWhole}
	case len(fields) == 0:
		return Comparison{Extent: ExtentLayout}
	}
	return Comparison{Extent: ExtentFields, Fields: fields}
}

// Point is a definition at some point of its history: as a change made it, or as it is
// now if the change is zero.
type Point = definition.Version

// Difference is what a definition at one point became at another.
type Difference struct {
	Comparison
	FromPresent, ToPresent bool // whether there is a file
}

// Compare tells what differs between two definitions, of one path or of two, by the
// syntax of the second. Errors wrap ErrNotFound if a change does not edit its path,
// or a path was never heard of; a deletion is no error, but no file.
func (n *Node) Compare(ctx context.Context, from, to Point) (Difference, error) {
	old, err := n.contentAt(ctx, from)
	if err != nil {
		return Difference{}, fmt.Errorf("compare: %w", err)
	}
	now, err := n.contentAt(ctx, to)
	if err != nil {
		return Difference{}, fmt.Errorf("compare: %w", err)
	}
	return Difference{Comparison: compare(to.Path, old, now), FromPresent: len(old) > 0, ToPresent: len(now) > 0}, nil
}

// contentAt returns the bytes of a definition at a point, none if there is no file.
func (n *Node) contentAt(ctx context.Context, at Point) ([]byte, error) {
	if at.Change.IsZero() {
		view, content, err := n.replica.Read(ctx, at.Path)
		if err == nil && len(view.Heads) == 0 {
			err = fmt.Errorf("%s: %w", at.Path, ErrNotFound)
		}
		return content, err
	}
	content, err := n.textOf(ctx, at)
	if errors.Is(err, crdt.ErrNotFound) {
		err = fmt.Errorf("%s in change %s: %w", at.Path, at.Change.Short(), ErrNotFound)
	}
	return content, err
}

package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
)

// File is a definition with its bytes.
type File struct {
	Path    string
	Content []byte
}

// snapshotRounds is how often Snapshot lists the definitions again because some
// changed while they were read.
const snapshotRounds = 10

// Snapshot returns all definitions as they were at a time, as they are at one moment if
// it is zero, by path: each has the bytes that one listing names. It holds them in
// memory, and fails if edits come faster than they can be read, or if this node cannot
// tell what a file should be.
func (c *Client) Snapshot(ctx context.Context, at time.Time) ([]File, error) {
	read := make(map[string][]byte) // by hash
	for range snapshotRounds {
		list, err := c.DefinitionsAt(ctx, "", at)
		if err != nil {
			return nil, err
		}
		files, whole, err := c.filesOf(ctx, list, at, read)
		if err != nil {
			return nil, err
		}
		if whole {
			return files, nil
		}
	}
	return nil, fmt.Errorf("take a snapshot: definitions changed while they were read, %d times: try again", snapshotRounds)
}

// filesOf reads what a listing names, and remembers it. It is not whole if a
// definition is no more what was listed.
func (c *Client) filesOf(ctx context.Context, list DefinitionList, at time.Time, read map[string][]byte) (files []File, whole bool, err error) {
	// The node has a change at hand that it was just asked for.
	byChange := slices.SortedFunc(slices.Values(list.Definitions), func(a, b Definition) int { return strings.Compare(a.Change, b.Change) })
	for _, d := range byChange {
		if _, ok := read[d.Hash]; ok {
			continue
		}
		if err := c.readInto(ctx, d, at, read); err != nil {
			return nil, false, err
		}
	}
	for _, d := range list.Definitions {
		content, ok := read[d.Hash]
		if !ok {
			return nil, false, nil
		}
		files = append(files, File{Path: d.Path, Content: content})
	}
	return files, true, nil
}

// readInto reads what a definition holds: the bytes of its change, which stay what they
// are, and if these are not what was listed, because they are merged with others', what
// it is at the time.
func (c *Client) readInto(ctx context.Context, d Definition, at time.Time, read map[string][]byte) error {
	content, err := c.Content(ctx, d.Path, d.Change)
	if err != nil {
		return err
	}
	read[definition.HashOf(content).String()] = content
	if _, ok := read[d.Hash]; ok {
		return nil
	}
	content, err = c.ContentAt(ctx, d.Path, at)
	if problem, is := errors.AsType[*Problem](err); is && problem.Code == CodeNotFound {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	read[definition.HashOf(content).String()] = content
	return nil
}

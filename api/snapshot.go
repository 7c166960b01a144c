package api

import (
	"context"
	"errors"
	"fmt"

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

// Snapshot returns all definitions as they are at one moment, by path: each has the
// bytes that one listing names. It holds them in memory, and fails if edits come
// faster than they can be read, or if this node cannot tell what a file should be.
func (c *Client) Snapshot(ctx context.Context) ([]File, error) {
	read := make(map[string][]byte) // by hash
	for range snapshotRounds {
		list, err := c.Definitions(ctx, "")
		if err != nil {
			return nil, err
		}
		files, whole, err := c.filesOf(ctx, list, read)
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
func (c *Client) filesOf(ctx context.Context, list DefinitionList, read map[string][]byte) (files []File, whole bool, err error) {
	for _, d := range list.Definitions {
		content, ok := read[d.Hash]
		if !ok {
			content, err = c.Content(ctx, d.Path, "")
			if problem, is := errors.AsType[*Problem](err); is && problem.Code == CodeNotFound {
				return nil, false, nil // deleted meanwhile
			}
			if err != nil {
				return nil, false, err
			}
			hash := definition.HashOf(content).String()
			read[hash] = content
			if hash != d.Hash {
				return nil, false, nil
			}
		}
		files = append(files, File{Path: d.Path, Content: content})
	}
	return files, true, nil
}

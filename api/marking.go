package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Marked is what a directory held when it was marked again.
type Marked struct {
	Marked  bool `json:"marked" doc:"Whether its marker was missing. If not, nothing was done."`
	Same    int  `json:"same" doc:"Files that are as they were."`
	Changed int  `json:"changed" doc:"Files that are there with other bytes; they are published as edits, unless the guard holds them."`
	Missing int  `json:"missing" doc:"Files that are gone; their deletion is published, unless the guard holds it."`
}

type markedOutput struct{ Body Marked }

func (r routes) marking() {
	handle(r, huma.Operation{
		OperationID: "mark-directory",
		Method:      http.MethodPost,
		Path:        "/v1/directory/mark",
		Summary:     "Mark the directory again, so that a mirror that has stopped goes on",
		Description: "What has changed in it meanwhile is published as edits and deletions, as far as the guard lets it. An empty directory is not marked: refill it.",
		Tags:        []string{tagNode},
	}, func(ctx context.Context, _ *struct{}) (*markedOutput, error) {
		m, err := r.node.Mark(ctx)
		return &markedOutput{Body: markedOf(m)}, err
	})

	handle(r, huma.Operation{
		OperationID: "refill-directory",
		Method:      http.MethodPost,
		Path:        "/v1/directory/refill",
		Summary:     "Mark an empty directory and fill it with what the cluster holds",
		Description: "No deletion is published. For a directory that has lost its marker and all its files.",
		Tags:        []string{tagNode},
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, r.node.Refill(ctx)
	})
}

func markedOf(m node.Marked) Marked {
	return Marked{Marked: m.Marked, Same: m.Same, Changed: m.Changed, Missing: m.Missing}
}

// Mark marks the node's directory again. The error is a Problem of CodeRefused if it is empty,
// not there, or another cluster's.
func (c *Client) Mark(ctx context.Context) (Marked, error) {
	var m Marked
	err := c.post(ctx, "/v1/directory/mark", nil, &m)
	return m, err
}

// Refill marks the node's empty directory and fills it. The error is a Problem of CodeRefused
// if it is not empty, is marked, is not there, or is another cluster's.
func (c *Client) Refill(ctx context.Context) error {
	return c.post(ctx, "/v1/directory/refill", nil, nil)
}

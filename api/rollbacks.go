package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Rollback says which definitions are to be again what they were at a time.
type Rollback struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	At    time.Time `json:"at" doc:"The time, by the clocks of those who made the changes."`
	Paths []string  `json:"paths,omitempty" nullable:"false" maxItems:"4096" doc:"Paths, or globs over all that are or ever were there; all of them without it."`
	Note  string    `json:"note,omitempty" doc:"Why; free text that all members can read. Without it, it names the time."`
	Actor string    `json:"actor,omitempty" doc:"Who at the keyboard; free text."`
}

type previewRollbackInput struct {
	At    time.Time `query:"at" required:"true" doc:"The time, by the clocks of those who made the changes."`
	Paths []string  `query:"path,explode" nullable:"false" doc:"Paths, or globs over all that are or ever were there; all of them without it."`
}

type rollbackInput struct{ Body Rollback }

func (r routes) rollbacks() {
	handle(r, huma.Operation{
		OperationID: "preview-rollback",
		Method:      http.MethodGet,
		Path:        "/v1/rollbacks/preview",
		Summary:     "What going back to a time would do",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *previewRollbackInput) (*reversionOutput, error) {
		plan, err := r.node.PreviewRollback(ctx, node.Rollback{At: in.At, Paths: in.Paths})
		if err != nil {
			return nil, err
		}
		return revertedOf(plan), nil
	})

	handle(r, huma.Operation{
		OperationID:   "roll-back",
		Method:        http.MethodPost,
		Path:          "/v1/rollbacks",
		Summary:       "Bring back what was at a time, by new changes",
		Description:   "Deletes what was not there then. Makes no change if all is as it was. Answers when the new changes are on this node's disk.",
		Tags:          []string{tagDefinitions},
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *rollbackInput) (*reversionOutput, error) {
		done, err := r.node.RollBack(ctx, node.Rollback{At: in.Body.At, Paths: in.Body.Paths, Note: in.Body.Note, Actor: in.Body.Actor})
		if err != nil {
			return nil, err
		}
		return revertedOf(done), nil
	})
}

// PreviewRollback asks what going back to a time would do. Of the rollback, only time
// and paths are looked at.
func (c *Client) PreviewRollback(ctx context.Context, rollback Rollback) (Reverted, error) {
	query := url.Values{"path": rollback.Paths}
	setTime(query, "at", rollback.At)
	var plan Reverted
	err := c.get(ctx, "/v1/rollbacks/preview", query, &plan)
	return plan, err
}

// RollBack brings back what was at a time, and returns when that is on the node's disk.
func (c *Client) RollBack(ctx context.Context, rollback Rollback) (Reverted, error) {
	var done Reverted
	err := c.post(ctx, "/v1/rollbacks", rollback, &done)
	return done, err
}

package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Resolution says how the conflicts of paths end: by exactly one of take, content
// and merged.
type Resolution struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Paths   []string `json:"paths" nullable:"false" minItems:"1" maxItems:"4096" doc:"Paths, or globs over the paths that have conflicts."`
	Take    string   `json:"take,omitempty" doc:"Id of a change, or its first characters: its bytes of each path, or its deletion, are to stand."`
	Content []byte   `json:"content,omitempty" doc:"The bytes that are to stand, in base64; for one path."`
	Merged  bool     `json:"merged,omitempty" doc:"What stands now is to stand."`
	Strict  bool     `json:"strict,omitempty" doc:"Refuse what would have errors by the rules of check."`
	Note    string   `json:"note,omitempty" doc:"Why; free text that all members can read."`
	Actor   string   `json:"actor,omitempty" doc:"Who at the keyboard; free text."`
}

// Resolved says what became of a resolution: the changes are on this node's disk.
type Resolved struct {
	Changes []string `json:"changes" nullable:"false" doc:"Ids of the changes; more than one only if there was too much for one."`
	Skipped []string `json:"skipped" nullable:"false" doc:"Paths that a glob matched and no edit can resolve: another path is held in their place."`
}

type resolveInput struct{ Body Resolution }

type resolveOutput struct{ Body Resolved }

func (r routes) resolutions() {
	handle(r, huma.Operation{
		OperationID:   "resolve-conflicts",
		Method:        http.MethodPost,
		Path:          "/v1/resolutions",
		Summary:       "End the conflicts of definitions, on all nodes",
		Description:   "Makes one change on top of all that is in conflict. Answers when it is on this node's disk.",
		Tags:          []string{tagDefinitions},
		MaxBodyBytes:  maxEditBytes,
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *resolveInput) (*resolveOutput, error) {
		take, err := r.resolve(ctx, in.Body.Take)
		if err != nil {
			return nil, err
		}
		done, err := r.node.ResolveConflicts(ctx, node.Resolution{
			Paths: in.Body.Paths, Take: take, Content: in.Body.Content, Merged: in.Body.Merged, Strict: in.Body.Strict,
			Note: in.Body.Note, Actor: in.Body.Actor,
		})
		if err != nil {
			return nil, err
		}
		body := Resolved{Changes: make([]string, 0, 1), Skipped: make([]string, 0, len(done.Skipped))}
		for _, v := range done.Versions {
			if id := v.Change.String(); !slices.Contains(body.Changes, id) {
				body.Changes = append(body.Changes, id)
			}
		}
		for _, p := range done.Skipped {
			body.Skipped = append(body.Skipped, p.String())
		}
		return &resolveOutput{Body: body}, nil
	})
}

// Resolve ends the conflicts of definitions and returns when that is on the
// node's disk.
func (c *Client) Resolve(ctx context.Context, resolution Resolution) (Resolved, error) {
	var done Resolved
	err := c.post(ctx, "/v1/resolutions", resolution, &done)
	return done, err
}

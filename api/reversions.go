package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Reversion says which change is to be reverted.
type Reversion struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Change string `json:"change" doc:"Id of the change, or its first characters."`
	Note   string `json:"note,omitempty" doc:"Why; free text that all members can read. Without it, it names the change."`
	Actor  string `json:"actor,omitempty" doc:"Who at the keyboard; free text."`
}

// Reverted says what reverting a change, or going back to a time, does.
type Reverted struct {
	Changes []string       `json:"changes" nullable:"false" doc:"Ids of the new changes, on this node's disk; more than one only if there was too much for one, none in a preview or if there was nothing to do."`
	Edits   []RevertedEdit `json:"edits" nullable:"false"`
}

// RevertedEdit brings back what one path had before. It tells what changes against
// what is now.
type RevertedEdit struct {
	ChangeEdit
	Comparison
}

type previewReversionInput struct {
	Change string `query:"change" required:"true" doc:"Id of the change, or its first characters."`
}

type reversionInput struct{ Body Reversion }

type reversionOutput struct{ Body Reverted }

func (r routes) reversions() {
	handle(r, huma.Operation{
		OperationID: "preview-reversion",
		Method:      http.MethodGet,
		Path:        "/v1/reversions/preview",
		Summary:     "What reverting a change would do",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *previewReversionInput) (*reversionOutput, error) {
		id, err := r.resolve(ctx, in.Change)
		if err != nil {
			return nil, err
		}
		plan, err := r.node.PreviewRevert(ctx, id)
		if err != nil {
			return nil, err
		}
		return revertedOf(plan), nil
	})

	handle(r, huma.Operation{
		OperationID:   "revert-change",
		Method:        http.MethodPost,
		Path:          "/v1/reversions",
		Summary:       "Take back what a change did, by a new change",
		Description:   "What was edited since stays, by a merge. All of the change or nothing: refused if somebody edited the same field since. Answers when the new change is on this node's disk.",
		Tags:          []string{tagDefinitions},
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *reversionInput) (*reversionOutput, error) {
		if in.Body.Change == "" {
			return nil, newProblem(CodeInvalid, "revert: no change is named")
		}
		id, err := r.resolve(ctx, in.Body.Change)
		if err != nil {
			return nil, err
		}
		done, err := r.node.Revert(ctx, node.Reversion{Change: id, Note: in.Body.Note, Actor: in.Body.Actor})
		if err != nil {
			return nil, err
		}
		return revertedOf(done), nil
	})
}

func revertedOf(done node.Reverted) *reversionOutput {
	body := Reverted{Changes: make([]string, 0, 1), Edits: make([]RevertedEdit, 0, len(done.Edits))}
	for _, v := range done.Versions {
		if id := v.Change.String(); !slices.Contains(body.Changes, id) {
			body.Changes = append(body.Changes, id)
		}
	}
	for _, e := range done.Edits {
		body.Edits = append(body.Edits, RevertedEdit{ChangeEdit: changeEditOf(e.ChangeEdit), Comparison: comparisonOf(e.Comparison)})
	}
	return &reversionOutput{Body: body}
}

// PreviewRevert asks what reverting a change would do.
func (c *Client) PreviewRevert(ctx context.Context, change string) (Reverted, error) {
	var plan Reverted
	err := c.get(ctx, "/v1/reversions/preview", url.Values{"change": {change}}, &plan)
	return plan, err
}

// Revert brings back what was before a change, and returns when that is on the
// node's disk.
func (c *Client) Revert(ctx context.Context, reversion Reversion) (Reverted, error) {
	var done Reverted
	err := c.post(ctx, "/v1/reversions", reversion, &done)
	return done, err
}

package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ApprovalList is what the guard holds back.
type ApprovalList struct {
	Approvals []Approval `json:"approvals" nullable:"false"`
}

// Approval is a set of files whose state on disk the guard publishes only when somebody says
// so: deletions, files that went back to earlier bytes, were overwritten, or are copies.
type Approval struct {
	ID     string    `json:"id" doc:"Names exactly this set; another deletion makes another set."`
	Reason string    `json:"reason" doc:"Why the set is held: deletion, reversion, overwriting or copy."`
	Paths  []string  `json:"paths" nullable:"false"`
	Since  time.Time `json:"since"`
}

// Decision is what is to become of a held set.
type Decision struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Decision string `json:"decision" enum:"publish,restore" doc:"publish: it was meant, all members follow. restore: it was not, the files come back here."`
}

// Decided is what came of a decision.
type Decided struct {
	Paths []string `json:"paths" nullable:"false" doc:"The files of the set."`
	Stay  []string `json:"stay" nullable:"false" doc:"Files whose deletion was published and that are there all the same, because another node edited them meanwhile: an edit wins against a deletion."`
}

type approvalsOutput struct{ Body ApprovalList }

type decidedOutput struct{ Body Decided }

type decideInput struct {
	ID   string `path:"id" doc:"Id of the held set."`
	Body Decision
}

func (r routes) approvals() {
	handle(r, huma.Operation{
		OperationID: "list-approvals",
		Method:      http.MethodGet,
		Path:        "/v1/approvals",
		Summary:     "What the guard holds back",
		Tags:        []string{tagNode},
	}, func(ctx context.Context, _ *struct{}) (*approvalsOutput, error) {
		held := r.node.Approvals(ctx)
		body := ApprovalList{Approvals: make([]Approval, 0, len(held))}
		for _, a := range held {
			body.Approvals = append(body.Approvals, Approval{
				ID:     a.ID,
				Reason: a.Reason,
				Paths:  append([]string{}, a.Paths...),
				Since:  a.Since,
			})
		}
		return &approvalsOutput{Body: body}, nil
	})

	handle(r, huma.Operation{
		OperationID: "decide-approval",
		Method:      http.MethodPost,
		Path:        "/v1/approvals/{id}",
		Summary:     "Publish a held set, or put its files back",
		Tags:        []string{tagNode},
	}, func(ctx context.Context, in *decideInput) (*decidedOutput, error) {
		decide := r.node.Approve
		if in.Body.Decision == "restore" {
			decide = r.node.Restore
		}
		decided, err := decide(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &decidedOutput{Body: Decided{Paths: append([]string{}, decided.Paths...), Stay: append([]string{}, decided.Stay...)}}, nil
	})
}

// Approvals lists what the guard holds back.
func (c *Client) Approvals(ctx context.Context) (ApprovalList, error) {
	var l ApprovalList
	err := c.get(ctx, "/v1/approvals", nil, &l)
	return l, err
}

// Approve publishes exactly the held set of this id.
func (c *Client) Approve(ctx context.Context, id string) (Decided, error) {
	return c.decide(ctx, id, "publish")
}

// Restore puts the files of the held set of this id back.
func (c *Client) Restore(ctx context.Context, id string) (Decided, error) {
	return c.decide(ctx, id, "restore")
}

func (c *Client) decide(ctx context.Context, id, decision string) (Decided, error) {
	var decided Decided
	err := c.post(ctx, "/v1/approvals/"+url.PathEscape(id), Decision{Decision: decision}, &decided)
	return decided, err
}

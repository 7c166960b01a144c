package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ApprovalList is what the deletion guard holds back.
type ApprovalList struct {
	Approvals []Approval `json:"approvals" nullable:"false"`
}

// Approval is a set of deletions, or of files that went back to earlier bytes,
// that the guard publishes only when somebody says so.
type Approval struct {
	ID     string    `json:"id" doc:"Names exactly this set; another deletion makes another set."`
	Reason string    `json:"reason" doc:"Why the set is held."`
	Paths  []string  `json:"paths" nullable:"false"`
	Since  time.Time `json:"since"`
}

// Decision is what is to become of a held set.
type Decision struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Decision string `json:"decision" enum:"publish,restore" doc:"publish: it was meant, all members follow. restore: it was not, the files come back here."`
}

type approvalsOutput struct{ Body ApprovalList }

type decideInput struct {
	ID   string `path:"id" doc:"Id of the held set."`
	Body Decision
}

func (r routes) approvals() {
	handle(r, huma.Operation{
		OperationID: "list-approvals",
		Method:      http.MethodGet,
		Path:        "/v1/approvals",
		Summary:     "What the deletion guard holds back",
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
	}, func(ctx context.Context, in *decideInput) (*struct{}, error) {
		if in.Body.Decision == "restore" {
			return nil, r.node.Restore(ctx, in.ID)
		}
		return nil, r.node.Approve(ctx, in.ID)
	})
}

// Approvals lists what the deletion guard holds back.
func (c *Client) Approvals(ctx context.Context) (ApprovalList, error) {
	var l ApprovalList
	err := c.get(ctx, "/v1/approvals", nil, &l)
	return l, err
}

// Approve publishes exactly the held set of this id.
func (c *Client) Approve(ctx context.Context, id string) error {
	return c.post(ctx, "/v1/approvals/"+url.PathEscape(id), Decision{Decision: "publish"}, nil)
}

// Restore puts the files of the held set of this id back.
func (c *Client) Restore(ctx context.Context, id string) error {
	return c.post(ctx, "/v1/approvals/"+url.PathEscape(id), Decision{Decision: "restore"}, nil)
}

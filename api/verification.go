package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Verification says whether all members hold the same.
type Verification struct {
	Equal       bool            `json:"equal" doc:"Every unrevoked member answered, and its elements, view and directory are equal."`
	Definitions int             `json:"definitions" doc:"Definitions in this node's view."`
	Digest      string          `json:"digest" doc:"Digest of this node's view."`
	Members     []MemberVerdict `json:"members" nullable:"false"`
}

// MemberVerdict is what a member answered.
type MemberVerdict struct {
	Name           string `json:"name"`
	ID             string `json:"id" doc:"Peer id."`
	Answered       bool   `json:"answered"`
	SetEqual       bool   `json:"set_equal" doc:"It holds the same elements."`
	ViewEqual      bool   `json:"view_equal" doc:"It computes the same view."`
	DirectoryEqual bool   `json:"directory_equal" doc:"Its directory is what its view says."`
	Difference     string `json:"difference,omitempty" doc:"The first difference and its cause."`
}

type verificationOutput struct{ Body Verification }

func (r routes) verification() {
	handle(r, huma.Operation{
		OperationID: "verify",
		Method:      http.MethodPost,
		Path:        "/v1/verification",
		Summary:     "Ask every member whether it holds the same",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, _ *struct{}) (*verificationOutput, error) {
		v := r.node.Verify(ctx)
		body := Verification{
			Equal:       v.Equal,
			Definitions: v.Definitions,
			Digest:      v.Digest,
			Members:     make([]MemberVerdict, 0, len(v.Members)),
		}
		for _, m := range v.Members {
			body.Members = append(body.Members, MemberVerdict{
				Name:           m.Name,
				ID:             m.ID.String(),
				Answered:       m.Answered,
				SetEqual:       m.SetEqual,
				ViewEqual:      m.ViewEqual,
				DirectoryEqual: m.DirectoryEqual,
				Difference:     m.Difference,
			})
		}
		return &verificationOutput{Body: body}, nil
	})
}

// Verify asks every member whether it holds the same as the node.
func (c *Client) Verify(ctx context.Context) (Verification, error) {
	var v Verification
	err := c.post(ctx, "/v1/verification", nil, &v)
	return v, err
}

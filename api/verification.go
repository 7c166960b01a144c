package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Verification says whether all members hold the same.
type Verification struct {
	Equal       bool            `json:"equal" doc:"Every unrevoked member answered, its elements, view and directory are equal, and no file is held."`
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
	DirectoryEqual bool   `json:"directory_equal" doc:"Its directory is what this node's view says, and holds no file of a mirrored ending or linked folder that is left alone."`
	Difference     string `json:"difference,omitempty" doc:"The first difference and its cause."`

	Held []VerifiedHeldFile `json:"held,omitempty" nullable:"false" doc:"Files in its directory that are left alone until somebody acts."`
}

// VerifiedHeldFile is a file in a member's directory that is left alone.
type VerifiedHeldFile struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
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
			verdict := MemberVerdict{
				Name:           m.Name,
				ID:             m.ID.String(),
				Answered:       m.Answered,
				SetEqual:       m.SetEqual,
				ViewEqual:      m.ViewEqual,
				DirectoryEqual: m.DirectoryEqual,
				Difference:     m.Difference,
			}
			for _, h := range m.Held {
				verdict.Held = append(verdict.Held, VerifiedHeldFile{Path: h.Path, Reason: h.Reason})
			}
			body.Members = append(body.Members, verdict)
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

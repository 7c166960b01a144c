package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// RevocationRequest says who is to be a member no more.
type RevocationRequest struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Member string `json:"member" doc:"Name or peer id of the member."`
	Mode   string `json:"mode" enum:"keep,purge" default:"keep" doc:"keep: what it changed so far stays. purge: none of its changes counts."`
	Last   string `json:"last_change,omitempty" doc:"Under keep: the member's last change that keeps its effect, or the beginning of its id; default the one with the highest number."`
	Reason string `json:"reason,omitempty" doc:"Why; free text that all members can read."`
}

// RevocationEffect is what a revocation takes effect on, as far as this node's
// elements go.
type RevocationEffect struct {
	Name       string   `json:"name" doc:"Name of the member."`
	ID         string   `json:"id" doc:"Peer id of the member."`
	Mode       string   `json:"mode" doc:"keep or purge."`
	Revoked    bool     `json:"revoked" doc:"It was revoked before."`
	Forked     bool     `json:"forked" doc:"Two nodes sign with its key; under keep only the changes of one keep their effect."`
	Made       uint64   `json:"made" doc:"Changes that it has made."`
	Changes    int      `json:"changes" doc:"Those that stand now and lose their effect."`
	Paths      []string `json:"paths" nullable:"false" doc:"Where they stand, and what changes beside them."`
	Gone       []string `json:"gone" nullable:"false" doc:"Those of the paths that have a file now and will have none."`
	LastChange string   `json:"last_change,omitempty" doc:"The last of its changes that keeps its effect; absent if none does."`

	Remains []RemainingField `json:"remains" nullable:"false" doc:"Under purge: what it wrote and others have kept in edits of their own, which stands all the same. The first 1000 fields."`
}

// RemainingField is a value that a purged member wrote, and that stands all the same.
type RemainingField struct {
	Path    string `json:"path"`
	Pointer string `json:"pointer" doc:"JSON pointer of the field; empty for the whole file."`
	Value   string `json:"value" doc:"Its text in the file."`
	Change  string `json:"change" doc:"The change of the member that wrote it."`
	Kept    string `json:"kept" doc:"The change of another that has it."`
	By      string `json:"by" doc:"Name of the node that made that one."`
}

type previewRevocationInput struct {
	Member string `query:"member" required:"true" doc:"Name or peer id of the member."`
	Mode   string `query:"mode" enum:"keep,purge" default:"keep"`
	Last   string `query:"last_change" doc:"Under keep: the last change that keeps its effect; default the one with the highest number."`
}

type revokeInput struct{ Body RevocationRequest }

type revocationOutput struct{ Body RevocationEffect }

func (r routes) revocations() {
	handle(r, huma.Operation{
		OperationID: "preview-revocation",
		Method:      http.MethodGet,
		Path:        "/v1/revocations/preview",
		Summary:     "What a revocation would take effect on",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, in *previewRevocationInput) (*revocationOutput, error) {
		mode, err := trust.ParseRevocationMode(in.Mode)
		if err != nil {
			return nil, newProblem(CodeInvalid, err.Error())
		}
		last, err := r.resolve(ctx, in.Last)
		if err != nil {
			return nil, err
		}
		effect, err := r.node.PreviewRevoke(ctx, node.RevokeOptions{Member: in.Member, Mode: mode, LastChange: last})
		return revocationOf(effect), err
	})

	handle(r, huma.Operation{
		OperationID:   "revoke",
		Method:        http.MethodPost,
		Path:          "/v1/revocations",
		Summary:       "End a membership for good",
		Description:   "Only the node that holds the authority key can, and a revoked key is never granted again.",
		Tags:          []string{tagCluster},
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *revokeInput) (*revocationOutput, error) {
		mode, err := trust.ParseRevocationMode(in.Body.Mode)
		if err != nil {
			return nil, newProblem(CodeInvalid, err.Error())
		}
		last, err := r.resolve(ctx, in.Body.Last)
		if err != nil {
			return nil, err
		}
		effect, err := r.node.Revoke(ctx, node.RevokeOptions{Member: in.Body.Member, Mode: mode, LastChange: last, Reason: in.Body.Reason})
		return revocationOf(effect), err
	})
}

func revocationOf(e node.RevocationEffect) *revocationOutput {
	body := RevocationEffect{
		Name:    e.Name,
		ID:      e.ID.String(),
		Mode:    e.Mode.String(),
		Revoked: e.Revoked,
		Forked:  e.Forked,
		Made:    e.Made,
		Changes: e.Changes,
		Paths:   make([]string, 0, len(e.Paths)),
		Gone:    make([]string, 0, len(e.Gone)),
		Remains: make([]RemainingField, 0, len(e.Remains)),
	}
	for _, f := range e.Remains {
		body.Remains = append(body.Remains, RemainingField{
			Path: f.Path.String(), Pointer: f.Pointer, Value: f.Text, Change: f.Change.String(), Kept: f.Kept.String(), By: f.By,
		})
	}
	for _, p := range e.Paths {
		body.Paths = append(body.Paths, p.String())
	}
	for _, p := range e.Gone {
		body.Gone = append(body.Gone, p.String())
	}
	if !e.LastChange.IsZero() {
		body.LastChange = e.LastChange.String()
	}
	return &revocationOutput{Body: body}
}

// PreviewRevoke asks what a revocation would take effect on.
func (c *Client) PreviewRevoke(ctx context.Context, request RevocationRequest) (RevocationEffect, error) {
	var effect RevocationEffect
	query := url.Values{"member": {request.Member}, "mode": {request.Mode}}
	if request.Last != "" {
		query.Set("last_change", request.Last)
	}
	err := c.get(ctx, "/v1/revocations/preview", query, &effect)
	return effect, err
}

// Revoke ends a membership for good.
func (c *Client) Revoke(ctx context.Context, request RevocationRequest) (RevocationEffect, error) {
	var effect RevocationEffect
	err := c.post(ctx, "/v1/revocations", request, &effect)
	return effect, err
}

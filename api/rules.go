package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Rules says by which version of the merge rules files are merged.
type Rules struct {
	InForce uint32 `json:"in_force" doc:"The version that the authority put in force."`
	Known   uint32 `json:"known" doc:"The highest version that this node's program knows."`
}

// RulesRequest says which version is to be in force.
type RulesRequest struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Version uint32 `json:"version" minimum:"1"`
}

type rulesOutput struct{ Body Rules }

type setRulesInput struct{ Body RulesRequest }

func (r routes) rules() {
	handle(r, huma.Operation{
		OperationID: "get-rules",
		Method:      http.MethodGet,
		Path:        "/v1/rules",
		Summary:     "The merge rules in force",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, _ *struct{}) (*rulesOutput, error) {
		return &rulesOutput{Body: Rules(r.node.Rules(ctx))}, nil
	})

	handle(r, huma.Operation{
		OperationID: "set-rules",
		Method:      http.MethodPut,
		Path:        "/v1/rules",
		Summary:     "Put a version of the merge rules in force",
		Description: "Only the node that holds the authority key can, and there is no way back. A node whose program does not know the version holds merged files until it is upgraded.",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, in *setRulesInput) (*rulesOutput, error) {
		if err := r.node.SetRules(ctx, in.Body.Version); err != nil {
			return nil, err
		}
		return &rulesOutput{Body: Rules(r.node.Rules(ctx))}, nil
	})
}

// Rules asks which merge rules are in force.
func (c *Client) Rules(ctx context.Context) (Rules, error) {
	var rules Rules
	err := c.get(ctx, "/v1/rules", nil, &rules)
	return rules, err
}

// SetRules puts a version of the merge rules in force.
func (c *Client) SetRules(ctx context.Context, version uint32) (Rules, error) {
	var rules Rules
	err := c.send(ctx, http.MethodPut, "/v1/rules", RulesRequest{Version: version}, &rules)
	return rules, err
}

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// InvitationRequest says what a token is to be good for.
type InvitationRequest struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Role  string   `json:"role" enum:"writer,reader" default:"writer"`
	Uses  int      `json:"uses" minimum:"1" maximum:"1000" default:"1" doc:"How many nodes can join with it."`
	TTL   string   `json:"ttl" default:"1h" example:"24h" doc:"How long it is good for, by this node's clock."`
	Paths []string `json:"paths,omitempty" nullable:"false" doc:"Globs of the paths that a writer may edit; all without them."`
}

// Invitation is a token with what it is good for. Whoever has the token can
// join.
type Invitation struct {
	Token   string    `json:"token" doc:"The token, one line. A secret."`
	Role    string    `json:"role"`
	Uses    int       `json:"uses"`
	Paths   []string  `json:"paths,omitempty" nullable:"false"`
	Expires time.Time `json:"expires"`
}

type inviteInput struct{ Body InvitationRequest }

type inviteOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Invitation
}

func (r routes) invitations() {
	handle(r, huma.Operation{
		OperationID:   "invite",
		Method:        http.MethodPost,
		Path:          "/v1/invitations",
		Summary:       "Make a token that lets a new node join",
		Description:   "Only the node that holds the authority key can.",
		Tags:          []string{tagCluster},
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
		role, err := trust.ParseRole(in.Body.Role)
		if err != nil {
			return nil, newProblem(CodeInvalid, err.Error())
		}
		ttl, err := time.ParseDuration(in.Body.TTL)
		if err != nil || ttl <= 0 {
			return nil, newProblem(CodeInvalid, "ttl: want a duration such as 24h")
		}
		token, err := r.node.Invite(ctx, node.InviteOptions{Role: role, Paths: in.Body.Paths, Uses: in.Body.Uses, TTL: ttl})
		if err != nil {
			return nil, err
		}
		text, err := token.Encode()
		if err != nil {
			return nil, err
		}
		return &inviteOutput{CacheControl: "no-store", Body: Invitation{
			Token:   text,
			Role:    token.Role.String(),
			Uses:    token.Uses,
			Paths:   in.Body.Paths,
			Expires: token.Expires,
		}}, nil
	})
}

// Invite makes a token.
func (c *Client) Invite(ctx context.Context, request InvitationRequest) (Invitation, error) {
	var invitation Invitation
	err := c.post(ctx, "/v1/invitations", request, &invitation)
	return invitation, err
}

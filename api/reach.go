package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maxWait bounds how long a request may keep a connection waiting.
const maxWait = time.Hour

// Reach says which reachable members have a change.
type Reach struct {
	Have    []string `json:"have" nullable:"false" doc:"Names of the members that have it, this node among them."`
	Missing []string `json:"missing" nullable:"false" doc:"Names of the reachable members that did not have it when the time was over."`
}

type reachInput struct {
	Change string `path:"change" doc:"Id of a change, or its first characters."`
	Wait   string `query:"wait" default:"0s" example:"30s" doc:"How long to wait for members that lack it, at most 1h."`
}

type reachOutput struct{ Body Reach }

func (r routes) reach() {
	handle(r, huma.Operation{
		OperationID: "get-reach",
		Method:      http.MethodGet,
		Path:        "/v1/changes/{change}/reach",
		Summary:     "Which reachable members have a change",
		Description: "Answers as soon as all of them have it, or when the time to wait is over.",
		Tags:        []string{tagCluster},
	}, func(ctx context.Context, in *reachInput) (*reachOutput, error) {
		wait, err := time.ParseDuration(in.Wait)
		if err != nil || wait < 0 || wait > maxWait {
			return nil, newProblem(CodeInvalid, "wait: want a duration such as 30s, at most 1h")
		}
		id, err := r.resolve(ctx, in.Change)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		reached, err := r.node.WaitFor(ctx, id)
		if err != nil {
			return nil, err
		}
		return &reachOutput{Body: Reach{
			Have:    append([]string{}, reached.Have...),
			Missing: append([]string{}, reached.Missing...),
		}}, nil
	})
}

// Reach waits until all reachable members have the change, at most so long, and
// says who has it.
func (c *Client) Reach(ctx context.Context, change string, wait time.Duration) (Reach, error) {
	var reached Reach
	err := c.get(ctx, "/v1/changes/"+url.PathEscape(change)+"/reach", url.Values{"wait": {wait.String()}}, &reached)
	return reached, err
}

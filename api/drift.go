package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/definition"
)

// DriftList is the paths of which the node's directory holds something else than the
// cluster says, in order.
type DriftList struct {
	Drift    []Drift `json:"drift" nullable:"false"`
	Settling bool    `json:"settling" doc:"Something was saved or arrived just now: the same question may soon have another answer."`
}

// Drift is one path, from what the cluster says to what the directory holds.
type Drift struct {
	Path        string `json:"path"`
	InCluster   bool   `json:"in_cluster" doc:"Whether the cluster says that there is a file."`
	InDirectory bool   `json:"in_directory" doc:"Whether the directory holds a file that can be read."`
	Held        string `json:"held,omitempty" doc:"Why the file is left alone until somebody acts."`
	Comparison
}

type driftInput struct {
	Path string `query:"path" doc:"Only this path, also if there is no difference."`
}

type driftOutput struct{ Body DriftList }

func (r routes) drift() {
	handle(r, huma.Operation{
		OperationID: "list-drift",
		Method:      http.MethodGet,
		Path:        "/v1/drift",
		Summary:     "What differs between the cluster and the node's directory, by structure",
		Description: "What is held, waits for an approval, or was saved just now.",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *driftInput) (*driftOutput, error) {
		var path definition.Path
		if in.Path != "" {
			var err error
			if path, err = parsePath(in.Path); err != nil {
				return nil, err
			}
		}
		drift, settling, err := r.node.Drift(ctx, path)
		if err != nil {
			return nil, err
		}
		body := DriftList{Drift: make([]Drift, 0, len(drift)), Settling: settling}
		for _, d := range drift {
			body.Drift = append(body.Drift, Drift{
				Path:        d.Path,
				InCluster:   d.FromPresent,
				InDirectory: d.ToPresent,
				Held:        d.Held,
				Comparison:  comparisonOf(d.Comparison),
			})
		}
		return &driftOutput{Body: body}, nil
	})
}

// Drift compares the cluster with the node's directory: one path, or all if it is empty.
func (c *Client) Drift(ctx context.Context, path string) (DriftList, error) {
	query := url.Values{}
	if path != "" {
		query.Set("path", path)
	}
	var l DriftList
	err := c.get(ctx, "/v1/drift", query, &l)
	return l, err
}

// DirectoryContent returns the bytes that the node's directory holds for a path.
func (c *Client) DirectoryContent(ctx context.Context, path string) ([]byte, error) {
	var content []byte
	err := c.get(ctx, "/v1/content", url.Values{"path": {path}, "directory": {"true"}}, &content)
	return content, err
}

package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Point is a definition at some point of its history.
type Point struct {
	Path    string `json:"path"`
	Change  string `json:"change,omitempty" doc:"Id of the change that made it so; absent for how it is now."`
	Present bool   `json:"present" doc:"Whether there is a file."`
}

// Difference is what a definition at one point became at another.
type Difference struct {
	From Point `json:"from"`
	To   Point `json:"to"`
	Comparison
}

type differenceInput struct {
	From       string `query:"from" required:"true" doc:"Path of the definition that it begins with."`
	FromChange string `query:"from_change" doc:"As this change made it, by its id or its first characters; as it is now without it."`
	To         string `query:"to" doc:"Path of the definition that it ends with; the same one without it."`
	ToChange   string `query:"to_change" doc:"As this change made it, by its id or its first characters; as it is now without it."`
}

type differenceOutput struct{ Body Difference }

func (r routes) difference() {
	handle(r, huma.Operation{
		OperationID: "compare-definitions",
		Method:      http.MethodGet,
		Path:        "/v1/difference",
		Summary:     "What differs between two versions, by structure",
		Description: "A deletion is no error, but no file.",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *differenceInput) (*differenceOutput, error) {
		if in.To == "" {
			in.To = in.From
		}
		from, err := r.point(ctx, in.From, in.FromChange)
		if err != nil {
			return nil, err
		}
		to, err := r.point(ctx, in.To, in.ToChange)
		if err != nil {
			return nil, err
		}
		d, err := r.node.Compare(ctx, from, to)
		if err != nil {
			return nil, err
		}
		return &differenceOutput{Body: Difference{
			From:       pointOf(from, d.FromPresent),
			To:         pointOf(to, d.ToPresent),
			Comparison: comparisonOf(d.Comparison),
		}}, nil
	})
}

// point parses a path and completes a change's id.
func (r routes) point(ctx context.Context, path, change string) (node.Point, error) {
	p, err := parsePath(path)
	if err != nil {
		return node.Point{}, err
	}
	id, err := r.resolve(ctx, change)
	return node.Point{Path: p, Change: id}, err
}

func pointOf(at node.Point, present bool) Point {
	point := Point{Path: at.Path.String(), Present: present}
	if !at.Change.IsZero() {
		point.Change = at.Change.String()
	}
	return point
}

// Compare asks what differs between two definitions. Of a point, Present is not
// looked at, and Change may be the first characters of an id.
func (c *Client) Compare(ctx context.Context, from, to Point) (Difference, error) {
	query := url.Values{"from": {from.Path}, "to": {to.Path}}
	if from.Change != "" {
		query.Set("from_change", from.Change)
	}
	if to.Change != "" {
		query.Set("to_change", to.Change)
	}
	var d Difference
	err := c.get(ctx, "/v1/difference", query, &d)
	return d, err
}

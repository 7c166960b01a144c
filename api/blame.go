package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Blame is the fields of a definition, in the order of its text.
type Blame struct {
	Fields []BlamedField `json:"fields" nullable:"false"`
}

// BlamedField is one field and the change that wrote the value that it has.
type BlamedField struct {
	Pointer string    `json:"pointer" doc:"JSON pointer of the field; empty if the content has no structure and is blamed whole."`
	Value   string    `json:"value" doc:"Its value's text, as it is in the file."`
	Change  string    `json:"change" doc:"Id of the change that wrote it."`
	Path    string    `json:"path" doc:"Path that the definition had then."`
	Author  string    `json:"author" doc:"Name of the node that made the change."`
	Time    time.Time `json:"time" doc:"When, by the author's clock."`
	Note    string    `json:"note,omitempty" doc:"Why; free text."`
	Actor   string    `json:"actor,omitempty" doc:"Who at the keyboard; free text, not proven."`
}

type blameInput struct {
	Path   string `query:"path" required:"true" doc:"Path of the definition."`
	Change string `query:"change" doc:"As this change made it, by its id or its first characters; as it is now without it."`
}

type blameOutput struct{ Body Blame }

func (r routes) blame() {
	handle(r, huma.Operation{
		OperationID: "blame-definition",
		Method:      http.MethodGet,
		Path:        "/v1/blame",
		Summary:     "Who wrote each field of a definition",
		Description: "The change blamed for a field is the first that wrote the value that stands, through merges, moves and resolutions.",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *blameInput) (*blameOutput, error) {
		at, err := r.point(ctx, in.Path, in.Change)
		if err != nil {
			return nil, err
		}
		fields, err := r.node.Blame(ctx, at)
		if err != nil {
			return nil, err
		}
		body := Blame{Fields: make([]BlamedField, 0, len(fields))}
		for _, f := range fields {
			body.Fields = append(body.Fields, BlamedField{
				Pointer: f.Pointer,
				Value:   f.Text,
				Change:  f.Change.String(),
				Path:    f.Path.String(),
				Author:  f.Author,
				Time:    f.Time,
				Note:    f.Note,
				Actor:   f.Actor,
			})
		}
		return &blameOutput{Body: body}, nil
	})
}

// Blame asks who wrote each field of a definition: of the present one if change is
// empty, else of what this change made.
func (c *Client) Blame(ctx context.Context, path, change string) (Blame, error) {
	query := url.Values{"path": {path}}
	if change != "" {
		query.Set("change", change)
	}
	var b Blame
	err := c.get(ctx, "/v1/blame", query, &b)
	return b, err
}

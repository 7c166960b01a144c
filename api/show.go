package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// ShownChange is one change whole, with what each of its edits changed.
type ShownChange struct {
	ChangeHeader
	Counts bool        `json:"counts" doc:"Whether it has effect; false if its author was revoked before it."`
	Edits  []ShownEdit `json:"edits" nullable:"false"`
}

// ShownEdit is one edit of a change, with what it changed.
type ShownEdit struct {
	ChangeEdit
	Parents []string `json:"parents,omitempty" nullable:"false" doc:"Ids of the changes that it was made on; several if they were merged."`
	Against string   `json:"against,omitempty" doc:"The parent which what changed is told against; absent if there was no file, or if they are several: then it is told against what these merge to."`
	Comparison
}

// Comparison is what one content of a definition became.
type Comparison struct {
	Extent string        `json:"extent" enum:"none,layout,fields,whole" doc:"How much changed. none: no byte. layout: no value. fields: those that are listed. whole: structure gives no answer, as where there is a file on one side only."`
	Fields []FieldChange `json:"fields,omitempty" nullable:"false"`
}

// FieldChange is one field that changed, with its text before and after; absent
// where the field is.
type FieldChange struct {
	Pointer string  `json:"pointer" doc:"JSON pointer of the field: into the new text if it has it, else into the old one."`
	From    *string `json:"from,omitempty"`
	To      *string `json:"to,omitempty"`
}

type showInput struct {
	Change string `path:"change" doc:"Id of a change, or its first characters."`
}

type showOutput struct{ Body ShownChange }

func (r routes) show() {
	handle(r, huma.Operation{
		OperationID: "show-change",
		Method:      http.MethodGet,
		Path:        "/v1/changes/{change}",
		Summary:     "One change whole, with what each of its edits changed",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *showInput) (*showOutput, error) {
		id, err := r.resolve(ctx, in.Change)
		if err != nil {
			return nil, err
		}
		shown, err := r.node.Show(ctx, id)
		if err != nil {
			return nil, err
		}
		body := ShownChange{ChangeHeader: headerOf(shown.Change), Counts: shown.Counts, Edits: make([]ShownEdit, 0, len(shown.Edits))}
		for _, e := range shown.Edits {
			edit := ShownEdit{ChangeEdit: changeEditOf(e.ChangeEdit), Comparison: comparisonOf(e.Comparison)}
			for _, p := range e.Parents {
				edit.Parents = append(edit.Parents, p.Change.String())
			}
			if !e.Against.IsZero() {
				edit.Against = e.Against.Change.String()
			}
			body.Edits = append(body.Edits, edit)
		}
		return &showOutput{Body: body}, nil
	})
}

func comparisonOf(c node.Comparison) Comparison {
	comparison := Comparison{Extent: string(c.Extent)}
	for _, f := range c.Fields {
		comparison.Fields = append(comparison.Fields, FieldChange{Pointer: f.Pointer, From: fieldOf(f.From), To: fieldOf(f.To)})
	}
	return comparison
}

// Show asks for one change whole.
func (c *Client) Show(ctx context.Context, change string) (ShownChange, error) {
	var shown ShownChange
	err := c.get(ctx, "/v1/changes/"+url.PathEscape(change), nil, &shown)
	return shown, err
}

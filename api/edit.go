package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/definition"
)

// maxEditBytes bounds the body of an edit: an element of 768 KiB in base64, and
// room for names. The node splits what is larger than one change can be.
const maxEditBytes = 8 << 20

// Draft is edits to be made as one change, on top of what the node shows now.
type Draft struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Edits  []Edit `json:"edits" nullable:"false" minItems:"1" maxItems:"4096"`
	Strict bool   `json:"strict,omitempty" doc:"Refuse edits that have errors by the rules of check."`
	Note   string `json:"note,omitempty" doc:"Why; free text that all members can read."`
	Actor  string `json:"actor,omitempty" doc:"Who at the keyboard; free text."`
}

// Edit is new bytes for one path, or its deletion.
type Edit struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Path    string `json:"path"`
	Content []byte `json:"content,omitempty" doc:"The bytes, in base64; absent for a deletion."`
	Deleted bool   `json:"deleted,omitempty"`
}

// Edited says what became of a draft: the changes are on this node's disk.
type Edited struct {
	Changes []string `json:"changes" nullable:"false" doc:"Ids of the changes; more than one only if the draft was too large for one."`
}

type editInput struct{ Body Draft }

type editOutput struct{ Body Edited }

func (r routes) edit() {
	handle(r, huma.Operation{
		OperationID:   "edit-definitions",
		Method:        http.MethodPost,
		Path:          "/v1/changes",
		Summary:       "Edit or delete definitions",
		Description:   "Answers when the change is on this node's disk. The directory follows at once, other members as they are reached.",
		Tags:          []string{tagDefinitions},
		MaxBodyBytes:  maxEditBytes,
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *editInput) (*editOutput, error) {
		draft := definition.Draft{Note: in.Body.Note, Actor: in.Body.Actor}
		for _, e := range in.Body.Edits {
			path, err := parsePath(e.Path)
			if err != nil {
				return nil, err
			}
			if e.Deleted && len(e.Content) > 0 {
				return nil, newProblem(CodeInvalid, "edit "+e.Path+": a deletion has no content")
			}
			draft.Edits = append(draft.Edits, definition.Edit{Path: path, Content: e.Content, Deleted: e.Deleted})
		}
		if in.Body.Strict {
			if err := r.node.Review(ctx, draft.Edits); err != nil {
				return nil, err
			}
		}
		versions, err := r.node.Edit(ctx, draft)
		if err != nil {
			return nil, err
		}
		body := Edited{Changes: make([]string, 0, 1)}
		for _, v := range versions {
			if id := v.Change.String(); !slices.Contains(body.Changes, id) {
				body.Changes = append(body.Changes, id)
			}
		}
		return &editOutput{Body: body}, nil
	})
}

// Edit makes the edits and returns when they are on the node's disk.
func (c *Client) Edit(ctx context.Context, d Draft) (Edited, error) {
	var e Edited
	err := c.post(ctx, "/v1/changes", d, &e)
	return e, err
}

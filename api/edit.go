package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

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

	Base []string `json:"base,omitempty" maxItems:"512" doc:"Ids of the changes, or their first characters, that made what was read: the edit is merged with what came since, and is in conflict where both changed the same. Without it the edit is made on what stands now."`
}

// Edited says what became of a draft: the changes are on this node's disk.
type Edited struct {
	Changes []string `json:"changes" nullable:"false" doc:"Ids of the changes; more than one only if the draft was too large for one."`
}

type editInput struct {
	IfMatch string `header:"If-Match" doc:"For one edit: the ETag of the content that was read, as base."`
	Body    Draft
}

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
			parents, err := r.basis(ctx, path, e.Base)
			if err != nil {
				return nil, err
			}
			draft.Edits = append(draft.Edits, definition.Edit{Path: path, Parents: parents, Content: e.Content, Deleted: e.Deleted})
		}
		if tag := changesIn(in.IfMatch); len(tag) > 0 {
			if len(draft.Edits) != 1 || draft.Edits[0].Parents != nil {
				return nil, newProblem(CodeInvalid, "If-Match is for one edit, and in the place of its base")
			}
			var err error
			if draft.Edits[0].Parents, err = r.basis(ctx, draft.Edits[0].Path, tag); err != nil {
				return nil, err
			}
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

// basis returns the versions of a path that changes made; nil for none.
func (r routes) basis(ctx context.Context, path definition.Path, changes []string) ([]definition.Version, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	ids := make([]definition.ChangeID, 0, len(changes))
	for _, c := range changes {
		id, err := r.resolve(ctx, c)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return r.node.Basis(ctx, path, ids)
}

// tagOf returns the ETag of what the heads of a path come to: the ids of their changes.
func tagOf(heads []definition.Version) string {
	ids := make([]string, 0, len(heads))
	for _, h := range heads {
		ids = append(ids, h.Change.String())
	}
	if len(ids) == 0 {
		return ""
	}
	return `"` + strings.Join(ids, ",") + `"`
}

// changesIn returns the changes that an If-Match names; none if it is empty or "*".
func changesIn(tag string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(tag, "W/", ""), func(c rune) bool { return strings.ContainsRune(`", *`, c) })
}

// Edit makes the edits and returns when they are on the node's disk.
func (c *Client) Edit(ctx context.Context, d Draft) (Edited, error) {
	var e Edited
	err := c.post(ctx, "/v1/changes", d, &e)
	return e, err
}

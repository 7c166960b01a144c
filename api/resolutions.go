package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// Resolution says how the conflicts of paths end: by exactly one of take, merged, choices and
// content.
type Resolution struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Paths   []string `json:"paths" nullable:"false" minItems:"1" maxItems:"4096" doc:"Paths, or globs over the paths that have conflicts."`
	Take    string   `json:"take,omitempty" doc:"Id of a change that is a side of the conflicts, or its first characters: in the fields at which it is, what it wrote is to stand."`
	Whole   bool     `json:"whole,omitempty" doc:"With take: the whole file as the change made it, or its deletion, is to stand."`
	Merged  bool     `json:"merged,omitempty" doc:"What stands now is to stand."`
	Fields  []string `json:"fields,omitempty" maxItems:"256" doc:"With take or merged: JSON pointers of the conflicts that end, the empty one for the whole file; the others stay open. All without it."`
	Choices []Choice `json:"choices,omitempty" maxItems:"256" doc:"Fields that are decided one by one, for one path; the conflicts at others stay open."`
	Content []byte   `json:"content,omitempty" doc:"The bytes that are to stand, in base64; for one path."`
	Preview bool     `json:"preview,omitempty" doc:"Only say what would be done."`
	Strict  bool     `json:"strict,omitempty" doc:"Refuse what would have errors by the rules of check."`
	Note    string   `json:"note,omitempty" doc:"Why; free text that all members can read."`
	Actor   string   `json:"actor,omitempty" doc:"Who at the keyboard; free text."`
}

// Choice decides one field.
type Choice struct {
	_ struct{} `json:"-" additionalProperties:"false"`

	Pointer string `json:"pointer" doc:"JSON pointer of the field; empty for the whole file."`
	Take    string `json:"take,omitempty" doc:"Id of the side whose value is to stand; without it what stands now does."`
}

// Resolved says what became of a resolution: the changes are on this node's disk.
type Resolved struct {
	Changes []string       `json:"changes" nullable:"false" doc:"Ids of the changes; more than one only if there was too much for one, none in a preview."`
	Files   []ResolvedFile `json:"files" nullable:"false"`
	Skipped []string       `json:"skipped" nullable:"false" doc:"Paths that a glob matched and no edit can resolve: another path is held in their place."`
}

// ResolvedFile is what a resolution does to one path. It tells what changes against what is now.
type ResolvedFile struct {
	ChangeEdit
	Comparison
	Decided []ResolvedField `json:"decided" nullable:"false" doc:"The fields that were decided; none if it was the whole file."`
	By      string          `json:"by,omitempty" doc:"Name of the node whose whole file was taken."`
	Left    int             `json:"left" doc:"Conflicts of the path that stay open."`
}

// ResolvedField is what stands in a field from now on.
type ResolvedField struct {
	Pointer string  `json:"pointer" doc:"JSON pointer; empty for the whole file."`
	Taken   bool    `json:"taken" doc:"Something else stood before."`
	Value   *string `json:"value,omitempty" doc:"Its text; absent if it was removed, and for the whole file."`
	By      string  `json:"by" doc:"Name of the node that wrote it."`
}

type resolveInput struct{ Body Resolution }

type resolveOutput struct{ Body Resolved }

func (r routes) resolutions() {
	handle(r, huma.Operation{
		OperationID:   "resolve-conflicts",
		Method:        http.MethodPost,
		Path:          "/v1/resolutions",
		Summary:       "End conflicts of definitions, on all nodes",
		Description:   "Makes one change on top of all that is in conflict. Answers when it is on this node's disk.",
		Tags:          []string{tagDefinitions},
		MaxBodyBytes:  maxEditBytes,
		DefaultStatus: http.StatusCreated,
	}, func(ctx context.Context, in *resolveInput) (*resolveOutput, error) {
		take, err := r.resolve(ctx, in.Body.Take)
		if err != nil {
			return nil, err
		}
		resolution := node.Resolution{
			Paths: in.Body.Paths, Take: take, Whole: in.Body.Whole, Merged: in.Body.Merged, Fields: in.Body.Fields, Content: in.Body.Content,
			Strict: in.Body.Strict, Note: in.Body.Note, Actor: in.Body.Actor,
		}
		for _, c := range in.Body.Choices {
			if take, err = r.resolve(ctx, c.Take); err != nil {
				return nil, err
			}
			resolution.Choices = append(resolution.Choices, node.Choice{Pointer: c.Pointer, Take: take})
		}
		do := r.node.ResolveConflicts
		if in.Body.Preview {
			do = r.node.PreviewResolve
		}
		done, err := do(ctx, resolution)
		if err != nil {
			return nil, err
		}
		return resolvedOf(done), nil
	})
}

func resolvedOf(done node.Resolved) *resolveOutput {
	body := Resolved{Changes: make([]string, 0, 1), Files: make([]ResolvedFile, 0, len(done.Files)), Skipped: make([]string, 0, len(done.Skipped))}
	for _, v := range done.Versions {
		if id := v.Change.String(); !slices.Contains(body.Changes, id) {
			body.Changes = append(body.Changes, id)
		}
	}
	for _, f := range done.Files {
		file := ResolvedFile{
			ChangeEdit: changeEditOf(f.ChangeEdit), Comparison: comparisonOf(f.Comparison),
			Decided: make([]ResolvedField, 0, len(f.Fields)), By: f.By, Left: f.Left,
		}
		for _, d := range f.Fields {
			file.Decided = append(file.Decided, ResolvedField{Pointer: d.Pointer, Taken: d.Taken, Value: fieldOf(d.Text), By: d.By})
		}
		body.Files = append(body.Files, file)
	}
	for _, p := range done.Skipped {
		body.Skipped = append(body.Skipped, p.String())
	}
	return &resolveOutput{Body: body}
}

// Resolve ends the conflicts of definitions and returns when that is on the
// node's disk.
func (c *Client) Resolve(ctx context.Context, resolution Resolution) (Resolved, error) {
	var done Resolved
	err := c.post(ctx, "/v1/resolutions", resolution, &done)
	return done, err
}

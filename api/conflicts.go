package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// ConflictList is the open conflicts, by path.
type ConflictList struct {
	Conflicts []Conflict `json:"conflicts" nullable:"false"`
}

// Conflict is something that the merge could not decide for its authors, and that
// nobody has marked as resolved.
type Conflict struct {
	Path     string   `json:"path"`
	Kind     string   `json:"kind" doc:"edits: both sides changed the same. deletion: an edit against a deletion. adopted: a file that a joining node had. path: two paths that cannot both be files. renamed: two sides gave a file another name each, and both files are there. reverted: a save took the file back to what it was before another's edit; listed for a day. duplicate_id: definitions with the same id."`
	Lost     *Side    `json:"lost,omitempty" doc:"Who wrote what does not stand; absent for duplicate_id."`
	Stands   *Side    `json:"stands,omitempty" doc:"Who wrote what stands instead, of another path for the kind path; absent for duplicate_id."`
	Pointers []string `json:"pointers,omitempty" nullable:"false" doc:"JSON pointer of the field that is in conflict, one; absent for the whole file, # for the comments at its head and tail."`
	Field    string   `json:"field_kind,omitempty" doc:"What is in conflict there: field (a value), item (of a list), element (of a set), object, collection or comment; absent for the whole file."`
	Reason   string   `json:"reason,omitempty" doc:"Why it is the whole file."`

	BaseValue   *string `json:"base_value,omitempty" doc:"Text of the field in what both sides were made on; absent if it was not there."`
	LostValue   *string `json:"lost_value,omitempty" doc:"Text of the field as the losing side has it; absent if that removed it."`
	StandsValue *string `json:"stands_value,omitempty" doc:"Text of the field as it stands; absent if it was removed."`

	At    string   `json:"at,omitempty" doc:"The change that was made on top of both sides and did not resolve the conflict."`
	Paths []string `json:"paths,omitempty" nullable:"false" doc:"The definitions with the same id."`
}

// Side is one side of a conflict.
type Side struct {
	Path    string    `json:"path"`
	Change  string    `json:"change" doc:"Id of the change that made it."`
	Author  string    `json:"author" doc:"Name of the node that made it."`
	Time    time.Time `json:"time" doc:"When, by the author's clock."`
	Size    int       `json:"size" doc:"Bytes."`
	Deleted bool      `json:"deleted" doc:"The side is a deletion."`
}

// Dispute is all that is to be seen of one path's conflicts. Its texts are for
// people; the exact bytes of a side are those of its path and change.
type Dispute struct {
	Path      string             `json:"path"`
	Now       *string            `json:"now,omitempty" doc:"The text that stands now; absent if there is no file."`
	Conflicts []DisputedConflict `json:"conflicts" nullable:"false"`
}

// DisputedConflict is a conflict with the whole texts of its sides.
type DisputedConflict struct {
	Conflict
	Base       string  `json:"base,omitempty" doc:"The latest change that both sides were made on; absent if there is none."`
	BaseText   *string `json:"base_text,omitempty"`
	LostText   *string `json:"lost_text,omitempty" doc:"Absent for a deletion."`
	StandsText *string `json:"stands_text,omitempty" doc:"Absent for a deletion."`
}

type conflictsInput struct {
	Match string `query:"match" doc:"Glob over paths, with ** for folders; all conflicts without it." example:"oauth/**/*.json"`
}

type conflictsOutput struct{ Body ConflictList }

type disputeInput struct {
	Path string `query:"path" required:"true" doc:"Path of the definition."`
}

type disputeOutput struct{ Body Dispute }

func (r routes) conflicts() {
	handle(r, huma.Operation{
		OperationID: "list-conflicts",
		Method:      http.MethodGet,
		Path:        "/v1/conflicts",
		Summary:     "What the merge could not decide, and nobody has resolved",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *conflictsInput) (*conflictsOutput, error) {
		conflicts, err := r.node.Conflicts(ctx, in.Match)
		if err != nil {
			return nil, err
		}
		body := ConflictList{Conflicts: make([]Conflict, 0, len(conflicts))}
		for _, c := range conflicts {
			body.Conflicts = append(body.Conflicts, conflictOf(c))
		}
		return &conflictsOutput{Body: body}, nil
	})

	handle(r, huma.Operation{
		OperationID: "get-dispute",
		Method:      http.MethodGet,
		Path:        "/v1/conflicts/show",
		Summary:     "The conflicts of one definition, with the texts of all sides",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *disputeInput) (*disputeOutput, error) {
		path, err := parsePath(in.Path)
		if err != nil {
			return nil, err
		}
		d, err := r.node.Dispute(ctx, path)
		if err != nil {
			return nil, err
		}
		body := Dispute{
			Path:      d.Path.String(),
			Now:       textOf(d.Content, d.Present),
			Conflicts: make([]DisputedConflict, 0, len(d.Conflicts)),
		}
		for _, c := range d.Conflicts {
			body.Conflicts = append(body.Conflicts, disputedOf(c))
		}
		return &disputeOutput{Body: body}, nil
	})
}

func conflictOf(c node.Conflict) Conflict {
	conflict := Conflict{
		Path: c.Path.String(), Kind: string(c.Kind), Lost: sideOf(c.Lost), Stands: sideOf(c.Stands), Field: string(c.FieldKind), Reason: c.Reason,
		BaseValue: fieldOf(c.Base), LostValue: fieldOf(c.LostText), StandsValue: fieldOf(c.StandsText),
	}
	if c.Pointer != "" {
		conflict.Pointers = []string{c.Pointer}
	}
	for _, p := range c.Paths {
		conflict.Paths = append(conflict.Paths, p.String())
	}
	if !c.At.IsZero() {
		conflict.At = c.At.String()
	}
	return conflict
}

func sideOf(s node.Side) *Side {
	if s.IsZero() {
		return nil
	}
	return &Side{
		Path:    s.Path.String(),
		Change:  s.Change.String(),
		Author:  s.Author,
		Time:    s.Time,
		Size:    s.Size,
		Deleted: s.Deleted,
	}
}

func disputedOf(c node.DisputedConflict) DisputedConflict {
	disputed := DisputedConflict{
		Conflict:   conflictOf(c.Conflict),
		BaseText:   textOf(c.FromFile, c.FromFile != nil),
		LostText:   textOf(c.LostFile, !c.Lost.Deleted),
		StandsText: textOf(c.StandsFile, !c.Stands.Deleted),
	}
	if !c.From.IsZero() {
		disputed.Base = c.From.Change.String()
	}
	return disputed
}

func fieldOf(f definition.FieldText) *string {
	if !f.Present {
		return nil
	}
	return &f.Text
}

func textOf(content []byte, present bool) *string {
	if !present {
		return nil
	}
	text := string(content)
	return &text
}

// Conflicts lists the open conflicts of the paths that a glob matches, all if it
// is empty.
func (c *Client) Conflicts(ctx context.Context, match string) (ConflictList, error) {
	query := url.Values{}
	if match != "" {
		query.Set("match", match)
	}
	var l ConflictList
	err := c.get(ctx, "/v1/conflicts", query, &l)
	return l, err
}

// Dispute asks for the conflicts of one definition with the texts of all sides.
func (c *Client) Dispute(ctx context.Context, path string) (Dispute, error) {
	var d Dispute
	err := c.get(ctx, "/v1/conflicts/show", url.Values{"path": {path}}, &d)
	return d, err
}

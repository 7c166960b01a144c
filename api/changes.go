package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// ChangeList is changes, newest first.
type ChangeList struct {
	Changes []Change `json:"changes" nullable:"false"`
}

// Change is an atomic batch of edits by one node.
type Change struct {
	ChangeHeader
	Edits []ChangeEdit `json:"edits" nullable:"false"`
}

// ChangeHeader is who made a change, when and why.
type ChangeHeader struct {
	ID     string    `json:"id" doc:"Id of the change, 52 characters of base32."`
	Author string    `json:"author" doc:"Name of the node that made it."`
	Peer   string    `json:"peer" doc:"Peer id of the node that made it."`
	Seq    uint64    `json:"seq" doc:"Which of its author's changes this is, from 1."`
	Time   time.Time `json:"time" doc:"When, by the author's clock."`
	Note   string    `json:"note,omitempty" doc:"Why; free text."`
	Actor  string    `json:"actor,omitempty" doc:"Who at the keyboard; free text, not proven."`
}

// ChangeEdit is what a change does to one path.
type ChangeEdit struct {
	Path      string `json:"path"`
	Kind      string `json:"kind" doc:"create, edit, delete, adopt or move."`
	Size      int    `json:"size,omitempty" doc:"Bytes; absent for a deletion."`
	Hash      string `json:"hash,omitempty" doc:"SHA-256 of the bytes in lower-case base32; absent for a deletion."`
	MovedFrom string `json:"moved_from,omitempty" doc:"The path that a move came from."`
	Resolves  bool   `json:"resolves,omitempty" doc:"It ended the conflicts of its path, or those of resolved_fields."`

	ResolvedFields []string `json:"resolved_fields,omitempty" nullable:"false" doc:"JSON pointers of the conflicts that it ended, if it did not end all; empty for the whole file."`
	Returned       bool     `json:"returned,omitempty" doc:"It is a save that took the file back to what it was before another's edit."`
	BackTo         string   `json:"back_to,omitempty" doc:"Id of the change whose bytes a save that returned has again."`
	Older          string   `json:"older,omitempty" doc:"Id of the change that it was made on, if its node had a newer version already: it was taken as an edit of that older one."`
}

// ChangesQuery selects changes; its zero value selects the newest of all.
type ChangesQuery struct {
	Path         string    // only those that edit it, or what was moved to it
	Author       string    // only those by the node of this name or peer id, or by this actor
	Since, Until time.Time // only those made not before, and not after; zero is no bound
	Limit        int       // at most so many; 0 is the node's default, 100
	Before       string    // only those that come after this one in the list, for paging
}

type changesInput struct {
	Path   string    `query:"path" doc:"Only changes that edit this path, or what was moved to it."`
	Author string    `query:"author" doc:"Only changes by the node of this name or peer id, or by this actor."`
	Since  time.Time `query:"since" doc:"Only changes made at this time or later, by their authors' clocks."`
	Until  time.Time `query:"until" doc:"Only changes made at this time or earlier, by their authors' clocks."`
	Limit  int       `query:"limit" minimum:"1" maximum:"10000" default:"100" doc:"At most so many."`
	Before string    `query:"before" doc:"The last id of the page before this one, or its first characters."`
}

type changesOutput struct{ Body ChangeList }

func (r routes) changes() {
	r.edit()
	r.reach()
	r.show()
	r.watch()
	r.difference()
	r.drift()
	r.blame()
	handle(r, huma.Operation{
		OperationID: "list-changes",
		Method:      http.MethodGet,
		Path:        "/v1/changes",
		Summary:     "History, newest first",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *changesInput) (*changesOutput, error) {
		query := node.LogQuery{Author: in.Author, Since: in.Since, Until: in.Until, Limit: in.Limit}
		var err error
		if in.Path != "" {
			if query.Path, err = parsePath(in.Path); err != nil {
				return nil, err
			}
		}
		if query.Before, err = r.resolve(ctx, in.Before); err != nil {
			return nil, err
		}
		changes, err := r.node.Log(ctx, query)
		if err != nil {
			return nil, err
		}
		body := ChangeList{Changes: make([]Change, 0, len(changes))}
		for _, change := range changes {
			body.Changes = append(body.Changes, changeOf(change))
		}
		return &changesOutput{Body: body}, nil
	})
}

func changeOf(c node.Change) Change {
	change := Change{ChangeHeader: headerOf(c), Edits: make([]ChangeEdit, 0, len(c.Edits))}
	for _, e := range c.Edits {
		change.Edits = append(change.Edits, changeEditOf(e))
	}
	return change
}

func headerOf(c node.Change) ChangeHeader {
	return ChangeHeader{
		ID:     c.ID.String(),
		Author: c.Author,
		Peer:   c.Peer.String(),
		Seq:    c.Seq,
		Time:   c.Time,
		Note:   c.Note,
		Actor:  c.Actor,
	}
}

func changeEditOf(e node.ChangeEdit) ChangeEdit {
	edit := ChangeEdit{
		Path:      e.Path.String(),
		Kind:      string(e.Kind),
		Size:      e.Size,
		MovedFrom: e.MovedFrom.String(),
		Resolves:  e.Resolves,
		Returned:  e.Returned,

		ResolvedFields: e.Resolved,
	}
	if !e.BackTo.IsZero() {
		edit.BackTo = e.BackTo.String()
	}
	if !e.Older.IsZero() {
		edit.Older = e.Older.String()
	}
	if e.Hash != (definition.Hash{}) {
		edit.Hash = e.Hash.String()
	}
	return edit
}

// Changes lists changes, newest first.
func (c *Client) Changes(ctx context.Context, q ChangesQuery) (ChangeList, error) {
	query := url.Values{}
	if q.Path != "" {
		query.Set("path", q.Path)
	}
	if q.Author != "" {
		query.Set("author", q.Author)
	}
	setTime(query, "since", q.Since)
	setTime(query, "until", q.Until)
	if q.Limit != 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Before != "" {
		query.Set("before", q.Before)
	}
	var l ChangeList
	err := c.get(ctx, "/v1/changes", query, &l)
	return l, err
}

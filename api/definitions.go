package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/definition"
)

// DefinitionList is the definitions that the directory should hold, by path.
type DefinitionList struct {
	Definitions []Definition `json:"definitions" nullable:"false"`
}

// Definition is one definition as it is now.
type Definition struct {
	Path      string    `json:"path"`
	Size      int       `json:"size" doc:"Bytes."`
	Hash      string    `json:"hash" doc:"SHA-256 of the bytes in lower-case base32."`
	Change    string    `json:"change" doc:"Id of the change whose bytes stand."`
	Author    string    `json:"author" doc:"Name of the node that made it."`
	Time      time.Time `json:"time" doc:"When, by the author's clock."`
	Conflicts int       `json:"conflicts" doc:"Merges of this path that could not honour all sides."`
}

type definitionsInput struct {
	Match string    `query:"match" doc:"Glob over paths, with ** for folders; all definitions without it." example:"oauth/**/*.json"`
	At    time.Time `query:"at" doc:"List what was there at this time; what is there now without it."`
}

type definitionsOutput struct{ Body DefinitionList }

type contentInput struct {
	Path   string    `query:"path" required:"true" doc:"Path of the definition."`
	Change string    `query:"change" doc:"As this change made it, by its id or its first characters (at least 4)."`
	At     time.Time `query:"at" doc:"As it was at this time. With neither change nor at, as it is now."`

	Directory bool `query:"directory" doc:"As the node's directory holds it, whatever the cluster says."`
}

type contentOutput struct {
	ContentType string `header:"Content-Type"`
	Etag        string `header:"Etag" doc:"The changes that made it, several if they are merged; for If-Match. Not of the directory."`
	Body        []byte
}

func (r routes) definitions() {
	handle(r, huma.Operation{
		OperationID: "list-definitions",
		Method:      http.MethodGet,
		Path:        "/v1/definitions",
		Summary:     "What the directory should hold, now or at a time",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *definitionsInput) (*definitionsOutput, error) {
		entries, err := r.node.ListAt(ctx, in.Match, in.At)
		if err != nil {
			return nil, err
		}
		body := DefinitionList{Definitions: make([]Definition, 0, len(entries))}
		for _, e := range entries {
			body.Definitions = append(body.Definitions, Definition{
				Path:      e.Path.String(),
				Size:      e.Size,
				Hash:      e.Hash.String(),
				Change:    e.Change.String(),
				Author:    e.Author,
				Time:      e.Time,
				Conflicts: e.Conflicts,
			})
		}
		return &definitionsOutput{Body: body}, nil
	})

	handle(r, huma.Operation{
		OperationID: "get-content",
		Method:      http.MethodGet,
		Path:        "/v1/content",
		Summary:     "The bytes of a definition, now, at a time, or as a change made them",
		Tags:        []string{tagDefinitions},
		Responses: map[string]*huma.Response{"200": {
			Description: "The bytes, verbatim.",
			Content:     map[string]*huma.MediaType{"application/octet-stream": {}},
		}},
	}, func(ctx context.Context, in *contentInput) (*contentOutput, error) {
		path, err := parsePath(in.Path)
		if err != nil {
			return nil, err
		}
		var content []byte
		var made []definition.Version
		switch {
		case in.Change != "" && !in.At.IsZero(), in.Directory && (in.Change != "" || !in.At.IsZero()):
			return nil, newProblem(CodeInvalid, "say one of a change, a time and the directory")
		case in.Directory:
			content, err = r.node.ReadDirectory(ctx, path)
		case in.Change == "":
			var view definition.View
			view, content, err = r.node.ReadView(ctx, path, in.At)
			made = view.Heads
		default:
			var id definition.ChangeID
			if id, err = r.resolve(ctx, in.Change); err == nil {
				made = []definition.Version{{Change: id, Path: path}}
				content, err = r.node.Read(ctx, path, id)
			}
		}
		if err != nil {
			return nil, err
		}
		return &contentOutput{ContentType: "application/octet-stream", Etag: tagOf(made), Body: content}, nil
	})
}

// parsePath parses a path that the client sent; a bad one is its mistake.
func parsePath(s string) (definition.Path, error) {
	path, err := definition.ParsePath(s)
	if err != nil {
		return definition.Path{}, newProblem(CodeInvalid, err.Error())
	}
	return path, nil
}

// resolve completes the first characters of a change id; of none, the zero id.
func (r routes) resolve(ctx context.Context, prefix string) (definition.ChangeID, error) {
	if prefix == "" {
		return definition.ChangeID{}, nil
	}
	return r.node.Resolve(ctx, prefix)
}

// Definitions lists the definitions whose path matches the glob; all if it is
// empty.
func (c *Client) Definitions(ctx context.Context, match string) (DefinitionList, error) {
	return c.DefinitionsAt(ctx, match, time.Time{})
}

// DefinitionsAt lists as Definitions does what was there at a time, now if it is zero.
func (c *Client) DefinitionsAt(ctx context.Context, match string, at time.Time) (DefinitionList, error) {
	query := url.Values{}
	if match != "" {
		query.Set("match", match)
	}
	setTime(query, "at", at)
	var l DefinitionList
	err := c.get(ctx, "/v1/definitions", query, &l)
	return l, err
}

// Content returns the bytes of a definition: the present ones if change is
// empty, else those that this change made.
func (c *Client) Content(ctx context.Context, path, change string) ([]byte, error) {
	query := url.Values{"path": {path}}
	if change != "" {
		query.Set("change", change)
	}
	var content []byte
	err := c.get(ctx, "/v1/content", query, &content)
	return content, err
}

// ContentAt returns the bytes of a definition at a time, now if it is zero.
func (c *Client) ContentAt(ctx context.Context, path string, at time.Time) ([]byte, error) {
	query := url.Values{"path": {path}}
	setTime(query, "at", at)
	var content []byte
	err := c.get(ctx, "/v1/content", query, &content)
	return content, err
}

// setTime sets a query parameter, unless the time is zero.
func setTime(query url.Values, name string, t time.Time) {
	if !t.IsZero() {
		query.Set(name, t.Format(time.RFC3339Nano))
	}
}

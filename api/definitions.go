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
	Match string `query:"match" doc:"Glob over paths, with ** for folders; all definitions without it." example:"oauth/**/*.json"`
}

type definitionsOutput struct{ Body DefinitionList }

type contentInput struct {
	Path   string `query:"path" required:"true" doc:"Path of the definition."`
	Change string `query:"change" doc:"Id of a change, or its first characters (at least 4); the present bytes without it."`
}

type contentOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (r routes) definitions() {
	handle(r, huma.Operation{
		OperationID: "list-definitions",
		Method:      http.MethodGet,
		Path:        "/v1/definitions",
		Summary:     "What the directory should hold",
		Tags:        []string{tagDefinitions},
	}, func(ctx context.Context, in *definitionsInput) (*definitionsOutput, error) {
		entries, err := r.node.List(ctx, in.Match)
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
		Summary:     "The bytes of a definition, now or as a change made them",
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
		at, err := r.resolve(ctx, in.Change)
		if err != nil {
			return nil, err
		}
		content, err := r.node.Read(ctx, path, at)
		if err != nil {
			return nil, err
		}
		return &contentOutput{ContentType: "application/octet-stream", Body: content}, nil
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
	query := url.Values{}
	if match != "" {
		query.Set("match", match)
	}
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

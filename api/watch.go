package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/starling-sync/starling/node"
)

// jsonLines is the media type of a stream of JSON values, one a line.
const jsonLines = "application/jsonl"

// WatchQuery selects changes; its zero value selects all from now on.
type WatchQuery struct {
	// Match are globs over paths: only edits that one of them matches, and changes
	// that have such an edit. All if there is none.
	Match []string
	// Path and Author select changes as those of ChangesQuery do.
	Path, Author string
	// Since is the id of a change that was read, or its first characters: the stream
	// goes on after it, on whatever node. What was made without knowledge of it may
	// come twice; nothing is left out.
	Since string
}

type watchInput struct {
	Match  []string `query:"match,explode" nullable:"false" doc:"Globs over paths, with ** for folders: only edits that one of them matches, and changes that have such an edit. All without it." example:"[\"oauth/**/*.json\"]"`
	Path   string   `query:"path" doc:"Only changes that edit this path, with all their edits."`
	Author string   `query:"author" doc:"Only changes by the node of this name or peer id, or by this actor."`
	Since  string   `query:"since" doc:"Id of a change that was read, or its first characters: go on after it, on whatever node. What was made without knowledge of it may come twice, nothing is left out. Without it: from now on."`
}

func (r routes) watch() {
	schemas := r.api.OpenAPI().Components.Schemas
	line := &huma.Schema{
		Title: "One line",
		OneOf: []*huma.Schema{
			schemas.Schema(reflect.TypeFor[Change](), true, ""),
			schemas.Schema(reflect.TypeFor[Problem](), true, ""),
		},
	}
	handle(r, huma.Operation{
		OperationID: "watch-changes",
		Method:      http.MethodGet,
		Path:        "/v1/watch",
		Summary:     "Changes as they land on this node, ancestors first",
		Description: "Never ends by itself: one JSON value a line, a change or, as the last one, the problem that ends the stream; unavailable is a node that stops. The answer begins at once, and what lands from then on is in it.",
		Tags:        []string{tagDefinitions},
		Responses: map[string]*huma.Response{"200": {
			Description: "JSON lines.",
			Content:     map[string]*huma.MediaType{jsonLines: {Schema: line}},
		}},
	}, func(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
		since, err := r.resolve(ctx, in.Since)
		if err != nil {
			return nil, err
		}
		watched := node.WatchQuery{Globs: in.Match, Author: in.Author, Since: since}
		if in.Path != "" {
			if watched.Path, err = parsePath(in.Path); err != nil {
				return nil, err
			}
		}
		watch, err := r.node.Watch(watched)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) { stream(ctx, watch) }}, nil
	})
}

// stream writes changes until the reader goes away or the node stops. A reader that is
// slow holds up this request alone.
func stream(ctx huma.Context, watch *node.Watch) {
	ctx.SetHeader("Content-Type", jsonLines)
	ctx.SetStatus(http.StatusOK)
	flusher, _ := ctx.BodyWriter().(http.Flusher)
	lines := json.NewEncoder(ctx.BodyWriter())
	for {
		flusher.Flush() // the headers too: they tell the reader that it misses nothing from now on
		change, err := watch.Next(ctx.Context())
		if ctx.Context().Err() != nil {
			err = newProblem(CodeUnavailable, "the node stops")
		}
		if err != nil {
			_ = lines.Encode(problemOf(err)) // nobody may read it any more
			return
		}
		if err := lines.Encode(changeOf(change)); err != nil {
			return
		}
	}
}

// Watch is a stream of changes. It is for one goroutine.
type Watch struct {
	body  io.ReadCloser
	lines *json.Decoder
}

// Watch begins to read the changes that a query selects, in the order in which they
// land on the node: what lands after it has returned is read. The stream ends with the
// context, or by Close.
func (c *Client) Watch(ctx context.Context, q WatchQuery) (*Watch, error) {
	query := url.Values{}
	if len(q.Match) > 0 {
		query["match"] = q.Match
	}
	for name, value := range map[string]string{"path": q.Path, "author": q.Author, "since": q.Since} {
		if value != "" {
			query.Set(name, value)
		}
	}
	response, err := c.open(ctx, http.MethodGet, "/v1/watch?"+query.Encode(), nil) //nolint:bodyclose // Watch.Close closes it
	if err != nil {
		return nil, err
	}
	return &Watch{body: response.Body, lines: json.NewDecoder(response.Body)}, nil
}

// Next returns the next change, and blocks until there is one. Errors wrap ErrNoNode
// once the node is gone, or are a *Problem; CodeUnavailable is a node that stops.
func (w *Watch) Next() (Change, error) {
	var line struct {
		Change
		Problem
	}
	err := w.lines.Decode(&line)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Change{}, fmt.Errorf("watch: %w any more", ErrNoNode)
	case err != nil:
		return Change{}, fmt.Errorf("watch: %w", err)
	case line.Code != "":
		return Change{}, &line.Problem
	}
	return line.Change, nil
}

// Close ends the stream.
func (w *Watch) Close() { w.body.Close() }

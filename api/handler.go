package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/starling-sync/starling/node"
)

// Version is the version of the API: the first part is that of the routes, /v1.
const Version = "1.0.0"

const (
	tagNode        = "node"
	tagDefinitions = "definitions"
	tagCluster     = "cluster"
)

// routes registers each resource's operations for one node.
type routes struct {
	api  huma.API
	node *node.Node
}

// NewHandler returns the API of n. It serves until the connections are closed;
// it starts nothing.
func NewHandler(n *node.Node) http.Handler {
	mux := http.NewServeMux()
	newAPI(mux, n)
	return mux
}

// OpenAPI returns the description of the API as YAML.
func OpenAPI() ([]byte, error) { return newAPI(http.NewServeMux(), nil).OpenAPI().YAML() }

func newAPI(mux *http.ServeMux, n *node.Node) huma.API {
	config := huma.DefaultConfig("Starling", Version)
	config.Info.Description = "Admin interface of a Starling node, served on a unix socket whose file mode decides who may use it."
	config.DocsPath = ""     // the library's page loads scripts from outside
	config.SchemasPath = ""  // all of them are in /openapi.json
	config.CreateHooks = nil // no "$schema" in answers
	config.Transformers = []huma.Transformer{asProblem}
	config.RejectUnknownQueryParameters = true
	config.AllowAdditionalPropertiesByDefault = true // answers may grow; requests say for themselves that they are strict

	r := routes{api: humago.New(mux, config), node: n}
	r.status()
	r.peers()
	r.definitions()
	r.changes()
	r.conflicts()
	r.resolutions()
	r.reversions()
	r.rollbacks()
	r.verification()
	r.approvals()
	r.marking()
	r.invitations()
	r.revocations()
	r.rules()
	health(mux, n)

	// The library describes errors by its own type; ours has replaced it.
	schemas := r.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	return r.api
}

// handle registers one operation and turns the errors of its handler into
// Problems.
func handle[In, Out any](r routes, op huma.Operation, handler func(context.Context, *In) (*Out, error)) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{
		Description: "What went wrong.",
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")},
		},
	}
	huma.Register(r.api, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

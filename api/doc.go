// Package api is the admin interface of a running node: an HTTP API on a unix
// socket, and the Go client that the command line uses for everything it asks
// of a node.
//
// The flow of a request: the client dials the socket, the file mode of which
// decides who may; a route parses its input into types that prove it valid,
// calls one method of node.Node, and answers with a resource of this package. A
// failure is answered as a Problem (RFC 9457) with a stable code.
//
// Each file holds one resource whole: its JSON type, its routes and the methods
// of the client. The JSON is stable: fields are added, never renamed or removed,
// lists come inside an object. The routes are described by OpenAPI 3.1 at
// /openapi.json and /openapi.yaml, made from these types; openapi.yaml in this
// folder is a copy for readers and for review of what a change does to it.
//
// There is no authentication beside the socket's file mode: whoever may open it
// acts as the node. Do not put it behind a TCP proxy.
package api

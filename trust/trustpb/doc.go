// Package trustpb is the wire form of package trust: statements, tokens, the join
// protocol. It is generated from the .proto files beside it by `make generate`.
// Only package trust uses it, for the types there check what these cannot.
package trustpb

// Package trustpb is the wire form of the statements of package trust, generated
// from its .proto files. Nothing but package trust reads or writes it: the types
// there check what these cannot.
package trustpb

//go:generate go tool -modfile=../../tools.mod buf generate

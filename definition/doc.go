// Package definition says what a definition file is: its path, its syntax (JSON,
// HJSON, YAML), the rules of its kind, and the nouns that the other packages
// share about it (version, edit, draft, view, conflict).
//
// Everything here is pure: no I/O, no clocks, no goroutines, no global state.
// It imports nothing else of Starling, so every other package may import it.
package definition

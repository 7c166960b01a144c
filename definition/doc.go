// Package definition says what a definition file is: its path, its syntax (JSON,
// HJSON, YAML), what Apereo CAS sees in it, and the nouns that the other packages
// share about it (version, edit, draft, view, conflict).
//
// Everything here is pure: no I/O, no clocks, no goroutines, no global state. It
// imports nothing else of Starling, so every other package may import it.
//
// The one flow: ParsePath proves that a name is a definition's, Parse turns the file's
// bytes into a Document or says in which line they are wrong, and Document.Service reads
// the few fields that CAS identifies a service by:
//
//	path, err := definition.ParsePath("services/Portal-1000.json")
//	doc, err := definition.Parse(path, content)
//	id, ok := doc.Service().ID()
//
// A Document is for looking only. What is replicated are the bytes, verbatim: nothing
// here writes a definition from values, so no number, comment or order can be lost.
//
// Merge joins what two sides made of one base, Diff tells what changed between two
// versions. Both parse the texts into trees of nodes, which know the extent of each value's
// text (JSON's come from its reader, YAML's are located after it) and a number that is
// equal for equal values. Merge then walks three trees at once, decides for each value
// which side's it is, and splices the earlier side's pieces into the later side's text:
// between brackets and commas, or between the lines of YAML's block style. It reads the
// result again, and gives up unless that holds exactly the values decided on:
//
//	merged, err := definition.Merge(path, base, later, earlier)
//	changes, err := definition.Diff(path, from, to)
//
// Caveats. That a text parses does not mean that it is all of the file: the beginning of
// a YAML file often parses, see Document.Complete. Parsing is lenient and is no
// validation: what CAS cannot load may still be a definition. Node must agree with node
// on what parses, on the kind of a collection, on every byte that Merge gives and on
// FoldKey, so these belong to the merge version; YAML and Unicode tables come from libraries, whose update can be a
// new one.
package definition

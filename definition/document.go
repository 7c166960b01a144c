package definition

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the greatest size of a definition's content, in bytes.
const MaxSize = 256 << 10

// maxDepth is how deep objects and arrays may nest. It bounds the stack of every
// function that walks a document.
const maxDepth = 100

// Syntax is the language that a document is written in.
type Syntax uint8

const (
	// Opaque is content that Starling gives no structure to: endings other than
	// .json, .yml and .yaml.
	Opaque Syntax = iota
	// JSON is RFC 8259, and on top of it comments by // and /* */ and a comma
	// after the last element.
	JSON
	// HJSON (https://hjson.github.io) is what Apereo CAS reads in .json files: JSON
	// with # comments, quotes and commas left out, and strings over several lines.
	HJSON
	// YAML is one YAML document.
	YAML
)

// String returns the syntax's name in lower case.
func (s Syntax) String() string {
	switch s {
	case JSON:
		return "json"
	case HJSON:
		return "hjson"
	case YAML:
		return "yaml"
	}
	return "opaque"
}

// Document is the parsed form of a definition's content. The zero Document is
// opaque content. It keeps no reference to the content's bytes.
type Document struct {
	syntax   Syntax
	root     Value
	enclosed bool
	comments []span // of JSON and HJSON
}

// Syntax returns the language that the document is written in.
func (d Document) Syntax() Syntax { return d.syntax }

// Root returns the outermost object or array, or the zero Value if the document
// is Opaque.
func (d Document) Root() Value { return d.root }

// Complete reports whether the content was surely all of the file, so that no
// writer in place can have been half done: its root is enclosed in braces or
// brackets, and the closing one was there. It is false for Opaque content, for
// YAML, and for HJSON without outer braces, where the beginning of a file can
// parse like a whole one.
func (d Document) Complete() bool { return d.enclosed }

// Parse reads a definition's content in the syntax that the path's ending names:
// JSON or HJSON for .json, YAML for .yml and .yaml. Any other ending gives an
// Opaque document, whatever the content is.
//
// It is lenient in syntax, as Apereo CAS is, and strict in what could be
// misread: content is UTF-8, its root is an object or an array (so an empty or
// garbled file is none), no key comes twice in an object, nesting and the
// expansion of YAML aliases are bounded, and a YAML stream has one document.
//
// The error wraps ErrTooLarge or is a *SyntaxError. Parse neither keeps nor
// changes content.
func Parse(path Path, content []byte) (Document, error) {
	doc, _, err := parseDocument(path, content)
	return doc, err
}

// parseDocument is Parse that also returns the YAML library's tree, if content is YAML.
func parseDocument(path Path, content []byte) (doc Document, yamlRoot *yaml.Node, err error) {
	if len(content) > MaxSize {
		return Document{}, nil, fmt.Errorf("parse %s: %w: %d bytes, at most %d", path, ErrTooLarge, len(content), MaxSize)
	}
	switch path.Ext() {
	case ".json":
		doc, err = parseHJSON(content)
	case ".yml", ".yaml":
		doc, yamlRoot, err = parseYAML(content)
	}
	if err != nil {
		return Document{}, nil, fmt.Errorf("parse %s: %w", path, err)
	}
	return doc, yamlRoot, nil
}

package definition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxExpansion is how many values a YAML document may have once its aliases are
// replaced by what they refer to. No content of MaxSize bytes has more without
// aliases; with them, ten lines could exceed any memory.
const maxExpansion = MaxSize / 2

// parseYAML parses the content of a .yml or .yaml file. The YAML library reads the
// text; what its tree, which is returned too, means is decided here.
func parseYAML(content []byte) (Document, *yaml.Node, error) {
	if err := checkText(content); err != nil {
		return Document{}, nil, err
	}
	loader, err := yaml.NewLoader(bytes.NewReader(asYAML11(content)), yaml.WithUniqueKeys(false))
	if err != nil {
		return Document{}, nil, fmt.Errorf("set up the YAML reader: %w", err)
	}
	var stream, next yaml.Node
	switch err := loader.Load(&stream); {
	case errors.Is(err, io.EOF):
		return Document{}, nil, syntaxErrorAt(content, len(content), "the file holds no definition")
	case err != nil:
		return Document{}, nil, yamlSyntaxError(content, err)
	}
	switch err := loader.Load(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return Document{}, nil, yamlSyntaxError(content, err)
	default:
		return Document{}, nil, nodeError(&next, "a second YAML document begins here; a file holds one")
	}
	root := &stream
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
		root.HeadComment = stream.HeadComment + "\n" + root.HeadComment
		root.FootComment += "\n" + stream.FootComment
	}
	var r yamlReader
	value, err := r.value(root)
	if err != nil {
		return Document{}, nil, err
	}
	if value.Kind != Object && value.Kind != Array {
		return Document{}, nil, nodeError(root, "the file holds no definition: its root is no mapping and no sequence")
	}
	return Document{syntax: YAML, root: value}, root, nil
}

// asYAML11 returns content with a directive %YAML 1.1 for one that says 1.2, in text of the same
// length: the library refuses any other version, but reads by the rules of both.
func asYAML11(content []byte) []byte {
	at := 0
	if bytes.HasPrefix(content, []byte(byteOrderMark)) {
		at = len(byteOrderMark)
	}
	for line := range bytes.Lines(content[at:]) {
		rest := bytes.TrimLeft(line, " \t\r\n")
		if len(rest) > 0 && line[0] != '%' && rest[0] != '#' {
			break // the document begins
		}
		if words := bytes.Fields(line); len(words) > 1 && string(words[0]) == "%YAML" && string(words[1]) == "1.2" {
			out := bytes.Clone(content)
			out[at+bytes.Index(line, []byte("1.2"))+len("1.2")-1] = '1'
			return out
		}
		at += len(line)
	}
	return content
}

// yamlReader turns the library's tree into values.
type yamlReader struct {
	size  int // values so far
	depth int
}

func (r *yamlReader) value(n *yaml.Node) (Value, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.size++; r.size > maxExpansion {
		return Value{}, nodeError(n, "aliases repeat too many values")
	}
	if n.Kind == yaml.ScalarNode {
		return scalar(n), nil
	}
	if r.depth == maxDepth {
		return Value{}, nodeError(n, tooDeepText()) // also the end of an alias to what holds it
	}
	r.depth++
	defer func() { r.depth-- }()
	if n.Kind == yaml.MappingNode {
		return r.mapping(n)
	}
	array := Value{Kind: Array, Tag: ownTag(n)}
	for _, c := range n.Content {
		item, err := r.value(c)
		if err != nil {
			return Value{}, err
		}
		array.Items = append(array.Items, item)
	}
	return array, nil
}

func (r *yamlReader) mapping(n *yaml.Node) (Value, error) {
	object := Value{Kind: Object, Tag: ownTag(n)}
	var keys keySet
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return Value{}, nodeError(n.Content[i], "a key is no scalar")
		}
		if first, twice := keys.add(object.Members, key.Value); twice {
			return Value{}, nodeError(n.Content[i], duplicateText(n.Content[2*first].Line))
		}
		v, err := r.value(n.Content[i+1])
		if err != nil {
			return Value{}, err
		}
		object.Members = append(object.Members, Member{Key: key.Value, Value: v})
	}
	return object, nil
}

// scalar returns a scalar's value: of the type that YAML's core schema gives it,
// with its text as written.
func scalar(n *yaml.Node) Value {
	v := Value{Kind: String, Text: n.Value, Tag: ownTag(n)}
	switch n.ShortTag() {
	case "!!null":
		v.Kind = Null
	case "!!bool":
		v.Kind = Bool
	case "!!int", "!!float":
		v.Kind = Number
	}
	return v
}

// ownTag returns a node's tag without its marks if it is none of YAML's own.
func ownTag(n *yaml.Node) string {
	if strings.HasPrefix(n.ShortTag(), "!!") {
		return ""
	}
	return strings.TrimPrefix(n.Tag, "!")
}

// nodeError returns the SyntaxError for a node's position.
func nodeError(n *yaml.Node, text string) error {
	return &SyntaxError{Line: n.Line, Column: n.Column, Text: text}
}

// yamlSyntaxError turns the library's error into a SyntaxError. What the library says
// of characters and structure quotes nothing of the content; what it says later does.
func yamlSyntaxError(content []byte, err error) error {
	var at *yaml.LoadError
	if !errors.As(err, &at) {
		return syntaxErrorAt(content, 0, "the text is no YAML")
	}
	text := at.Message
	if text == "found incompatible YAML document" {
		text = "the directive %YAML names another version than 1.1 and 1.2"
	}
	switch at.Stage {
	case yaml.ReaderStage, yaml.ScannerStage, yaml.ParserStage:
	case yaml.ComposerStage:
		text = "an alias refers to no anchor before it"
	default:
		text = "the text is no YAML"
	}
	return &SyntaxError{Line: max(at.Mark.Line, 1), Column: max(at.Mark.Column, 1), Text: text}
}

package definition

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Layout says where the values and the comments of a definition stand in its text, for
// messages to people. Lines and columns begin with 1; columns count characters.
type Layout struct {
	content  []byte
	doc      Document
	yamlRoot *yaml.Node // of YAML
}

// Comment is one comment, with the marks that begin it. A block comment (/* */) may
// have several lines; all others have one.
type Comment struct {
	Text         string
	Line, Column int  // where it begins
	Leads        bool // no key, and of an array no item, is before it in the file
}

// ParseLayout is Parse that also returns the layout, which keeps content.
func ParseLayout(path Path, content []byte) (Document, Layout, error) {
	doc, yamlRoot, err := parseDocument(path, content)
	if err != nil {
		return Document{}, Layout{}, err
	}
	return doc, Layout{content: content, doc: doc, yamlRoot: yamlRoot}, nil
}

// Position returns where the value begins that a JSON pointer (RFC 6901) names; of one
// that is not there, the value that lacks it.
func (l Layout) Position(pointer string) (line, column int) {
	value, node := l.doc.root, l.yamlRoot
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		i := value.child(unescape.Replace(token))
		if i < 0 {
			break
		}
		if value.Kind == Object {
			value = value.Members[i].Value
			i = 2*i + 1 // the library has keys and values in one list
		} else {
			value = value.Items[i]
		}
		if node != nil {
			node = resolveAlias(node).Content[i]
		}
	}
	if node != nil {
		return max(node.Line, 1), max(node.Column, 1)
	}
	return position(l.content, value.Start)
}

// child returns the index of the member or item that one token of a JSON pointer
// names, or -1.
func (v Value) child(token string) int {
	switch v.Kind {
	case Object:
		for i, m := range v.Members {
			if m.Key == token {
				return i
			}
		}
	case Array:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(v.Items) {
			return i
		}
	}
	return -1
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Comments returns the document's comments in their order.
func (l Layout) Comments() []Comment {
	if l.yamlRoot != nil {
		return l.yamlComments()
	}
	first := l.doc.root.End
	switch root := l.doc.root; {
	case len(root.Members) > 0:
		first = root.Members[0].Start
	case len(root.Items) > 0:
		first = root.Items[0].Start
	}
	comments := make([]Comment, 0, len(l.doc.comments))
	line, at := 1, 0
	for _, c := range l.doc.comments {
		line += bytes.Count(l.content[at:c.start], []byte{'\n'})
		at = c.start
		comments = append(comments, Comment{
			Text: string(l.content[c.start:c.end]), Line: line, Leads: c.start < first,
			Column: utf8.RuneCount(l.content[lineStart(l.content, at):at]) + 1,
		})
	}
	return comments
}

// yamlComments finds the comments by their text: the library has it, but not where
// it stands. So what looks like a comment is one if the library knows such a one.
func (l Layout) yamlComments() []Comment {
	known := make(map[string]bool)
	addComments(known, l.yamlRoot)
	if len(known) == 0 {
		return nil
	}
	var comments []Comment
	first := len(l.content) // more than there are lines
	if len(l.yamlRoot.Content) > 0 {
		first = l.yamlRoot.Content[0].Line
	}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(l.content), byteOrderMark)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		for at := strings.IndexByte(line, '#'); at >= 0; {
			if at == 0 || line[at-1] == ' ' || line[at-1] == '\t' {
				if text := strings.TrimRight(line[at:], " \t"); known[text] {
					comments = append(comments, Comment{
						Text: text, Line: number, Column: utf8.RuneCountInString(line[:at]) + 1, Leads: number < first,
					})
					break
				}
			}
			next := strings.IndexByte(line[at+1:], '#')
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	return comments
}

// addComments collects the lines of all comments at and below a node.
func addComments(known map[string]bool, n *yaml.Node) {
	for _, text := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				known[line] = true
			}
		}
	}
	for _, c := range n.Content {
		addComments(known, c)
	}
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

// trimmed returns the span without the line break that it can end with.
func (s span) trimmed(src []byte) span {
	return span{s.start, s.start + len(bytes.TrimRight(src[s.start:s.end], "\r\n"))}
}

package definition

import (
	"encoding/json"
	"strings"
)

// flowText returns a value of YAML as text that may stand inside brackets, where lines and
// indentation tell nothing. Of a collection in block style it writes brackets and braces, of a
// string in block style quotes, and of others their own text. Comments are left out.
func (s *side) flowText(n *node) string {
	properties := ""
	if n.props > n.start {
		properties = string(s.content[n.start:n.props]) + " "
	}
	own := string(s.content[n.body:n.end])
	switch {
	case !n.isContainer():
		return strings.TrimRight(properties+s.flowScalar(n, own), " ")
	case !n.block:
		return properties + own
	}
	texts := make([]string, len(n.kids))
	for i := range n.kids {
		texts[i] = s.flowEntry(&n.kids[i], n.kind)
	}
	if n.kind == Array {
		return properties + "[" + strings.Join(texts, ", ") + "]"
	}
	return properties + "{" + strings.Join(texts, ", ") + "}"
}

// flowEntry returns a kid of a collection like flowText, with its key if it has one.
func (s *side) flowEntry(kid *node, parent Kind) string {
	if parent == Array {
		return s.flowText(kid)
	}
	key := strings.TrimRight(string(s.content[kid.entry:kid.after-1]), " \t")
	if !isQuoted(key) && strings.ContainsAny(key, ",[]{}") {
		key = quoteText(kid.key)
	}
	return strings.TrimRight(key+": "+s.flowText(kid), " ")
}

// flowScalar returns the text of a scalar without its tag.
func (s *side) flowScalar(n *node, own string) string {
	switch {
	case n.block:
		return quoteText(n.text)
	case n.alias, isQuoted(own), n.inFlow:
		return own
	case n.kind == String && strings.ContainsAny(own, ",[]{}"), strings.Contains(own, "\n"):
		return quoteText(n.text)
	}
	return own
}

// isQuoted reports whether a scalar of YAML is in quotes.
func isQuoted(text string) bool {
	return strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'")
}

// quoteText returns text in double quotes, which YAML reads as JSON does.
func quoteText(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""` // a string always has a text in JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

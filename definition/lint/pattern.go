package lint

import (
	"net/url"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// placeholder is what templates leave to be filled in. None of these forms means
// anything in a regular expression of Java.
var placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}|[$#]\{[^{}]*\}`)

// pattern looks at the serviceId.
func (c *checker) pattern(doc definition.Document) {
	v, ok := doc.Root().Get("serviceId")
	if !ok || v.Kind != definition.String {
		return
	}
	const at = pointer("/serviceId")
	strategy, _ := doc.Root().Get("matchingStrategy")
	class, _ := strategy.Get(classKey)
	kind := strategy.Tag + class.Text
	if strings.HasSuffix(kind, ".LiteralRegisteredServiceMatchingStrategy") {
		return // no regular expression then
	}
	text := v.Text
	if strings.TrimSpace(text) == "" {
		c.found(rulePattern, at, "serviceId is empty and matches nothing: write what URLs of the service look like")
		return
	}
	if filled := placeholder.ReplaceAllString(text, "x"); filled != text {
		c.found(rulePlaceholder, at, "a placeholder such as {{...}} or ${...} is not filled in: render the template before it gets here")
		text = filled
	}
	p := readJavaPattern(text)
	if p.fault != "" {
		c.found(rulePattern, at, "Java does not take this regular expression: %s", p.fault)
		return
	}
	if p.meaning == nil || guarded(doc.Root()) {
		return
	}
	if strings.HasSuffix(kind, ".PartialRegexRegisteredServiceMatchingStrategy") {
		if within, err := regexp.Compile("(?i)" + p.source); err == nil && matchesAll(within) {
			c.found(ruleMatchesAll, at, "this matches every URL: name the service's own")
		}
		return
	}
	if matchesAll(p.meaning) {
		c.found(ruleMatchesAll, at, "this matches every URL: name the service's own")
		return
	}
	if example := p.foreign(); example != "" {
		c.found(ruleForeignHost, at, "this matches %s too: end the host with a slash, and let nothing before it match one", example)
	}
}

// guarded reports whether something else than the serviceId decides who may come: a
// service that is not enabled turns away what no other one matches, and a SAML service takes
// only who is in its metadata, so that .+ is right for those of a federation.
func guarded(root definition.Value) bool {
	member, _ := root.Get(classKey)
	if strings.HasSuffix(root.Tag+member.Text, ".SamlRegisteredService") {
		return true
	}
	strategy, _ := root.Get("accessStrategy")
	enabled, _ := strategy.Get("enabled")
	return enabled.Text == "false"
}

// matchesAll reports whether a pattern matches URLs that have nothing in common but that they
// are such.
func matchesAll(meaning *regexp.Regexp) bool {
	for _, u := range []string{
		"https://evil.test/",
		"https://a-b.example.net:8443/x/Y/z.html?q=1&r=%20#f",
		"https://192.0.2.77/login",
		"https://xn--0-xga.invalid/~user/;p=1?service=https://evil.test/",
	} {
		if !meaning.MatchString(u) {
			return false
		}
	}
	return true
}

// foreignHost is a name that nobody can own (RFC 6761).
const foreignHost = "evil.test"

// maxOpen bounds how many places of a pattern foreign tries.
const maxOpen = 16

// foreign returns a URL at foreignHost that the pattern matches, or "" if it finds none. It tries
// what an attacker would: at each place where the pattern takes anything, something that
// ends the host, goes on with it, or makes what was before a user's name.
func (p javaPattern) foreign() string {
	tree, err := syntax.Parse(p.source, syntax.Perl)
	if err != nil {
		return ""
	}
	var open []*syntax.Regexp
	findOpen(tree, &open)
	for _, place := range open[:min(len(open), maxOpen)] {
		for _, text := range []string{foreignHost, "." + foreignHost, foreignHost + "/", "." + foreignHost + "/", "@" + foreignHost + "/"} {
			var b strings.Builder
			example(&b, tree, place, text)
			if s := b.String(); p.meaning.MatchString(s) && isForeign(s) {
				return s
			}
		}
	}
	return ""
}

func isForeign(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.Scheme, "http") {
		return false
	}
	host := u.Hostname()
	return host == foreignHost || strings.HasSuffix(host, "."+foreignHost)
}

// findOpen collects the repetitions that take any text of letters and dots.
func findOpen(re *syntax.Regexp, open *[]*syntax.Regexp) {
	if isRepetition(re) && takesAnything(re.Sub[0]) {
		*open = append(*open, re)
		return
	}
	for _, sub := range re.Sub {
		findOpen(sub, open)
	}
}

func isRepetition(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar || re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat
}

func takesAnything(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpCharClass:
		return inClass(re, 'e') && inClass(re, '.')
	case syntax.OpCapture:
		return takesAnything(re.Sub[0])
	}
	return false
}

func inClass(re *syntax.Regexp, c rune) bool {
	for i := 0; i+1 < len(re.Rune); i += 2 {
		if re.Rune[i] <= c && c <= re.Rune[i+1] {
			return true
		}
	}
	return false
}

// example writes a text that the tree matches, with the given one at a place.
func example(b *strings.Builder, re, place *syntax.Regexp, text string) {
	if re == place {
		b.WriteString(text)
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('.') // which it is most often meant to be
	case syntax.OpCharClass:
		switch {
		case inClass(re, 'a'):
			b.WriteByte('a')
		case len(re.Rune) > 0:
			b.WriteRune(re.Rune[0])
		}
	case syntax.OpStar:
		if holds(re, place) {
			example(b, re.Sub[0], place, text)
		}
	case syntax.OpRepeat:
		for range max(re.Min, 1) {
			example(b, re.Sub[0], place, text)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if holds(sub, place) {
				example(b, sub, place, text)
				return
			}
		}
		example(b, re.Sub[0], place, text)
	default:
		for _, sub := range re.Sub {
			example(b, sub, place, text)
		}
	}
}

// holds reports whether place is in the tree.
func holds(tree, place *syntax.Regexp) bool {
	if tree == place {
		return true
	}
	for _, sub := range tree.Sub {
		if holds(sub, place) {
			return true
		}
	}
	return false
}

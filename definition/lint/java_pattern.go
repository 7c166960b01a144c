package lint

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// patternReader reads a regular expression as java.util.regex.Pattern does, to
// find out whether Java takes it, and writes what it means in Go's syntax.
//
// Go's own parser is no judge: Java has lookarounds, possessive quantifiers, back
// references, \Q...\E, classes that intersect, and other escapes; and it refuses what
// Go takes, such as a brace that begins no repetition. Where this reader is not sure
// (the flags for comments and for canonical equivalence, names of characters) it finds
// nothing wrong. Names of character properties are not checked, nor whether a lookbehind is
// bounded.
type patternReader struct {
	src []rune
	at  int

	depth int
	names map[string]bool // of groups so far
	out   strings.Builder
	// loose says that out is not exactly what the pattern means, because Go has nothing
	// of the kind.
	loose bool
	// repeats is the product of all counts, which bounds what Go makes of out.
	repeats int

	// fault and unsure say why reading ended before the end.
	fault  string
	unsure bool
}

const (
	maxPatternDepth = 250 // Java's own stack ends some way beyond
	// These two keep the program that Go makes of a pattern small.
	maxPatternRepeats = 1 << 8
	maxTriedPattern   = 1 << 10 // bytes
)

// javaPattern is what is known of a Java regular expression.
type javaPattern struct {
	// fault says why Java refuses it; empty if it does not, as far as can be told.
	fault string
	// meaning matches what the pattern matches, whole texts only; nil if Go cannot say.
	meaning *regexp.Regexp
	// source is meaning without what makes it match whole texts.
	source string
}

// readJavaPattern reads a regular expression in the syntax of Java.
func readJavaPattern(pattern string) javaPattern {
	r := &patternReader{src: unquote(pattern), names: make(map[string]bool), repeats: 1}
	r.alternatives()
	if !r.ended() {
		r.fail("a closing parenthesis has no opening one")
	}
	if r.fault != "" || r.unsure || r.loose || len(pattern) > maxTriedPattern {
		return javaPattern{fault: r.fault}
	}
	source := r.out.String()
	meaning, err := regexp.Compile(`(?i)\A(?:` + source + `)\z`)
	if err != nil {
		return javaPattern{} // beyond a limit of Go's
	}
	return javaPattern{meaning: meaning, source: source}
}

// unquote writes what is between \Q and \E without these, in the way of Java: with a backslash
// before each character but letters, and digits but directly behind \Q.
func unquote(pattern string) []rune {
	in := []rune(pattern)
	out := make([]rune, 0, len(in))
	quoted, first := false, false
	for i := 0; i < len(in); i++ {
		c, next := in[i], rune(0)
		if i+1 < len(in) {
			next = in[i+1]
		}
		switch {
		case quoted && c == '\\' && next == 'E':
			quoted = false
			i++
		case quoted:
			switch {
			case isDigit(c) && first:
				out = append(out, '\\', 'x', '3')
			case c < utf8.RuneSelf && !isAlnum(c):
				out = append(out, '\\')
			}
			out = append(out, c)
			first = false
		case c == '\\' && next == 'Q':
			quoted, first = true, true
			i++
		case c == '\\' && i+1 < len(in):
			out = append(out, c, next)
			i++
		default:
			out = append(out, c)
		}
	}
	return out
}

// peek returns the next character, 0 at the end.
func (r *patternReader) peek() rune { return r.ahead(0) }

// ahead returns the character n places on.
func (r *patternReader) ahead(n int) rune {
	if r.at+n < len(r.src) {
		return r.src[r.at+n]
	}
	return 0
}

func (r *patternReader) ended() bool { return r.at >= len(r.src) }

// take returns the next character and goes on.
func (r *patternReader) take() rune {
	c := r.peek()
	r.skip(1)
	return c
}

// skip goes on, but never beyond the end, where reading may have been ended.
func (r *patternReader) skip(n int) { r.at = min(r.at+n, len(r.src)) }

// fail notes what Java would not take, and ends reading.
func (r *patternReader) fail(text string) {
	if r.fault == "" && !r.unsure {
		r.fault = text
	}
	r.at = len(r.src)
}

// giveUp ends reading where the rest cannot be judged.
func (r *patternReader) giveUp() {
	r.unsure = r.unsure || r.fault == ""
	r.at = len(r.src)
}

// literal writes a character that stands for itself.
func (r *patternReader) literal(c rune) { r.out.WriteString(regexp.QuoteMeta(string(c))) }

// alternatives reads sequences up to a closing parenthesis or the end.
func (r *patternReader) alternatives() {
	if r.depth++; r.depth > maxPatternDepth {
		r.giveUp()
		return
	}
	defer func() { r.depth-- }()
	for {
		r.sequence()
		if r.peek() != '|' {
			return
		}
		r.skip(1)
		r.out.WriteByte('|')
	}
}

// sequence reads quantified atoms.
func (r *patternReader) sequence() {
	for !r.ended() {
		quantifiable := true
		switch c := r.peek(); c {
		case '|', ')':
			return
		case '*', '+', '?':
			r.fail("the quantifier " + string(c) + " has nothing before it to repeat")
		case '(':
			quantifiable = r.group()
		case '[':
			r.skip(1)
			r.out.WriteString(r.class())
		case '\\':
			r.skip(1)
			r.out.WriteString(r.escape(false).text)
		case '^', '.', '$':
			r.skip(1)
			r.out.WriteRune(c)
		case '{':
			r.out.WriteString("(?:)") // Java repeats nothing
		default:
			r.literal(r.take())
		}
		if quantifiable {
			r.quantifier()
		}
	}
}

// quantifier reads what may follow an atom.
func (r *patternReader) quantifier() {
	switch c := r.peek(); c {
	case '*', '+', '?':
		r.skip(1)
		r.out.WriteRune(c)
	case '{':
		r.skip(1)
		r.counted()
	default:
		return
	}
	switch r.peek() {
	case '?':
		r.skip(1)
		r.out.WriteByte('?')
	case '+':
		r.skip(1)
		r.loose = true // possessive
	}
}

// counted reads a repetition behind its opening brace.
func (r *patternReader) counted() {
	if !isDigit(r.peek()) {
		r.fail("a brace begins no repetition such as {2,4}: write \\{ if it is meant literally")
		return
	}
	least := r.number()
	most, open := least, false
	if r.peek() == ',' {
		r.skip(1)
		if r.peek() == '}' {
			open = true
		} else {
			if !isDigit(r.peek()) {
				r.fail("a repetition such as {2,4} has no number behind its comma")
			}
			most = r.number()
		}
	}
	if r.peek() != '}' {
		r.fail("a repetition such as {2,4} is not closed")
		return
	}
	r.skip(1)
	if most < least {
		r.fail("a repetition such as {4,2} goes from more to less")
	}
	if r.repeats *= max(most, 1); r.repeats > maxPatternRepeats {
		r.loose, r.repeats = true, 1
	}
	r.out.WriteString(countedText(least, most, open))
}

// group reads what an opening parenthesis begins. It reports false for flags alone,
// which cannot be repeated.
func (r *patternReader) group() bool {
	r.skip(1)
	if r.peek() != '?' {
		r.out.WriteString("(?:")
		r.rest()
		return true
	}
	r.skip(1)
	switch c := r.take(); c {
	case ':':
		r.out.WriteString("(?:")
	case '=', '!', '>':
		r.loose = true
		r.out.WriteString("(?:")
	case '<':
		if next := r.peek(); next == '=' || next == '!' {
			r.skip(1)
			r.loose = true
		} else {
			name := r.name()
			if r.names[name] {
				r.fail("two groups have the same name")
			}
			r.names[name] = true
		}
		r.out.WriteString("(?:")
	default:
		if c != 0 {
			r.at--
		}
		return r.flags()
	}
	r.rest()
	return true
}

// rest reads a group from behind its opening.
func (r *patternReader) rest() {
	r.alternatives()
	if r.peek() != ')' {
		r.fail("a group is not closed: a closing parenthesis is missing")
		return
	}
	r.skip(1)
	r.out.WriteByte(')')
}

// flags reads inline flags, and the group if they begin one.
func (r *patternReader) flags() bool {
	text := []rune("(?")
	for {
		switch c := r.peek(); c {
		case 'i', 's', 'm', '-':
			text = append(text, c)
		case 'd', 'u', 'U':
			r.loose = true
		case 'x', 'c':
			r.giveUp()
			return true
		case ':':
			r.skip(1)
			r.writeFlags(string(text) + ":")
			r.rest()
			return true
		case ')':
			r.skip(1)
			r.writeFlags(string(text) + ")")
			return false
		default:
			r.fail("a question mark behind a parenthesis begins neither a group nor flags")
			return true
		}
		r.skip(1)
	}
}

// writeFlags writes flags unless Go would not take them so.
func (r *patternReader) writeFlags(text string) {
	if strings.ContainsAny(text, "-") || text == "(?)" {
		r.loose = true
		text = "(?:"
	}
	r.out.WriteString(text)
}

// name reads the name of a group and the mark behind it.
func (r *patternReader) name() string {
	start := r.at
	for isAlnum(r.peek()) {
		r.skip(1)
	}
	name := string(r.src[start:r.at])
	switch {
	case name == "" || isDigit(r.src[start]):
		r.fail("the name of a group does not begin with a letter")
	case r.peek() != '>':
		r.fail("the name of a group is not closed by >")
	default:
		r.skip(1)
	}
	return name
}

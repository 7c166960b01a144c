package lint

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// escaped is what a backslash and the characters behind it mean.
type escaped struct {
	text   string // in Go's syntax
	single bool   // one character, char
	char   rune
}

func charEscape(c rune) escaped {
	return escaped{text: regexp.QuoteMeta(string(c)), single: true, char: c}
}

// escape reads what follows a backslash, inside a class or outside.
func (r *patternReader) escape(inClass bool) escaped {
	if r.ended() {
		r.fail("a backslash at the end escapes nothing")
	}
	switch c := r.take(); c {
	case 'd', 'D', 'w', 'W', 's', 'S':
		return escaped{text: `\` + string(c)}
	case 'h', 'H', 'v', 'V': // kinds of white space that Go has no escapes for
		r.loose = true
		return escaped{text: `\s`}
	case 'p', 'P':
		return r.property()
	case 'A', 'z', 'B', 'b', 'Z', 'G', 'X', 'R', 'k', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if inClass {
			r.fail(`\` + string(c) + " has no meaning inside a character class")
			return escaped{}
		}
		return r.assertion(c)
	case 'N': // of a character, \N{DIGIT ONE}; the name is not checked
		if r.peek() != '{' {
			r.fail(`\N is not followed by the name of a character in {}`)
		}
		return r.property()
	case '0':
		return r.octal()
	case 'x':
		return r.hexadecimal()
	case 'u':
		return charEscape(r.hexDigits(4))
	case 'c':
		if r.ended() {
			r.fail(`\c stands before no character`)
		}
		return charEscape(r.take() ^ 64)
	case 't':
		return charEscape('\t')
	case 'n':
		return charEscape('\n')
	case 'r':
		return charEscape('\r')
	case 'f':
		return charEscape('\f')
	case 'a':
		return charEscape('\a')
	case 'e':
		return charEscape('\x1b')
	default:
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			r.fail(`\` + string(c) + " has no meaning in Java")
		}
		return charEscape(c)
	}
}

// assertion returns what matches no character of its own.
func (r *patternReader) assertion(c rune) escaped {
	switch c {
	case 'A', 'z', 'B':
		return escaped{text: `\` + string(c)}
	case 'b':
		if r.peek() == '{' && r.ahead(1) == 'g' && r.ahead(2) == '}' {
			r.skip(3)
			break // boundaries of graphemes
		}
		return escaped{text: `\b`}
	case 'Z':
		return escaped{text: `\z`} // texts without line ends
	case 'k':
		if r.peek() != '<' {
			r.fail(`\k is not followed by the name of a group in <>`)
		}
		r.skip(1)
		if !r.names[r.name()] {
			r.fail(`\k names a group that is not before it`)
		}
	}
	r.loose = true
	return escaped{text: "(?:)"}
}

// property reads a property of characters, such as \p{L}. Its name is not checked.
func (r *patternReader) property() escaped {
	r.loose = true
	if r.ended() {
		r.fail(`\p names no property of characters`)
	}
	if r.take() == '{' {
		length := 0
		for r.peek() != '}' {
			if r.ended() {
				r.fail(`\p{ is not closed`)
				return escaped{}
			}
			r.skip(1)
			length++
		}
		if r.skip(1); length == 0 {
			r.fail(`\p{} names no property of characters`)
		}
	}
	return escaped{text: `\w`}
}

func (r *patternReader) octal() escaped {
	n, digits := rune(0), 0
	for digits < 3 && r.peek() >= '0' && r.peek() <= '7' && n*8+r.peek()-'0' < 256 {
		n = n*8 + r.take() - '0'
		digits++
	}
	if digits == 0 {
		r.fail(`\0 is not followed by an octal number`)
	}
	return charEscape(n)
}

func (r *patternReader) hexadecimal() escaped {
	if r.peek() != '{' {
		return charEscape(r.hexDigits(2))
	}
	r.skip(1)
	n, digits := rune(0), 0
	for isHex(r.peek()) && n <= 0x10ffff {
		n = n<<4 | hexValue(r.take())
		digits++
	}
	if digits == 0 || n > 0x10ffff || r.peek() != '}' {
		r.fail(`\x{ is not followed by a hexadecimal number and }`)
		return escaped{}
	}
	r.skip(1)
	return charEscape(n)
}

func (r *patternReader) hexDigits(count int) rune {
	n := rune(0)
	for range count {
		if !isHex(r.peek()) {
			r.fail(`\x wants two hexadecimal digits, \u four`)
			break
		}
		n = n<<4 | hexValue(r.take())
	}
	return n
}

// class reads a character class behind its opening bracket and returns it in Go's
// syntax.
func (r *patternReader) class() string {
	if r.depth++; r.depth > maxPatternDepth {
		r.giveUp()
		return ""
	}
	defer func() { r.depth-- }()
	var out strings.Builder
	out.WriteByte('[')
	if r.peek() == '^' {
		r.skip(1)
		out.WriteByte('^')
	}
	for members := 0; ; members++ {
		switch {
		case r.ended():
			r.fail("a character class is not closed: ] is missing")
			return ""
		case r.peek() == ']' && members > 0:
			r.skip(1)
			out.WriteByte(']')
			return out.String()
		case r.peek() == '[':
			r.skip(1)
			r.loose = true // a union
			r.class()
		case r.peek() == '&' && r.ahead(1) == '&':
			r.intersection(members)
		default:
			r.classRange(&out)
		}
	}
}

// intersection reads && and what it begins, up to the bracket or the next &&.
func (r *patternReader) intersection(before int) {
	r.skip(2)
	r.loose = true
	var ignored strings.Builder
	for n := 0; ; n++ {
		switch {
		case r.ended():
			return // which class says
		case r.peek() == ']' || r.peek() == '&':
			if n == 0 && before == 0 {
				r.giveUp()
			}
			return
		case r.peek() == '[':
			r.skip(1)
			r.class()
		default:
			r.classRange(&ignored)
		}
	}
}

// classRange reads one character, or a range of them.
func (r *patternReader) classRange(out *strings.Builder) {
	first, single := r.classChar(out)
	if !single || r.peek() != '-' {
		return
	}
	switch next := r.ahead(1); {
	case next == ']' || next == '[': // the hyphen is one
		return
	case r.at+1 >= len(r.src):
		return // the class is not closed, which its reader says
	}
	r.skip(1)
	var ignored strings.Builder
	last, single := r.classChar(&ignored)
	if !single || last < first {
		r.fail("a range in a character class goes backwards, such as [z-a]: put the hyphen last if it is meant literally")
	}
	fmt.Fprintf(out, `-\x{%x}`, last)
}

// classChar reads one member of a class and writes it.
func (r *patternReader) classChar(out *strings.Builder) (c rune, single bool) {
	if r.peek() != '\\' {
		c = r.take()
		fmt.Fprintf(out, `\x{%x}`, c)
		return c, true
	}
	r.skip(1)
	e := r.escape(true)
	if !e.single {
		out.WriteString(e.text)
		return 0, false
	}
	fmt.Fprintf(out, `\x{%x}`, e.char)
	return e.char, true
}

// number reads a decimal number; a very large one is cut off.
func (r *patternReader) number() int {
	n := 0
	for isDigit(r.peek()) {
		n = min(n*10+int(r.take()-'0'), 1<<20)
	}
	return n
}

func countedText(least, most int, open bool) string {
	switch {
	case open:
		return "{" + strconv.Itoa(least) + ",}"
	case least == most:
		return "{" + strconv.Itoa(least) + "}"
	}
	return "{" + strconv.Itoa(least) + "," + strconv.Itoa(most) + "}"
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

func isAlnum(c rune) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isHex(c rune) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func hexValue(c rune) rune {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

package definition

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	// ErrTooLarge is returned, wrapped, by Parse for content of more than MaxSize bytes.
	ErrTooLarge = errors.New("definition is too large")
	// ErrSyntax is what every SyntaxError is.
	ErrSyntax = errors.New("definition does not parse")
)

// SyntaxError says where and why content does not parse. It never quotes the
// content, which may hold secrets.
type SyntaxError struct {
	Line   int // 1-based
	Column int // 1-based, in characters
	Text   string
}

// Error returns "line 3, column 14: " and the reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// Is reports whether target is ErrSyntax.
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

// syntaxErrorAt returns the SyntaxError for a byte offset in content.
func syntaxErrorAt(content []byte, offset int, text string) *SyntaxError {
	line, column := position(content, offset)
	return &SyntaxError{Line: line, Column: column, Text: text}
}

// position turns a byte offset in content into line and column.
func position(content []byte, offset int) (line, column int) {
	before := bytes.TrimPrefix(content[:offset], []byte(byteOrderMark))
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[lineStart:]) + 1
}

// checkText refuses what no syntax allows anywhere: invalid UTF-8, and control
// characters other than tab and line ends. NUL is among them, so a reader may use it
// for the end of the text.
func checkText(content []byte) error {
	for i := 0; i < len(content); {
		c := content[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(content[i:])
			if r == utf8.RuneError && size == 1 {
				return syntaxErrorAt(content, i, "the text is not UTF-8")
			}
			i += size
			continue
		}
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return syntaxErrorAt(content, i, "a control character is not allowed")
		}
		i++
	}
	return nil
}

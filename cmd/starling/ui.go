package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What reaches a terminal
//
// Names of files, notes, actors, reasons and the errors that quote them are written by
// anybody who can save a file or holds a writer's key. Printed as they are, they could
// drive the terminal, forge a line of a table, or show a name that is not the file's. So
// every text for people is printed by printf, and every JSON by writeJSON; no command
// calls fmt.Fprint itself (a linter holds this). Only the bytes of a definition that
// somebody asked for as bytes ("cat", "diff --text" into a file or a pipe) stay as they
// are.

// printf is fmt.Fprintf whose arguments cannot drive a terminal or end a line: each text
// among them is printed as legible returns it. What the format itself says stays, so the
// tabs between cells and the newlines between rows belong there.
func printf(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, format, legibleAll(args)...) //nolint:forbidigo // the one place
}

// row prints one row of a table: its cells, a tab between each two.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			printf(w, "\t")
		}
		printf(w, "%s", cell)
	}
	printf(w, "\n")
}

// legibleAll returns the arguments of a format with their texts made legible. Numbers keep
// their type, for %d.
func legibleAll(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch kind := reflect.ValueOf(arg).Kind(); {
		case kind == reflect.Bool, reflect.Int <= kind && kind <= reflect.Float64:
			out[i] = arg
		default:
			out[i] = legible(fmt.Sprint(arg))
		}
	}
	return out
}

// legible returns a text as it can be shown within a line: whatever drives a terminal,
// ends a line or a cell, turns the direction of writing or takes no room is replaced by
// its escape, and so are bytes that are not UTF-8. Text without any of it is unchanged.
func legible(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRuneInString(rest)
		switch char := rest[:size]; {
		case r == utf8.RuneError && size == 1:
			b.WriteString(strings.Trim(strconv.Quote(char), `"`))
		case hidden(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteString(char)
		}
		rest = rest[size:]
	}
	return b.String()
}

// legibleText is legible for a line of a file's content, in which a tab is layout.
func legibleText(line string) string {
	return legible(strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "  "))
}

// hidden reports whether a character is not seen as itself: a control character, a mark
// that turns the direction of writing or joins, a space or filler without width, a
// separator of lines, a code point without a character.
func hidden(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// writeJSON prints a value as JSON, in one line without an indent. Its texts keep their
// values; the characters that a terminal must not get are written as escapes.
func writeJSON(w io.Writer, v any, indent string) error {
	encoder := json.NewEncoder(jsonEscaper{w})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	return encoder.Encode(v)
}

// jsonEscaper escapes what is hidden in JSON that passes through it. It can stand in
// strings only, so an escape means the same. Each write must hold whole characters, as
// those of a json.Encoder do.
type jsonEscaper struct{ w io.Writer }

func (e jsonEscaper) Write(text []byte) (int, error) {
	out := text
	if s := string(text); strings.IndexFunc(s, hiddenInOutput) >= 0 {
		out = nil
		for _, r := range s {
			if !hiddenInOutput(r) {
				out = utf8.AppendRune(out, r)
				continue
			}
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
	}
	if _, err := e.w.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

// hiddenInOutput reports whether a character must not be in what is printed, of which
// newlines, and tabs before a table is laid out, are the layout.
func hiddenInOutput(r rune) bool { return r != '\n' && r != '\t' && hidden(r) }

// netted catches what comes into a table by another way than printf.
type netted struct{ w io.Writer }

func (n netted) Write(text []byte) (int, error) {
	out := text
	if s := string(text); !utf8.ValidString(s) || strings.IndexFunc(s, hiddenInOutput) >= 0 {
		lines := strings.Split(s, "\n")
		for i, line := range lines {
			lines[i] = legible(line)
		}
		out = []byte(strings.Join(lines, "\n"))
	}
	if _, err := n.w.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

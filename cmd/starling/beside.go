package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// screen is a terminal that texts are shown on side by side. The zero screen is none.
type screen struct {
	width  int // characters in a line
	colour bool
}

const (
	usualWidth = 80 // of a terminal that does not say
	leastWidth = 60 // below which three columns cannot be read
	between    = " | "
)

// screen returns the terminal of stdout, with colour unless NO_COLOR is set (no-color.org).
func (p *program) screen() screen {
	file, ok := p.stdout.(*os.File)
	if !ok || !isTerminal(file) {
		return screen{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width == 0 {
		width = usualWidth
	}
	if width < leastWidth {
		return screen{}
	}
	return screen{width: width, colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// column is one of the texts that are shown side by side.
type column struct {
	title  string
	text   *string
	absent string // what is shown in the place of no text
	colour int    // of the lines that the first column does not have; 0 is none
}

// Colours of ECMA-48.
const (
	red   = 31
	green = 32
)

// lines returns what a column shows, each line at most width characters long, and whether
// it is to be seen at once.
func (c column) lines(width int, known []string) (shown []string, marked []bool) {
	if c.text == nil {
		return []string{"(" + c.absent + ")"}, []bool{c.colour != 0}
	}
	for _, line := range linesOf(c.text) {
		mark := c.colour != 0 && !slices.Contains(known, line)
		for rest := []rune(legibleText(line)); ; {
			part := rest[:min(len(rest), width)]
			shown, marked = append(shown, string(part)), append(marked, mark)
			if rest = rest[len(part):]; len(rest) == 0 {
				break
			}
		}
	}
	return shown, marked
}

// linesOf returns the lines of a text, none if there is no text.
func linesOf(text *string) []string {
	if text == nil {
		return nil
	}
	return strings.Split(strings.ReplaceAll(strings.TrimRight(*text, "\r\n"), "\r\n", "\n"), "\n")
}

// writeBeside writes texts side by side, in columns of equal width. Lines that are not in the
// first one have the colour of their column.
func (s screen) writeBeside(w io.Writer, columns ...column) {
	width := (s.width - len(between)*(len(columns)-1)) / len(columns)
	known := linesOf(columns[0].text)
	rows := 0
	shown, marked := make([][]string, len(columns)), make([][]bool, len(columns))
	for i, c := range columns {
		title := []rune(legible(c.title))
		shown[i], marked[i] = c.lines(width, known)
		shown[i] = append([]string{string(title[:min(len(title), width)]), strings.Repeat("-", width)}, shown[i]...)
		marked[i] = append([]bool{false, false}, marked[i]...)
		rows = max(rows, len(shown[i]))
	}
	for row := range rows {
		var line strings.Builder
		for i, c := range columns {
			text, mark := "", false
			if row < len(shown[i]) {
				text, mark = shown[i][row], marked[i][row]
			}
			padding := strings.Repeat(" ", width-len([]rune(text)))
			if mark && s.colour {
				text = fmt.Sprintf("\x1b[%dm%s\x1b[0m", c.colour, text)
			}
			if i > 0 {
				line.WriteString(between)
			}
			line.WriteString(text + padding)
		}
		_, _ = io.WriteString(w, strings.TrimRight(line.String(), " ")+"\n") // each column is legible, and may have its colour
	}
}

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// output is the form of what a command prints; a flag's value.
type output string

const (
	outputTable output = "table"
	outputJSON  output = "json"
)

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "form" }

// Set implements pflag.Value.
func (o *output) Set(s string) error {
	switch form := output(s); form {
	case outputTable, outputJSON:
		*o = form
		return nil
	}
	return fmt.Errorf("want table or json")
}

// print writes v as JSON, or as the table that the function makes: by printf, cells
// end with a tab, rows with a newline.
func (p *program) print(v any, table func(w io.Writer)) error {
	if p.output == outputJSON {
		return writeJSON(p.stdout, v, "  ")
	}
	w := tabwriter.NewWriter(netted{p.stdout}, 0, 0, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// short is the form of an id that people get to see; every command takes it.
func short(id string) string { return id[:min(len(id), 12)] }

// clock is the form of a time that people get to see.
func clock(t time.Time) string { return t.Local().Format(time.DateTime) }

// count returns "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) diffCommand() *cobra.Command {
	var text bool
	c := &cobra.Command{
		Use:     "diff PATH[@CHANGE] [PATH[@CHANGE]]",
		Short:   "What differs between two versions, by field",
		GroupID: groupFiles,
		Long: `Compares two versions of a definition, or two definitions, by structure: layout, comments and
the order of what has none do not count. What has no @CHANGE is as it is now, and so is the second
version if it is left out. With --text every byte counts, and what is printed is a unified diff.
Exit code 0: they are equal. 1: they differ.`,
		Example: `  starling diff app-1000.json@wgzkq6fqrg22
  starling diff app-1000.json@wgzkq6fqrg22 app-1000.json@n5ysm2qbdjfe --text`,
		Args:              takes(1, 2),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			var from, to api.Point
			from.Path, from.Change = splitVersion(args[0])
			to.Path = from.Path
			if len(args) == 2 {
				to.Path, to.Change = splitVersion(args[1])
			}
			if from.Path == to.Path && from.Change == to.Change {
				return usage("both are the same: say a change of at least one (%s@CHANGE, see starling log)", from.Path)
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			d, err := client.Compare(c.Context(), from, to)
			if err != nil {
				return err
			}
			if text {
				return p.textDiff(c.Context(), client, d)
			}
			if err := p.print(d, func(w io.Writer) { writeComparison(w, d.Comparison) }); err != nil {
				return err
			}
			if d.Extent == "none" || d.Extent == "layout" {
				return nil
			}
			return &exit{code: exitProblem}
		},
	}
	c.Flags().BoolVar(&text, "text", false, "compare the bytes, and print a unified diff")
	return c
}

// textDifference is what diff prints with --text.
type textDifference struct {
	api.Difference
	Text string `json:"text" doc:"The difference as a unified diff."`
}

// textDiff prints a unified diff of what d compares.
func (p *program) textDiff(ctx context.Context, client *api.Client, d api.Difference) error {
	old, err := contentAt(ctx, client, d.From)
	if err != nil {
		return err
	}
	now, err := contentAt(ctx, client, d.To)
	if err != nil {
		return err
	}
	unified := string(diff.Diff(pointName(d.From), old, pointName(d.To), now))
	switch {
	case p.output == outputJSON:
		err = p.print(textDifference{d, unified}, nil)
	case isTerminal(p.stdout):
		for line := range strings.Lines(unified) {
			fmt.Fprintln(p.stdout, oneLine(strings.TrimRight(line, "\r\n")))
		}
	default:
		_, err = io.WriteString(p.stdout, unified)
	}
	if err != nil || unified == "" {
		return err
	}
	return &exit{code: exitProblem}
}

// contentAt returns the bytes of a definition at a point, none if there is no file.
func contentAt(ctx context.Context, client *api.Client, at api.Point) ([]byte, error) {
	if !at.Present {
		return nil, nil
	}
	return client.Content(ctx, at.Path, at.Change)
}

// pointName is how a text diff calls its two sides.
func pointName(at api.Point) string {
	switch {
	case !at.Present:
		return "/dev/null"
	case at.Change == "":
		return at.Path
	}
	return at.Path + "@" + short(at.Change)
}

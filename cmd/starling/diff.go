package main

import (
	"context"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) diffCommand() *cobra.Command {
	var text bool
	c := &cobra.Command{
		Use:     "diff [PATH[@CHANGE] [PATH[@CHANGE]]]",
		Short:   "What differs between two versions, or from the directory, by field",
		GroupID: groupFiles,
		Long: `Compares two versions of a definition, or two definitions, by structure: layout, comments and
the order of what has none do not count. What has no @CHANGE is as it is now, and so is the second
version if it is left out. With --text every byte counts, and what is printed is a unified diff.
Exit code 0: they are equal. 1: they differ.

Without arguments, or for one PATH without a change, it compares what the cluster says with the
file in this node's directory: what is held there, waits for an approval, or was saved just now.`,
		Example: `  starling diff
  starling diff app-1000.json@wgzkq6fqrg22
  starling diff app-1000.json@wgzkq6fqrg22 app-1000.json@n5ysm2qbdjfe --text`,
		Args:              takes(0, 2),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			if path, change := splitVersion(argument(args)); len(args) < 2 && change == "" {
				return p.diffDirectory(c.Context(), path, text)
			}
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

// unified returns a unified diff; empty if the bytes are the same.
func unified(oldName string, old []byte, newName string, now []byte) string {
	return string(diff.Diff(legible(oldName), old, legible(newName), now))
}

// writeUnified prints a unified diff: as it is, but to a terminal nothing that would
// drive it.
func (p *program) writeUnified(text string) error {
	if !isTerminal(p.stdout) {
		_, err := io.WriteString(p.stdout, text)
		return err
	}
	for line := range strings.Lines(text) {
		printf(p.stdout, "%s\n", legibleText(line))
	}
	return nil
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
	difference := unified(pointName(d.From), old, pointName(d.To), now)
	if p.output == outputJSON {
		err = p.print(textDifference{d, difference}, nil)
	} else {
		err = p.writeUnified(difference)
	}
	if err != nil || difference == "" {
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

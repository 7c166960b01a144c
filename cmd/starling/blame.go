package main

import (
	"cmp"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) blameCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "blame PATH[@CHANGE]",
		Short:   "Who wrote each field of a definition, when and why",
		GroupID: groupFiles,
		Long: `Tells of each field of a definition, as it is now or as a change made it, which change wrote the
value that it has: the first one that did, also if others merged, moved or saved the file since. A
revert is the writer of what it brings back, and of a merge each side of what it brought. Comments
and layout are nobody's. What has no structure, or does not parse, is told as a whole.
The table shortens values; -o json does not.`,
		Example: `  starling blame app-1000.json
  starling blame app-1000.json@wgzkq6fqrg22`,
		Args:              takes(1, 1),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			path, change := splitVersion(args[0])
			blame, err := client.Blame(c.Context(), path, change)
			if err != nil {
				return err
			}
			return p.print(blame, func(w io.Writer) {
				printf(w, "FIELD\tVALUE\tBY\tTIME\tCHANGE\tNOTE\n")
				for _, f := range blame.Fields {
					by := author(api.ChangeHeader{Author: f.Author, Actor: f.Actor})
					printf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", cmp.Or(f.Pointer, "(whole)"), inShort(f.Value), by, clock(f.Time), short(f.Change), f.Note)
				}
			})
		},
	}
}

// maxShown is how many characters of a value a table shows.
const maxShown = 40

// inShort makes a value fit for a table.
func inShort(value string) string {
	shown := []rune(legible(strings.Join(strings.Fields(value), " ")))
	if len(shown) > maxShown {
		shown = append(shown[:maxShown-3], '.', '.', '.')
	}
	return string(shown)
}

package main

import (
	"io"

	"github.com/spf13/cobra"
)

func (p *program) lsCommand() *cobra.Command {
	var at moment
	c := &cobra.Command{
		Use:     "ls [GLOB]",
		Short:   "The definitions that the directory should hold, now or at a time",
		GroupID: groupFiles,
		Example: `  starling ls
  starling ls 'oauth/**/*.json'
  starling ls --at "2h ago"`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			list, err := client.DefinitionsAt(c.Context(), argument(args), at.Time)
			if err != nil {
				return err
			}
			return p.print(list, func(w io.Writer) {
				printf(w, "PATH\tSIZE\tCHANGE\tBY\tTIME\tCONFLICTS\n")
				for _, d := range list.Definitions {
					printf(w, "%s\t%d\t%s\t%s\t%s\t%d\n", d.Path, d.Size, short(d.Change), d.Author, clock(d.Time), d.Conflicts)
				}
			})
		},
	}
	c.Flags().Var(&at, "at", momentHelp("list what was there at this `time`"))
	return c
}

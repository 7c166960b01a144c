package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) catCommand() *cobra.Command {
	var at moment
	c := &cobra.Command{
		Use:     "cat PATH[@CHANGE]",
		Short:   "The bytes of a definition, now, at a time, or as a change made them",
		GroupID: groupFiles,
		Long: `Writes the bytes of a definition to stdout, exactly as they are, whatever --output says:
the present ones, those of a time, or those that a change made (see "starling log").`,
		Example: `  starling cat app-1000.json@wgzkq6fqrg22
  starling cat app-1000.json --at "yesterday 18:00"`,
		Args:              takes(1, 1),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			path, change := splitVersion(args[0])
			var content []byte
			switch {
			case change == "":
				content, err = client.ContentAt(c.Context(), path, at.Time)
			case at.IsZero():
				content, err = client.Content(c.Context(), path, change)
			default:
				return usage("say a change or --at, not both")
			}
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(content)
			return err
		},
	}
	c.Flags().Var(&at, "at", momentHelp("as it was at this `time`"))
	return c
}

// splitVersion takes PATH@CHANGE apart. A path may hold an @ itself; what
// follows the last one is a change only if it has the letters of an id.
func splitVersion(s string) (path, change string) {
	i := strings.LastIndexByte(s, '@')
	if i <= 0 {
		return s, ""
	}
	if rest := s[i+1:]; len(rest) >= 4 && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == "" {
		return s[:i], rest
	}
	return s, ""
}

package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) catCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "cat PATH[@CHANGE]",
		Short:   "The bytes of a definition, now or as a change made them",
		GroupID: groupFiles,
		Long: `Writes the bytes of a definition to stdout, exactly as they are, whatever --output says:
the present ones, or those that a change made (see "starling log").`,
		Args:              takes(1, 1),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			path, change := splitVersion(args[0])
			content, err := client.Content(c.Context(), path, change)
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(content)
			return err
		},
	}
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

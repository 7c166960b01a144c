package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// takes checks that a command gets so many arguments, none of which is empty, and says
// how it is called if not. What stands behind -- may be empty: it is another command's.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("call it so: %s", c.UseLine())
		}
		if own := c.ArgsLenAtDash(); own >= 0 {
			args = args[:own]
		}
		if slices.Contains(args, "") {
			return usage("an argument is empty (an unset variable?); call it so: %s", c.UseLine())
		}
		return nil
	}
}

// argument returns the first argument, or "".
func argument(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

package main

import "github.com/spf13/cobra"

// takes checks that a command gets so many arguments, and says how it is called
// if not.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("call it so: %s", c.UseLine())
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

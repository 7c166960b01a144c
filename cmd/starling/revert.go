package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) revertCommand() *cobra.Command {
	var o editOptions
	var dryRun bool
	c := &cobra.Command{
		Use:     "revert CHANGE",
		Short:   "Take back what a change did, by a new change",
		GroupID: groupFiles,
		Long: `Makes a new change that takes back what a change did to each of its paths. What was edited since
stays: the two are merged by field. A path that was not edited since has the bytes that it had before,
or is deleted if there was no file. History stays as it is, so a revert can be reverted. It is all or
nothing, and refused if somebody edited the same field since (exit code 5, the fields are named): bring
such a path back by hand, with "starling cat PATH@CHANGE" and "starling put".`,
		Example: `  starling revert wgzkq6fqrg22 --dry-run
  starling revert wgzkq6fqrg22 --note "the callback was wrong" --wait`,
		Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			if dryRun {
				plan, err := client.PreviewRevert(c.Context(), args[0])
				if err != nil {
					return err
				}
				if p.output == outputJSON {
					return p.print(plan, nil)
				}
				writeReversion(p.stdout, plan)
				return nil
			}
			done, err := client.Revert(c.Context(), api.Reversion{Change: args[0], Note: o.note, Actor: o.actor})
			if err != nil {
				return err
			}
			return p.made(c.Context(), client, edited{Changes: done.Changes}, o.wait)
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would change")
	return c
}

func writeReversion(w io.Writer, plan api.Reverted) {
	for i, e := range plan.Edits {
		if i > 0 {
			printf(w, "\n")
		}
		printf(w, "%s %s\n", e.Kind, e.Path)
		writeComparison(w, e.Comparison)
	}
}

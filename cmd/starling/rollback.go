package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) rollbackCommand() *cobra.Command {
	var o editOptions
	var at moment
	var dryRun, yes bool
	c := &cobra.Command{
		Use:     "rollback --at TIME [PATH...]",
		Short:   "Bring back what was at a time, by new changes",
		GroupID: groupFiles,
		Long: `Makes new changes that give every path, or those that are named, the bytes that it had at a time:
what was not there then is deleted, what is gone comes back. A PATH can be a glob. History stays as
it is, so a rollback can be rolled back. What a revoked node was purged of does not come back.

The time is that of the clocks of those who made the changes. A change by a clock that was ahead is
taken for made later, one by a clock that was behind for made earlier, and with it all that it was
made on: look at --dry-run first.`,
		Example: `  starling rollback --at "yesterday 18:00" --dry-run
  starling rollback --at "2h ago" 'oauth/**' --note "the new scopes were wrong" --wait`,
		Args:              takes(0, math.MaxInt),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			if at.IsZero() {
				return usage("say to what time, by --at: %v", errMoment)
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			rollback := api.Rollback{At: at.Time, Paths: args, Note: o.note, Actor: o.actor}
			if dryRun {
				return p.showRollback(c, client, rollback)
			}
			if !yes {
				if !isTerminal(p.stdin) {
					return usage("rollback changes and deletes on all nodes: look at it with --dry-run, and say --yes if it is meant")
				}
				plan, err := client.PreviewRollback(c.Context(), rollback)
				if err != nil {
					return err
				}
				if len(plan.Edits) > 0 && !p.confirm(fmt.Sprintf("Go back to %s (%s) on all nodes?", clock(at.Time), tally(plan.Edits))) {
					return &exit{exitProblem, fmt.Errorf("nothing was changed")}
				}
			}
			done, err := client.RollBack(c.Context(), rollback)
			if err != nil {
				return err
			}
			if len(done.Edits) == 0 {
				p.say("Nothing to do: all is as it was at %s.", clock(at.Time))
			}
			return p.made(c.Context(), client, edited{Changes: done.Changes}, o.wait)
		},
	}
	o.flags(c)
	c.Flags().Var(&at, "at", momentHelp("to this `time`"))
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would change")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// showRollback shows what a rollback would do.
func (p *program) showRollback(c *cobra.Command, client *api.Client, rollback api.Rollback) error {
	plan, err := client.PreviewRollback(c.Context(), rollback)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.print(plan, nil)
	}
	writeReversion(p.stdout, plan)
	if len(plan.Edits) == 0 {
		p.say("Nothing to do: all is as it was at %s.", clock(rollback.At))
	} else {
		p.say("To do: %s.", tally(plan.Edits))
	}
	return nil
}

// tally counts edits by what they do.
func tally(edits []api.RevertedEdit) string {
	kinds := make(map[string]int)
	for _, e := range edits {
		kinds[e.Kind]++
	}
	var parts []string
	for _, kind := range []string{"edit", "create", "delete"} {
		if n := kinds[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", kind, n))
		}
	}
	return strings.Join(parts, ", ")
}

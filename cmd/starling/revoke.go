package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) revokeCommand() *cobra.Command {
	request := api.RevocationRequest{}
	var keep, purge, yes bool
	c := &cobra.Command{
		Use:     "revoke NODE [--keep|--purge]",
		Short:   "End the membership of a node, for good",
		GroupID: groupCluster,
		Long: `Ends the membership of a node, named by its name or peer id; by its id only, if others
have had the name. Its connections are closed,
and what it changes from now on has no effect on the others. What it changed so far stays
(--keep), or loses its effect too (--purge). First it is shown what would lose its effect;
without --yes nothing is done until you say so. If two nodes have signed with its key, --keep
keeps the changes of one of them only: --last CHANGE says whose, and up to which.

Its key is never granted again: to come back, the node joins anew with another data
directory. It still has what it read, and the network's pre-shared key. Only the node that holds the
authority key can revoke.`,
		Example: `  starling revoke node-b --reason "disk left the building"
  starling revoke node-b --purge --yes`,
		Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			request.Member, request.Mode = args[0], "keep"
			switch {
			case keep && purge:
				return usage("say --keep or --purge, not both")
			case purge:
				request.Mode = "purge"
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			effect, err := client.PreviewRevoke(c.Context(), request)
			if err != nil {
				return err
			}
			p.sayRevocation(effect)
			if !yes {
				if !isTerminal(p.stdin) {
					return usage("revoke cannot be taken back: say --yes if that is meant")
				}
				if !p.confirm(fmt.Sprintf("Revoke %s?", effect.Name)) {
					return &exit{exitProblem, fmt.Errorf("nobody was revoked")}
				}
			}
			request.Member, request.Last = effect.ID, effect.LastChange // that which was shown
			if effect, err = client.Revoke(c.Context(), request); err != nil {
				return err
			}
			return p.print(effect, func(w io.Writer) { printf(w, "revoked\t%s\t%s\n", effect.Name, effect.ID) })
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "what it changed so far stays (the default)")
	c.Flags().BoolVar(&purge, "purge", false, "none of its changes counts any more")
	c.Flags().StringVar(&request.Last, "last", "", "with --keep: its last `change` that keeps its effect (default: the one with the highest number)")
	c.Flags().StringVar(&request.Reason, "reason", "", "why; all members can read this `text`")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// sayRevocation says what a revocation would take effect on.
func (p *program) sayRevocation(e api.RevocationEffect) {
	p.say("%s (%s) has made %s.", e.Name, e.ID, count(int(e.Made), "change"))
	switch {
	case e.Changes > 0 || len(e.Paths) > 0:
		p.say("Of them, what stands now and would lose its effect: %s, on %s:", count(e.Changes, "change"), count(len(e.Paths), "path"))
		gone := make(map[string]bool)
		for _, path := range e.Gone {
			gone[path] = true
		}
		for _, path := range e.Paths[:min(len(e.Paths), namedPaths)] {
			if gone[path] {
				p.say("  %s: no file is left", path)
			} else {
				p.say("  %s", path)
			}
		}
		if more := len(e.Paths) - namedPaths; more > 0 {
			p.say("  and %d more", more)
		}
	case e.Mode == "keep":
		p.say("No change that is here would lose its effect; those that have not arrived here yet would.")
	default:
		p.say("None of its changes stands now.")
	}
	if len(e.Remains) > 0 {
		p.say("What it wrote and others have kept in edits of their own stands all the same: %s. Look at them, and edit what is not to stay:", count(len(e.Remains), "field"))
		for _, f := range e.Remains[:min(len(e.Remains), shownPaths)] {
			p.say("  %s %s: %s, kept by %s", f.Path, cmp.Or(f.Pointer, wholeFile), briefText(f.Value), f.By)
		}
		if more := len(e.Remains) - shownPaths; more > 0 {
			p.say("  and %d more: see them with -o json", more)
		}
	}
	if e.Forked && e.Mode == "keep" {
		p.say("Two nodes have signed with its key: only the changes up to %s, and those that they follow, keep their effect. Say --last CHANGE to keep others.", e.LastChange)
	}
}

const (
	// shownPaths is how many paths a message spells out.
	shownPaths = 20
	// namedPaths is how many it does where they are what a revocation takes.
	namedPaths = 1000
)

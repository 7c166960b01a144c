package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) approveCommand() *cobra.Command {
	var restore, all bool
	c := &cobra.Command{
		Use:     "approve [ID | --all] [--restore]",
		Short:   "List what the guard holds back, and decide about it",
		GroupID: groupCluster,
		Long: `When very many files go at once, or all, or go back to what they were, or are overwritten
by something else, or are copied, this node does not tell the others: a directory that was
emptied, restored or overwritten by accident must not do the same to all. Without an argument
the held sets are listed. With the id of a set, exactly that set is published; with --restore
its files are put back here instead. --all decides about every set that is held now.`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usage("give either an ID or --all")
			case restore && !all && len(args) == 0:
				return usage("say which set to restore: approve ID --restore, or approve --all --restore")
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			if !all && len(args) == 0 {
				list, err := client.Approvals(c.Context())
				if err != nil {
					return err
				}
				return p.print(list, func(w io.Writer) { writeApprovals(w, list) })
			}
			decide := client.Approve
			if restore {
				decide = client.Restore
			}
			if all {
				return p.decideAll(c.Context(), client, decide, restore)
			}
			decided, err := decide(c.Context(), args[0])
			if err != nil {
				return err
			}
			return p.printDecided(decided, restore)
		},
	}
	c.Flags().BoolVar(&restore, "restore", false, "put the files back instead")
	c.Flags().BoolVar(&all, "all", false, "decide about all sets that are held")
	return c
}

// decideAll decides about every set that is held now, the oldest first, and goes on after one
// that fails.
func (p *program) decideAll(ctx context.Context, client *api.Client, decide func(context.Context, string) (api.Decided, error), restore bool) error {
	list, err := client.Approvals(ctx)
	if err != nil {
		return err
	}
	sum := api.Decided{Paths: []string{}, Stay: []string{}}
	var failed error
	for _, set := range list.Approvals {
		decided, err := decide(ctx, set.ID)
		if err != nil {
			if failed != nil {
				p.say("starling: %v", failed)
			}
			failed = err
			continue
		}
		sum.Paths = append(sum.Paths, decided.Paths...)
		sum.Stay = append(sum.Stay, decided.Stay...)
	}
	if len(sum.Paths) == 0 && failed != nil {
		return failed
	}
	if err := p.printDecided(sum, restore); err != nil {
		return err
	}
	return failed
}

// printDecided says what came of a decision.
func (p *program) printDecided(d api.Decided, restored bool) error {
	switch {
	case len(d.Paths) == 0:
		p.say("Nothing is held back.")
	case restored:
		p.say("%s put back.", areFiles(len(d.Paths)))
	default:
		p.say("Published: %s; the other members follow.", count(len(d.Paths), "file"))
	}
	for _, path := range d.Stay {
		p.say("%s stays: another member edited it after it was deleted here, and an edit wins against a deletion.", path)
	}
	if p.output == outputJSON {
		return p.print(d, nil)
	}
	return nil
}

func areFiles(n int) string {
	if n == 1 {
		return "1 file is"
	}
	return fmt.Sprintf("%d files are", n)
}

func writeApprovals(w io.Writer, list api.ApprovalList) {
	if len(list.Approvals) == 0 {
		printf(w, "nothing is held back\n")
		return
	}
	printf(w, "ID\tSINCE\tFILES\tREASON\tPATHS\n")
	for _, a := range list.Approvals {
		paths := a.Paths
		more := ""
		if len(paths) > shownEdits {
			more = fmt.Sprintf(", %d more", len(paths)-shownEdits)
			paths = paths[:shownEdits]
		}
		printf(w, "%s\t%s\t%d\t%s\t%s%s\n", a.ID, clock(a.Since), len(a.Paths), a.Reason, strings.Join(paths, ", "), more)
	}
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) approveCommand() *cobra.Command {
	var restore bool
	c := &cobra.Command{
		Use:     "approve [ID [--restore]]",
		Short:   "What the deletion guard holds back, and what becomes of it",
		GroupID: groupCluster,
		Long: `When very many files go at once, or all, or go back to what they were, this node does not
tell the others: a directory that was emptied or restored by accident must not do the
same to all. Without an argument the held sets are listed. With the id of a set,
exactly that set is published; with --restore its files are put back here instead.`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			switch {
			case len(args) == 0 && restore:
				return usage("say which set to restore: approve ID --restore")
			case len(args) == 0:
				list, err := client.Approvals(c.Context())
				if err != nil {
					return err
				}
				return p.print(list, func(w io.Writer) { writeApprovals(w, list) })
			case restore:
				if err := client.Restore(c.Context(), args[0]); err != nil {
					return err
				}
				p.say("The files are put back.")
				return nil
			}
			if err := client.Approve(c.Context(), args[0]); err != nil {
				return err
			}
			p.say("Published: the other members follow.")
			return nil
		},
	}
	c.Flags().BoolVar(&restore, "restore", false, "put the files back instead")
	return c
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

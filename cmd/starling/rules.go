package main

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

func (p *program) rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "rules [N]",
		Short:   "The version of the merge rules, and how to raise it",
		GroupID: groupCluster,
		Long: `Shows which version of the merge rules is in force in the cluster and which this node's
program knows. With a number that version is put in force: do so once every node runs a
program that knows it; one that does not holds merged files until it is upgraded. There
is no way back. Only the node that holds the authority key can.`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			rules, err := client.Rules(c.Context())
			if err != nil {
				return err
			}
			if len(args) > 0 {
				version, err := strconv.ParseUint(args[0], 10, 32)
				if err != nil || version == 0 {
					return usage("%s is no version of the merge rules: want a number from 1", args[0])
				}
				before := rules.InForce
				if rules, err = client.SetRules(c.Context(), uint32(version)); err != nil {
					return err
				}
				if rules.InForce == before {
					p.say("Rules %d were in force already.", before)
				} else {
					p.say("Rules %d are in force; the other members follow.", rules.InForce)
				}
			}
			return p.print(rules, func(w io.Writer) {
				printf(w, "in force\t%d\n", rules.InForce)
				printf(w, "known here\t%d\n", rules.Known)
			})
		},
	}
}

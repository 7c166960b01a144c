package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) rmCommand() *cobra.Command {
	var o editOptions
	var yes bool
	c := &cobra.Command{
		Use:     "rm PATH...",
		Short:   "Delete definitions, on all nodes",
		GroupID: groupFiles,
		Long: `Deletes definitions on all nodes, in one change. Their history stays, and with it the way
back ("starling cat PATH@CHANGE").`,
		Args:              takes(1, math.MaxInt),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			if !yes {
				if !isTerminal(p.stdin) {
					return usage("rm deletes on all nodes: say --yes if that is meant")
				}
				if !p.confirm(fmt.Sprintf("Delete %s on all nodes?", strings.Join(args, ", "))) {
					return &exit{exitProblem, fmt.Errorf("nothing was deleted")}
				}
			}
			edits := make([]api.Edit, 0, len(args))
			for _, path := range args {
				edits = append(edits, api.Edit{Path: path, Deleted: true})
			}
			return p.edit(c.Context(), edits, o)
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// confirm asks a question on the terminal; only y and yes are a yes.
func (p *program) confirm(question string) bool {
	printf(p.stderr, "%s [y/N] ", question)
	line, err := p.readLine()
	if err != nil {
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// readLine reads one line of stdin and nothing behind it.
func (p *program) readLine() (string, error) {
	var line []byte
	for c := make([]byte, 1); ; {
		switch n, err := p.stdin.Read(c); {
		case n > 0 && c[0] == '\n':
			return string(line), nil
		case n > 0:
			line = append(line, c[0])
		case err != nil:
			return string(line), err
		}
	}
}

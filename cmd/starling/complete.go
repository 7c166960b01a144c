package main

import (
	"github.com/spf13/cobra"
)

// completePath completes a definition's path for the shell, by asking the node.
// Without a node there is nothing to offer.
func (p *program) completePath(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	client, err := p.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := client.Definitions(c.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	paths := make([]cobra.Completion, 0, len(list.Definitions))
	for _, d := range list.Definitions {
		if legible(d.Path) == d.Path { // else the shell would print it as it is
			paths = append(paths, d.Path)
		}
	}
	return paths, cobra.ShellCompDirectiveNoFileComp
}

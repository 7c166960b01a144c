package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

// maxInput bounds what put reads: more than any definition may have, so that
// the node is the one to refuse.
const maxInput = 1 << 20

func (p *program) putCommand() *cobra.Command {
	var o editOptions
	var base []string
	c := &cobra.Command{
		Use:     "put PATH [FILE|-]",
		Short:   "Write a definition",
		GroupID: groupFiles,
		Long: `Writes a definition from a file or from stdin, as if the file in the directory had been
saved. It is on this node's disk when the command ends. It takes the place of what stands now; with
--base it is an edit of what that change made: what others have edited since then stays, and where both
changed the same it is a conflict. With --strict it is refused, with exit code 5,
if "starling check" would have errors for it, among them an id that another definition has.`,
		Example: `  starling put app-1000.json new.json --note "new callback" --wait
  starling put app-1000.json new.json --base wgzkq6fqrg22`,
		Args: takes(1, 2),
		ValidArgsFunction: func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault // the file to read
			}
			return p.completePath(c, args, begun)
		},
		RunE: func(c *cobra.Command, args []string) error {
			content, err := p.input(argument(args[1:]))
			if err != nil {
				return err
			}
			return p.edit(c.Context(), []api.Edit{{Path: args[0], Content: content, Base: base}}, o)
		},
	}
	o.flags(c)
	o.strictFlag(c)
	c.Flags().StringSliceVar(&base, "base", nil, "the `change` whose version was read; several if they are merged")
	return c
}

// input reads a definition's bytes from a file, or from stdin for "" and "-".
func (p *program) input(file string) ([]byte, error) {
	from := p.stdin
	if file != "" && file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read definition: %w", err)
		}
		defer opened.Close()
		from = opened
	}
	content, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	if len(content) > maxInput {
		return nil, usage("read definition: more than %d bytes", maxInput)
	}
	return content, nil
}

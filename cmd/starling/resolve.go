package main

import (
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) resolveCommand() *cobra.Command {
	var o editOptions
	var resolution api.Resolution
	var file string
	c := &cobra.Command{
		Use:     "resolve PATH... --take CHANGE|--merged|--file FILE",
		Short:   "End the conflicts of definitions, on all nodes",
		GroupID: groupFiles,
		Long: `Ends the conflicts of definitions by one change that has all that was in conflict below it, so
that they end on every node. What is to stand is what a change made (--take; it may be a
deletion), what stands now (--merged), or a file (--file, - for stdin). A PATH can be a glob over
the paths that have conflicts.`,
		Example: `  starling resolve app-1000.json --take wgzkq6fqrg22 --note "agreed with the owner"
  starling resolve 'oauth/**' --merged`,
		Args:              takes(1, math.MaxInt),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			ways := 0
			for _, flag := range []string{"take", "merged", "file"} {
				if c.Flags().Changed(flag) {
					ways++
				}
			}
			if ways != 1 || c.Flags().Changed("merged") && !resolution.Merged {
				return usage("say what is to stand, by one of --take CHANGE, --merged and --file FILE")
			}
			resolution.Paths, resolution.Strict, resolution.Note, resolution.Actor = args, o.strict, o.note, o.actor
			if c.Flags().Changed("file") {
				content, err := p.input(file)
				if err != nil {
					return err
				}
				if len(content) == 0 {
					return usage("what is to stand is empty: to delete, resolve with --merged and then use rm")
				}
				resolution.Content = content
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			done, err := client.Resolve(c.Context(), resolution)
			if err != nil {
				return err
			}
			if len(done.Skipped) > 0 {
				p.say("Not resolved, because other paths are held in their place (rename or delete one of each two): %s", strings.Join(done.Skipped, ", "))
			}
			return p.made(c.Context(), client, edited{Changes: done.Changes, Skipped: done.Skipped}, o.wait)
		},
	}
	o.flags(c)
	o.strictFlag(c)
	c.Flags().StringVar(&resolution.Take, "take", "", "what this `change` made is to stand")
	c.Flags().BoolVar(&resolution.Merged, "merged", false, "what stands now is to stand")
	c.Flags().StringVar(&file, "file", "", "the bytes of this `file` are to stand (- for stdin)")
	return c
}

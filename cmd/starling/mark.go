package main

import (
	"io"

	"github.com/spf13/cobra"
)

func (p *program) markCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "mark",
		Short:   "Mark the directory again, so that a node that has stopped goes on",
		GroupID: groupCluster,
		Long: `A node whose directory has lost its marker (the file .starling) stops: an unmounted or
emptied directory lacks it too. If the files are the right ones, this command writes the
marker again and the node goes on. Whatever was changed or deleted meanwhile is published, as
far as the guard lets it ("starling approve"). An empty directory is not marked: see
"starling refill".`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			marked, err := client.Mark(c.Context())
			if err != nil {
				return err
			}
			if !marked.Marked {
				p.say("The directory has its marker: nothing was done.")
			} else {
				p.say("The directory is marked again and the node goes on.")
			}
			return p.print(marked, func(w io.Writer) {
				printf(w, "as they were\t%d\n", marked.Same)
				printf(w, "changed\t%d\n", marked.Changed)
				printf(w, "missing\t%d\n", marked.Missing)
			})
		},
	}
}

func (p *program) refillCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "refill",
		Short:   "Fill an empty directory that has lost its marker, and publish no deletion",
		GroupID: groupCluster,
		Long: `For a directory that has lost all its files together with its marker and is meant to be as
the others are: a new disk, a volume that does not last. The node, which has stopped, marks the
directory, writes every file that the cluster holds and goes on. A directory with files in it
is refused: see "starling mark". A node whose directory is empty at every start can be run
with "starling run --refill" instead.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			if err := client.Refill(c.Context()); err != nil {
				return err
			}
			p.say("The directory is marked and is being filled.")
			return nil
		},
	}
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/node"
)

func (p *program) joinCommand() *cobra.Command {
	var o node.JoinOptions
	c := &cobra.Command{
		Use:     "join --dir DIR [TOKENFILE|-]",
		Short:   "Make this node a member of a cluster",
		GroupID: groupStart,
		Long: `Makes this node a member of the cluster that the token is of. The token comes from a
file or from stdin. The directory may hold files already: nothing is overwritten
without a trace, nothing that the cluster deleted comes back, and where a file differs
the cluster's stands and this node's is listed as a conflict.`,
		Example: `  starling join --dir /etc/cas/services token
  ssh authority starling invite | starling join --dir /etc/cas/services -`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.Dir == "" {
				return usage("name the directory to keep equal with --dir")
			}
			token, err := p.token(argument(args))
			if err != nil {
				return err
			}
			o.Data, o.Token = p.data, token
			end := p.progress("joining the cluster")
			joined, err := node.Join(c.Context(), o)
			end()
			if err != nil {
				return err
			}
			if err := p.printIdentity(joined); err != nil {
				return err
			}
			p.say(`This node is a member now. "starling run" brings the directory up to date and keeps it so.`)
			return nil
		},
	}
	startFlags(c, &o.Dir, &o.Name, &o.Listen)
	return c
}

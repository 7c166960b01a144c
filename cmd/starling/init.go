package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/node"
)

// identity is what init and join print.
type identity struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
	Dir     string `json:"dir"`
	Data    string `json:"data"`
}

func (p *program) printIdentity(i node.Identity) error {
	v := identity{Name: i.Name, ID: i.Peer.String(), Cluster: i.Cluster.String(), Dir: i.Dir, Data: p.data}
	return p.print(v, func(w io.Writer) {
		printf(w, "node\t%s\n", v.Name)
		printf(w, "id\t%s\n", v.ID)
		printf(w, "cluster\t%s\n", v.Cluster)
		printf(w, "directory\t%s\n", v.Dir)
		printf(w, "data\t%s\n", v.Data)
	})
}

func (p *program) initCommand() *cobra.Command {
	var o node.InitOptions
	c := &cobra.Command{
		Use:     "init --dir DIR",
		Short:   "Make a new cluster, with this node as its first member and authority",
		GroupID: groupStart,
		Long: `Makes a new cluster with this node as its first member and its authority: the
only node that can invite and revoke. What the directory holds is what the cluster
begins with. No file in it is changed.`,
		Example: `  starling init --dir /etc/cas/services
  starling run`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Dir == "" {
				return usage("name the directory to keep equal with --dir")
			}
			o.Data = p.data
			made, err := node.Init(c.Context(), o)
			if err != nil {
				return err
			}
			if err := p.printIdentity(made); err != nil {
				return err
			}
			p.say(`Only this node's authority key can invite and revoke. Take a copy of it away from here now: "starling authority export FILE".`)
			return nil
		},
	}
	startFlags(c, &o.Dir, &o.Name, &o.Listen)
	return c
}

// startFlags adds what init and join ask of a new node.
func startFlags(c *cobra.Command, dir, name, listen *string) {
	c.Flags().StringVar(dir, "dir", "", "`directory` to keep equal")
	c.Flags().StringVar(name, "name", "", "`name` of this node in the cluster (default: the host's name)")
	c.Flags().StringVar(listen, "listen", "", "`address` to listen on (default /ip4/0.0.0.0/tcp/4747)")
}

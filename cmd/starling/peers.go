package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) peersCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "peers",
		Short:   "The members, reachable or not, and how far each is",
		GroupID: groupCluster,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			list, err := client.Peers(c.Context())
			if err != nil {
				return err
			}
			return p.print(list, func(w io.Writer) {
				printf(w, "NAME\tROLE\tREACHABLE\tSTATE\tCHANGES\tREFUSED\tLAST SEEN\tADDRESS\n")
				for _, peer := range list.Peers {
					printf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n",
						peer.Name, peer.Role, reachable(peer), lag(peer), peer.Changes, refused(peer), lastSeen(peer), argument(peer.Addrs))
				}
			})
		},
	}
}

func reachable(peer api.Peer) string {
	switch {
	case peer.Self:
		return "self"
	case peer.Revoked:
		return "revoked"
	}
	return yesNo(peer.Reachable)
}

func lag(peer api.Peer) string {
	switch {
	case peer.Self || peer.Equal:
		return "equal"
	case peer.Behind > 0 && peer.Ahead > 0:
		return fmt.Sprintf("%d behind, %d ahead", peer.Behind, peer.Ahead)
	case peer.Behind > 0:
		return fmt.Sprintf("%d behind", peer.Behind)
	case peer.Ahead > 0:
		return fmt.Sprintf("%d ahead", peer.Ahead)
	}
	return "unknown"
}

// refused is how many of the member's blocks this node has refused.
func refused(peer api.Peer) (total uint64) {
	for _, n := range peer.Refused {
		total += n
	}
	return total
}

func lastSeen(peer api.Peer) string {
	switch {
	case peer.Self || peer.Reachable:
		return "now"
	case peer.LastSeen == nil:
		return "never"
	}
	return clock(*peer.LastSeen)
}

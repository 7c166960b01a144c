package discovery

import (
	"context"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// Internals whose rules are worth a table of their own.
var (
	Backoff     = backoff
	ServiceName = serviceName
	Dialable    = dialable
)

// Plausible returns what a node on h keeps of the addresses that a source names
// for one peer.
func Plausible(h host.Host, addrs []ma.Multiaddr) []ma.Multiaddr {
	return newWhereabouts(h, slog.New(slog.DiscardHandler)).plausible(addrs)
}

// Propose names a peer as the local network would.
func (d *Discovery) Propose(info peer.AddrInfo) { d.dialer.propose(context.Background(), info) }

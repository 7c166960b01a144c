package discovery

import (
	"log/slog"

	"github.com/libp2p/go-libp2p/core/host"
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

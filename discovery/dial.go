package discovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// dialReason tells the swarm to dial although its own backoff, which grows to
	// five minutes, says not yet: the one here rules.
	dialReason = "discovery has a backoff of its own"

	// dialTimeout bounds one dial to all addresses of a peer.
	dialTimeout = 10 * time.Second

	// maxKnownAddrs is how many addresses the host may know of one peer.
	maxKnownAddrs = 64
)

var errNoAddress = errors.New("no address is known")

// dial connects to p: at the addresses, at those that the host knows besides, and
// if that fails at those that the DHT knows. It blocks.
func (d *dialer) dial(ctx context.Context, p peer.ID, addrs []ma.Multiaddr) error {
	known := len(d.host.Peerstore().Addrs(p))
	if known > maxKnownAddrs {
		// The host keeps each address for minutes and dials all of them. So many are
		// a liar's.
		d.host.Peerstore().ClearAddrs(p)
		known = 0
	}
	err := errNoAddress
	if len(addrs)+known > 0 {
		ctx, cancel := context.WithTimeout(network.WithForceDirectDial(ctx, dialReason), dialTimeout)
		err = d.host.Connect(ctx, peer.AddrInfo{ID: p, Addrs: addrs})
		cancel()
	}
	if err == nil || d.lookup == nil || !d.wants(p) {
		return err
	}
	if lookupErr := d.lookup(ctx, p); lookupErr != nil {
		return fmt.Errorf("%w; %w", err, lookupErr)
	}
	return nil
}

package discovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
)

// lookupTimeout bounds one lookup; a member that is up answers in milliseconds,
// but on the way there may be some that are down.
const lookupTimeout = 10 * time.Second

// errNoWay means that nobody who could be asked is connected.
var errNoWay = errors.New("no connected peer takes part in the DHT")

// table is the private Kademlia DHT. It is used for one thing: to ask the members
// that are connected for the addresses of one that is not. It stores no values and
// no provider records, so there is nothing that a member could fill it with.
//
// It learns of every peer that identifies itself on a connection, and refreshes
// itself when it is small and gains one; so nothing here does.
type table struct {
	host host.Host
	dht  *dht.IpfsDHT
}

// startTable starts the DHT of one cluster. Lookups dial only whom member names.
// Addresses that peers name go through plausible before they are used.
func startTable(h host.Host, cluster string, member func(peer.ID) bool, plausible func([]ma.Multiaddr) []ma.Multiaddr) (*table, error) {
	d, err := dht.New(h,
		dht.ProtocolPrefix(protocol.ID("/starling/0/"+cluster)),
		dht.Mode(dht.ModeServer),
		dht.DisableProviders(),
		dht.DisableValues(),
		dht.AddressFilter(plausible),
		dht.QueryFilter(func(_ any, asked peer.AddrInfo) bool { return member(asked.ID) }),
	)
	if err != nil {
		return nil, fmt.Errorf("start the DHT: %w", err)
	}
	return &table{host: h, dht: d}, nil
}

// find looks p up and connects to it. It blocks until it is done or ctx ends.
func (t *table) find(ctx context.Context, p peer.ID) error {
	if t.dht.RoutingTable().Size() == 0 {
		return errNoWay
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := t.dht.FindPeer(ctx, p)
	if err != nil {
		return fmt.Errorf("look up in the DHT: %w", err)
	}
	// The lookup has dialed it already, unless the swarm held an address back for
	// its own backoff.
	return t.host.Connect(network.WithForceDirectDial(ctx, dialReason), found)
}

func (t *table) close() error { return t.dht.Close() }

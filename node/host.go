package node

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/pnet"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// privateHost are the options of every host: TCP, Noise and yamux inside the
// pre-shared key, which excludes the other transports, and nothing that talks
// to anybody outside the cluster.
func privateHost(key crypto.PrivKey, psk pnet.PSK) []libp2p.Option {
	return []libp2p.Option{
		libp2p.Identity(key),
		libp2p.PrivateNetwork(psk),
		// With SO_REUSEPORT two processes could share a port unnoticed.
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.Ping(false),
		libp2p.UserAgent("starling"),
	}
}

// joiningHost only dials.
func joiningHost(key crypto.PrivKey, psk pnet.PSK) (host.Host, error) {
	h, err := libp2p.New(append(privateHost(key, psk), libp2p.NoListenAddrs)...)
	if err != nil {
		return nil, fmt.Errorf("start network: %w", err)
	}
	return h, nil
}

// listeningHost is a node's host.
func listeningHost(s secrets, c Config, gater connmgr.ConnectionGater) (host.Host, error) {
	resources, err := resourceManager()
	if err != nil {
		return nil, fmt.Errorf("start network: %w", err)
	}
	options := append(privateHost(s.key, s.psk),
		libp2p.ResourceManager(resources),
		libp2p.ListenAddrStrings(c.Listen...),
		libp2p.ConnectionGater(gater),
	)
	if len(c.Announce) > 0 {
		var announce []ma.Multiaddr
		for _, s := range c.Announce {
			a, err := ma.NewMultiaddr(s)
			if err != nil {
				return nil, fmt.Errorf("start network: %w: announce: %w", ErrConfig, err)
			}
			announce = append(announce, a)
		}
		options = append(options, libp2p.AddrsFactory(func([]ma.Multiaddr) []ma.Multiaddr { return announce }))
	}
	h, err := libp2p.New(options...)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %v: %w: stop it, or choose another with --listen: %w", c.Listen, ErrInUse, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %v: %w: %w", c.Listen, ErrPermission, err)
	case err != nil:
		return nil, fmt.Errorf("start network: %w", err)
	}
	return h, nil
}

// maxPerAddress is how many connections may come from one address: a whole
// cluster may be behind one NAT. Libp2p's default is 8.
const maxPerAddress = 256

func resourceManager() (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	return rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.AutoScale()),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: maxPerAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: maxPerAddress}},
		),
		rcmgr.WithMetricsDisabled(),
	)
}

// resolvePorts replaces port 0 in the configured addresses by the port that was
// found, so that others can find the node again after a restart.
func resolvePorts(listen []string, found []ma.Multiaddr) (resolved []string, changed bool) {
	for i, s := range listen {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return listen, false
		}
		if port, err := a.ValueForProtocol(ma.P_TCP); err != nil || port != "0" || i >= len(found) {
			resolved = append(resolved, s)
			continue
		}
		port, err := found[i].ValueForProtocol(ma.P_TCP)
		if err != nil {
			return listen, false
		}
		var out ma.Multiaddr
		for _, part := range a {
			if part.Protocol().Code == ma.P_TCP {
				fresh, err := ma.NewComponent("tcp", port)
				if err != nil {
					return listen, false
				}
				part = *fresh
			}
			out = append(out, part)
		}
		resolved, changed = append(resolved, out.String()), true
	}
	return resolved, changed
}

package trust

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Host wraps a host so that only members are spoken to: a stream that comes in for
// a handler set through it, and a stream that NewStream opens, waits until the
// remote is a member, at most HelloTimeout, and is reset if it does not become one.
// The open protocols pass at once. Gossip, routing and block exchange that know
// only this host are never reached by a stranger and never speak to one.
//
// What libp2p itself sets on the inner host is not gated: identify, and unless
// switched off ping and the circuit relay. Handlers set on Mux or Network are not
// gated either, and must not be.
func (g *Gate) Host(h host.Host) host.Host { return &gatedHost{Host: h, gate: g} }

type gatedHost struct {
	host.Host
	gate *Gate
}

func (h *gatedHost) SetStreamHandler(pid protocol.ID, handler network.StreamHandler) {
	h.Host.SetStreamHandler(pid, h.gated(pid, handler))
}

func (h *gatedHost) SetStreamHandlerMatch(pid protocol.ID, match func(protocol.ID) bool, handler network.StreamHandler) {
	h.Host.SetStreamHandlerMatch(pid, match, h.gated(pid, handler))
}

// gated wraps a handler. What counts is the name that it is set under, so that no
// matching function can open a gated handler to strangers.
func (h *gatedHost) gated(pid protocol.ID, handler network.StreamHandler) network.StreamHandler {
	if h.open(pid) {
		if pid != JoinProtocol {
			return handler
		}
		return func(s network.Stream) {
			h.gate.joining(s.Conn())
			handler(s)
		}
	}
	return func(s network.Stream) {
		if err := h.gate.await(context.Background(), s.Conn().RemotePeer()); err != nil {
			h.gate.o.Logger.Debug("reset a stream of a node that is no member", "peer", s.Conn().RemotePeer(), "err", err)
			s.Reset()
			return
		}
		handler(s)
	}
}

// NewStream connects if need be, waits for the peer to be a member, and opens the
// stream.
func (h *gatedHost) NewStream(ctx context.Context, p peer.ID, pids ...protocol.ID) (network.Stream, error) {
	if len(pids) > 0 && !slices.ContainsFunc(pids, func(pid protocol.ID) bool { return !h.open(pid) }) {
		return h.Host.NewStream(ctx, p, pids...)
	}
	if !h.gate.IsMember(p) {
		// The hello that makes it a member needs a connection.
		if noDial, _ := network.GetNoDial(ctx); !noDial {
			if err := h.Connect(ctx, peer.AddrInfo{ID: p}); err != nil {
				return nil, err
			}
		}
		if err := h.gate.await(ctx, p); err != nil {
			return nil, fmt.Errorf("open stream to %s: %w", p, err)
		}
	}
	return h.Host.NewStream(ctx, p, pids...)
}

func (h *gatedHost) open(pid protocol.ID) bool {
	return slices.Contains(h.gate.o.OpenProtocols, pid)
}

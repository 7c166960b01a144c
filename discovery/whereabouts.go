package discovery

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// watchInterval is how often the machine's addresses are read again. The host has
// an event for it, but caches interface addresses for a minute before that; two
// netlink dumps in five seconds are cheap enough to be a minute faster.
const watchInterval = 5 * time.Second

// whereabouts knows the addresses of this machine and follows their change.
type whereabouts struct {
	host host.Host
	log  *slog.Logger
	last atomic.Pointer[sighting]
}

// sighting is what the machine looked like at one time.
type sighting struct {
	ips        map[netip.Addr]bool // of all interfaces; no loopback, no link-local
	listen     []ma.Multiaddr      // where the host listens, interface by interface, sorted
	interfaces []net.Interface     // those that carry multicast
}

func newWhereabouts(h host.Host, log *slog.Logger) *whereabouts {
	w := &whereabouts{host: h, log: log}
	w.look()
	return w
}

// now returns the last sighting.
func (w *whereabouts) now() *sighting { return w.last.Load() }

// watch calls changed once at the start, and again whenever the addresses or the
// interfaces are other than before, until ctx ends. moved says that this machine's
// addresses changed, and not merely which interfaces carry multicast. Connections
// from an address that is gone are closed: nothing would come through any more,
// and it would take the keep-alives most of a minute to notice.
func (w *whereabouts) watch(ctx context.Context, changed func(moved bool)) {
	changed(false)
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		before := w.now()
		after := w.look()
		if after.equal(before) {
			continue
		}
		w.hangUp(before, after)
		changed(!maps.Equal(before.ips, after.ips))
	}
}

// look takes a new sighting. What the system does not tell stays as it was.
func (w *whereabouts) look() *sighting {
	s := &sighting{ips: map[netip.Addr]bool{}}
	var addrs []ma.Multiaddr
	found, err := net.InterfaceAddrs()
	if err == nil {
		s.interfaces, err = multicastInterfaces()
	}
	if err != nil {
		w.log.Warn("cannot read this machine's addresses", "err", err)
		if before := w.now(); before != nil {
			return before
		}
	}
	for _, a := range found {
		prefix, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(prefix.IP)
		if !ok || ip.IsLinkLocalUnicast() {
			continue
		}
		if addr, err := manet.FromIP(prefix.IP); err == nil {
			addrs = append(addrs, addr)
		}
		if ip = ip.Unmap(); !ip.IsLoopback() {
			s.ips[ip] = true
		}
	}
	if len(addrs) > 0 {
		// An error means that nothing is listened on, so there is nothing to name.
		s.listen, _ = manet.ResolveUnspecifiedAddresses(w.host.Network().ListenAddresses(), addrs)
		slices.SortFunc(s.listen, ma.Multiaddr.Compare)
	}
	w.last.Store(s)
	return s
}

// hangUp closes the connections whose local address this machine had before and
// has no more. An address that it never had on an interface is left alone: there
// are setups that route whole networks to a machine.
func (w *whereabouts) hangUp(before, after *sighting) {
	for _, c := range w.host.Network().Conns() {
		ip, ok := ipOf(c.LocalMultiaddr())
		if !ok || !before.ips[ip] || after.ips[ip] {
			continue
		}
		w.log.Info("closing a connection whose local address is gone", "peer", c.RemotePeer())
		_ = c.Close() // It is dead either way.
	}
}

// plausible returns the addresses of one peer that are worth a dial: without the
// loopback addresses, unless the peer is on this machine. It is one when one of
// its addresses is, or when it has loopback addresses alone and so has this host.
func (w *whereabouts) plausible(addrs []ma.Multiaddr) []ma.Multiaddr {
	s := w.now()
	if slices.ContainsFunc(addrs, s.ours) || allLoopback(addrs) && allLoopback(s.listen) {
		return addrs
	}
	return slices.DeleteFunc(slices.Clone(addrs), manet.IsIPLoopback)
}

// announced returns the addresses that others on the local network can use. A host
// that listens on loopback alone has none.
func (s *sighting) announced() []ma.Multiaddr {
	return slices.DeleteFunc(slices.Clone(s.listen), manet.IsIPLoopback)
}

func (s *sighting) ours(a ma.Multiaddr) bool {
	ip, ok := ipOf(a)
	return ok && s.ips[ip]
}

func (s *sighting) equal(other *sighting) bool {
	return maps.Equal(s.ips, other.ips) &&
		slices.EqualFunc(s.listen, other.listen, ma.Multiaddr.Equal) &&
		slices.EqualFunc(s.interfaces, other.interfaces, func(a, b net.Interface) bool {
			return a.Index == b.Index && a.Name == b.Name
		})
}

// multicastInterfaces returns the interfaces that multicast DNS can work on, in
// the order of their index.
func multicastInterfaces() ([]net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	const needed = net.FlagUp | net.FlagRunning | net.FlagMulticast
	return slices.DeleteFunc(all, func(i net.Interface) bool {
		return i.Flags&needed != needed || i.Flags&net.FlagLoopback != 0
	}), nil
}

func ipOf(a ma.Multiaddr) (netip.Addr, bool) {
	ip, err := manet.ToIP(a)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(ip)
	return addr.Unmap(), ok
}

func allLoopback(addrs []ma.Multiaddr) bool {
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a ma.Multiaddr) bool { return !manet.IsIPLoopback(a) })
}

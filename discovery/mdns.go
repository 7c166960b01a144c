package discovery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	mdnsDomain = "local"
	// mdnsPort fills the port of the SRV record, which nobody reads: the addresses
	// are in the TXT record.
	mdnsPort = 4747
	// mdnsTTL, in seconds, is how long a browser holds back an announcement that it
	// has passed on already. Two rounds of questions: then a peer that the dialer
	// had no room for is proposed once more.
	mdnsTTL = 120
	// mdnsAddrs bounds the addresses in one announcement, so that it fits into one
	// packet, and those taken from one.
	mdnsAddrs = 8
	// mdnsSession bounds the announcements that one session of the browser takes,
	// and mdnsPause is the least time to the next session. Only a flood comes near.
	mdnsSession = 1024
	mdnsPause   = time.Second
	// mdnsText is the key of an address in the TXT record, as libp2p's discovery
	// specification has it.
	mdnsText = "dnsaddr="
)

// lan announces this host on the local network and hears others announce
// themselves, by multicast DNS (RFC 6762, RFC 6763), in the form that libp2p
// specifies: a TXT record with one dnsaddr= string for each address.
//
// go-libp2p's own package for it is not used. It announces interface addresses
// that may be a minute old, and where no interface speaks IPv6 it finds nothing and
// its Close never returns. The library below both is the same.
//
// restart and stop are called by one goroutine.
type lan struct {
	self    peer.ID
	service string
	here    *whereabouts
	found   func(context.Context, peer.AddrInfo)
	log     *slog.Logger

	server   *zeroconf.Server
	cancel   context.CancelFunc
	browsing sync.WaitGroup
}

// newLAN makes a lan that does nothing before restart. What it hears goes to
// found, one peer at a time for each IP version; found may block.
func newLAN(self peer.ID, cluster string, here *whereabouts, found func(context.Context, peer.AddrInfo), log *slog.Logger) *lan {
	return &lan{self: self, service: serviceName(cluster), here: here, found: found, log: log}
}

// serviceName derives the service's name from the cluster's id. A service name has
// at most 15 characters (RFC 6335, section 5.1): these hold 55 bits of a hash.
// Two clusters with one name would only waste each other's dials.
func serviceName(cluster string) string {
	sum := sha256.Sum256([]byte(cluster))
	name := base32.StdEncoding.EncodeToString(sum[:])[:11]
	return "_stl-" + strings.ToLower(name) + "._udp"
}

// restart announces the host's addresses of now, on the interfaces of now, and
// asks for the others. Each announcement bears a new random name: to those who
// have heard an earlier one it is news.
func (l *lan) restart(ctx context.Context) {
	l.stop()
	s := l.here.now()
	if len(s.interfaces) == 0 {
		l.log.Info("no network interface carries multicast: not looking for peers on the local network")
		return
	}

	ctx, l.cancel = context.WithCancel(ctx)
	for _, version := range []zeroconf.IPType{zeroconf.IPv4, zeroconf.IPv6} {
		l.browsing.Go(func() { l.browse(ctx, version, s) })
	}
	texts, ips := l.announcement(s)
	if len(texts) == 0 {
		return // Listening on loopback alone: others cannot come here, but may be found.
	}
	name := rand.Text()
	server, err := zeroconf.RegisterProxy(name, l.service, mdnsDomain, mdnsPort, name, ips, texts, s.interfaces, zeroconf.TTL(mdnsTTL))
	if err != nil {
		l.log.Warn("cannot announce this node on the local network", "err", err)
		return
	}
	l.server = server
}

// stop takes the announcement back and waits until nothing of it runs.
func (l *lan) stop() {
	if l.cancel == nil {
		return
	}
	l.cancel()
	l.cancel = nil
	if l.server != nil {
		l.server.Shutdown()
		l.server = nil
	}
	l.browsing.Wait()
}

// announcement returns the TXT strings, and the plain addresses that the record's
// rules want beside them.
func (l *lan) announcement(s *sighting) (texts, ips []string) {
	for _, a := range s.announced() {
		ip, ok := ipOf(a)
		if !ok || !dialable(a) || len(texts) == mdnsAddrs {
			continue
		}
		texts = append(texts, mdnsText+a.String()+"/p2p/"+l.self.String())
		ips = append(ips, ip.String())
	}
	return texts, ips
}

// browse asks over one IP version until ctx ends, and passes on what it hears.
func (l *lan) browse(ctx context.Context, version zeroconf.IPType, s *sighting) {
	for ctx.Err() == nil {
		if err := l.session(ctx, version, s); err != nil {
			l.log.Debug("no multicast over one IP version", "err", err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(mdnsPause):
		}
	}
}

// session browses until ctx ends or mdnsSession entries were heard: the library
// keeps each in memory for as long as its sender wishes, until the session ends.
func (l *lan) session(ctx context.Context, version zeroconf.IPType, s *sighting) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	entries := make(chan *zeroconf.ServiceEntry, 16)
	done := make(chan error, 1)
	go func() {
		done <- zeroconf.Browse(ctx, l.service, mdnsDomain, entries,
			zeroconf.SelectIPTraffic(version), zeroconf.SelectIfaces(s.interfaces))
	}()
	// Browse closes entries when it ends well and leaves it open when it cannot
	// begin; and it waits until its last entry is taken.
	heard := 0
	for {
		select {
		case err := <-done:
			return err
		case e, open := <-entries:
			if !open {
				return <-done
			}
			l.pass(ctx, e)
			if heard++; heard == mdnsSession {
				cancel()
			}
		}
	}
}

// pass proposes the peer that an entry names. The entry comes from anybody.
func (l *lan) pass(ctx context.Context, e *zeroconf.ServiceEntry) {
	var info peer.AddrInfo
	for _, text := range e.Text {
		s, ok := strings.CutPrefix(text, mdnsText)
		if !ok || len(info.Addrs) == mdnsAddrs {
			continue
		}
		addr, err := ma.NewMultiaddr(s)
		if err != nil {
			continue
		}
		transport, id := peer.SplitAddr(addr)
		if id == "" || info.ID != "" && id != info.ID || !dialable(transport) {
			continue
		}
		info.ID = id
		info.Addrs = append(info.Addrs, transport)
	}
	if info.ID == "" || info.ID == l.self {
		return
	}
	if info.Addrs = l.here.plausible(info.Addrs); len(info.Addrs) > 0 {
		l.found(ctx, info)
	}
}

// dialable reports whether a is an IP address and a TCP port and no more. A name
// would make this node ask a name server for whatever a stranger chose; a link-local
// address is another machine's on each interface.
func dialable(a ma.Multiaddr) bool {
	if len(a) != 2 || a[1].Protocol().Code != ma.P_TCP {
		return false
	}
	ip, ok := ipOf(a)
	return ok && !ip.IsUnspecified() && !ip.IsMulticast() && !ip.IsLinkLocalUnicast()
}

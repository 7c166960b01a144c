package trust

import (
	"net/netip"
	"sync"
	"time"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	maxAttempts   = 10          // within attemptWindow, from one address
	attemptWindow = time.Minute // fixed windows, from an address's first attempt
	maxAddresses  = 4096        // that are counted at one time
)

// attempts counts, by the address that they came from, the attempts to join that
// brought no new member. IPv6 addresses count by their /64, which one host has
// for itself.
type attempts struct {
	mu   sync.Mutex
	from map[netip.Prefix]window
}

type window struct {
	start time.Time
	count int
}

// take counts an attempt and reports whether it may go on.
func (a *attempts) take(addr multiaddr.Multiaddr, now time.Time) bool {
	key := prefixOf(addr)
	a.mu.Lock()
	defer a.mu.Unlock()
	w, known := a.from[key]
	if !known || now.Sub(w.start) >= attemptWindow || now.Before(w.start) {
		if !known && len(a.from) >= maxAddresses && !a.prune(now) {
			return false
		}
		w = window{start: now}
	}
	if w.count >= maxAttempts {
		return false
	}
	w.count++
	if a.from == nil {
		a.from = make(map[netip.Prefix]window)
	}
	a.from[key] = w
	return true
}

// giveBack uncounts an attempt that brought a new member: many nodes behind one
// address may join at once.
func (a *attempts) giveBack(addr multiaddr.Multiaddr) {
	key := prefixOf(addr)
	a.mu.Lock()
	defer a.mu.Unlock()
	if w, ok := a.from[key]; ok && w.count > 0 {
		w.count--
		a.from[key] = w
	}
}

// prune forgets the windows that are over and reports whether there is room.
func (a *attempts) prune(now time.Time) bool {
	for key, w := range a.from {
		if now.Sub(w.start) >= attemptWindow || now.Before(w.start) {
			delete(a.from, key)
		}
	}
	return len(a.from) < maxAddresses
}

// prefixOf is the zero Prefix for what is no IP address; those count as one.
func prefixOf(addr multiaddr.Multiaddr) netip.Prefix {
	ip, err := manet.ToIP(addr)
	if err != nil {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(ip)
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

package discovery_test

import (
	"slices"
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/discovery"
)

func TestLoopbackAddressesAreDroppedUnlessThePeerIsHere(t *testing.T) {
	loopbackOnly := newHost(t, newKey(t), anyPort)
	everywhere := newHost(t, newKey(t), "/ip4/0.0.0.0/tcp/0")
	nowhere := newHost(t, newKey(t), "")
	const near, far = "/ip4/127.0.0.1/tcp/4747", "/ip4/192.0.2.1/tcp/4747"
	for name, c := range map[string]struct {
		got, want []ma.Multiaddr
	}{
		"both on loopback alone":      {discovery.Plausible(loopbackOnly, addrs(near)), addrs(near)},
		"peer elsewhere":              {discovery.Plausible(loopbackOnly, addrs(near, far)), addrs(far)},
		"peer elsewhere, we anywhere": {discovery.Plausible(everywhere, addrs(near, far)), addrs(far)},
		"we do not listen":            {discovery.Plausible(nowhere, addrs(near, far)), addrs(far)},
		"no address":                  {discovery.Plausible(everywhere, nil), nil},
	} {
		if !slices.EqualFunc(c.got, c.want, ma.Multiaddr.Equal) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}

	// A peer that has one of this machine's own addresses is on this machine.
	ours := slices.DeleteFunc(everywhere.Addrs(), func(a ma.Multiaddr) bool { return strings.Contains(a.String(), "/127.") })
	if len(ours) == 0 {
		t.Skip("skipped the rest: this machine has loopback addresses alone")
	}
	named := append(addrs(near), ours[0])
	if got := discovery.Plausible(everywhere, named); !slices.EqualFunc(got, named, ma.Multiaddr.Equal) {
		t.Errorf("peer on this machine: got %v, want %v", got, named)
	}
}

func TestOnlyPlainAddressesAreTakenFromTheLocalNetwork(t *testing.T) {
	for s, want := range map[string]bool{
		"/ip4/192.0.2.1/tcp/4747":         true,
		"/ip6/2001:db8::1/tcp/4747":       true,
		"/dns4/example.org/tcp/4747":      false,
		"/dnsaddr/example.org":            false,
		"/ip4/192.0.2.1/udp/4747/quic-v1": false,
		"/ip4/192.0.2.1/udp/4747":         false,
		"/ip4/192.0.2.1/tcp/80/ws":        false,
		"/ip4/192.0.2.1/tcp/4747/p2p/12D3KooWGRUVh7hWt6bKrRPzKYbDBuWJdxAPHZGSMDHqGbfDdLSe/p2p-circuit": false,
		"/ip4/192.0.2.1":                   false,
		"/ip4/0.0.0.0/tcp/4747":            false,
		"/ip4/224.0.0.251/tcp/4747":        false,
		"/ip4/169.254.1.1/tcp/4747":        false,
		"/ip6/fe80::1/tcp/4747":            false,
		"/ip6zone/eth0/ip6/fe80::1/tcp/80": false,
	} {
		if got := discovery.Dialable(ma.StringCast(s)); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
	if discovery.Dialable(nil) {
		t.Error("no address: true, want false")
	}
}

func TestServiceNamesAreShortAndOfOneCluster(t *testing.T) {
	a, b := discovery.ServiceName(cluster), discovery.ServiceName(cluster+"2")
	if a == b {
		t.Errorf("two clusters are both %q", a)
	}
	if a != discovery.ServiceName(cluster) {
		t.Error("one cluster has two names")
	}
	name, protocol, _ := strings.Cut(a, ".")
	if protocol != "_udp" || !strings.HasPrefix(name, "_") || len(name)-1 > 15 {
		t.Errorf("%q, want an underscore, at most 15 characters, ._udp", a)
	}
}

func addrs(ss ...string) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, s := range ss {
		out = append(out, ma.StringCast(s))
	}
	return out
}

package trust_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testPSK = pnet.PSK(bytes.Repeat([]byte{7}, 32))

// startHost returns a real host on loopback, on a private network, that is closed
// after the test.
func startHost(tb testing.TB, key crypto.PrivKey, psk pnet.PSK, options ...libp2p.Option) host.Host {
	tb.Helper()
	h, err := libp2p.New(append([]libp2p.Option{
		libp2p.Identity(key),
		libp2p.PrivateNetwork(psk),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.Ping(false),
	}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.Close() })
	return h
}

func addrInfo(h host.Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

// connect dials and fails the test if that fails.
func connect(tb testing.TB, from, to host.Host) {
	tb.Helper()
	if err := from.Connect(testContext(tb), addrInfo(to)); err != nil {
		tb.Fatalf("connect: %v", err)
	}
}

// testContext ends before go test would lose patience.
func testContext(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// eventually polls until check returns nil, and fails with its last error.
func eventually(tb testing.TB, check func() error) {
	tb.Helper()
	ctx := testContext(tb)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal(err)
		}
	}
}

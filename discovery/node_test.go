package discovery_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"

	"github.com/starling-sync/starling/discovery"
)

// nodeEnv makes the test binary run one node instead of the tests.
const nodeEnv = "STARLING_TEST_DISCOVERY_NODE"

// nodeConfig is what a node process reads from its standard input, as one line. It
// runs until its input ends, which the death of the test brings about too.
type nodeConfig struct {
	Key        []byte          `json:"key"`
	Members    []peer.ID       `json:"members"`
	Static     []peer.AddrInfo `json:"static"`
	Remembered string          `json:"remembered"`
	// Lies, if not 0, is the number of peers that the process invents and announces
	// on the local network, instead of being a node.
	Lies int `json:"lies"`
}

// nodeReport is what it writes, one line for each change: the remote addresses of
// its connections by peer.
type nodeReport map[string][]string

// runNode returns the exit code of the process.
func runNode(stdin io.Reader, stdout, stderr io.Writer) int {
	if err := node(stdin, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "node:", err)
		return 1
	}
	return 0
}

func node(stdin io.Reader, stdout, stderr io.Writer) error {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c nodeConfig
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	if c.Lies > 0 {
		return lie(c.Lies, in)
	}
	key, err := crypto.UnmarshalPrivateKey(c.Key)
	if err != nil {
		return err
	}
	h, err := stack(key, testPSK(), "/ip4/0.0.0.0/tcp/4747")
	if err != nil {
		return err
	}
	defer h.Close()
	d, err := discovery.Start(context.Background(), discovery.Options{
		Host: h, Cluster: cluster, Members: membersOf(c.Members...), Static: c.Static, Remembered: c.Remembered,
		Logger: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return err
	}

	end := make(chan struct{})
	go func() {
		defer close(end)
		_, _ = io.Copy(io.Discard, in)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	out := json.NewEncoder(stdout)
	var last nodeReport
	for {
		report := nodeReport{}
		for _, conn := range h.Network().Conns() {
			p := conn.RemotePeer().String()
			report[p] = append(report[p], conn.RemoteMultiaddr().String())
		}
		for _, addrs := range report {
			slices.Sort(addrs)
		}
		if last == nil || !maps.EqualFunc(report, last, slices.Equal) {
			if err := out.Encode(report); err != nil {
				return err
			}
			last = report
		}
		select {
		case <-end:
			return d.Close()
		case <-tick.C:
		}
	}
}

// nowhere begins the addresses, in the tests' namespaces, that no machine has.
const nowhere = "10.77.1"

// lie announces invented peers, at addresses that swallow every packet, until
// stdin ends.
func lie(count int, stdin io.Reader) error {
	for i := range count {
		_, public, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			return err
		}
		id, err := peer.IDFromPublicKey(public)
		if err != nil {
			return err
		}
		ip := fmt.Sprintf("%s.%d", nowhere, 1+i%254) // The host bounds the dials to one address.
		text := "dnsaddr=/ip4/" + ip + "/tcp/4747/p2p/" + id.String()
		server, err := zeroconf.RegisterProxy(rand.Text(), discovery.ServiceName(cluster), "local", 4747, "liar",
			[]string{ip}, []string{"dnsaddr=/nonsense", "dnsaddr=", "nonsense", text}, nil)
		if err != nil {
			return err
		}
		defer server.Shutdown()
	}
	_, err := io.Copy(io.Discard, stdin)
	return err
}

package discovery_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/discovery"
)

func TestRememberedPeersAreFoundAfterARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "peers.json")
	a := newHost(t, newKey(t), anyPort)
	key := newKey(t)

	b := newHost(t, key, anyPort)
	d := start(t, discovery.Options{Host: b, Members: membersOf(a.ID()), Static: []peer.AddrInfo{infoOf(a)}, Remembered: file})
	within(t, 5*time.Second, connected(b, a.ID()))
	within(t, 5*time.Second, func() error { _, err := os.Stat(file); return err })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), os.FileMode(0o600); got != want {
		t.Errorf("mode %v, want %v", got, want)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(content), a.Addrs()[0].String(); strings.Count(got, want) != 1 {
		t.Errorf("file holds %s, want %s once", got, want)
	}

	b = newHost(t, key, anyPort)
	start(t, discovery.Options{Host: b, Members: membersOf(a.ID()), NoDHT: true, Remembered: file})
	within(t, 5*time.Second, connected(b, a.ID()))
}

func TestWhoCameInIsRememberedWhereHeListens(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "peers.json")
	a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
	d := start(t, discovery.Options{Host: a, Members: membersOf(b.ID()), NoDHT: true, Remembered: file})
	start(t, discovery.Options{Host: b, Members: membersOf(), Static: []peer.AddrInfo{infoOf(a)}, NoDHT: true})
	within(t, 5*time.Second, connected(a, b.ID()))
	within(t, 5*time.Second, func() error { _, err := os.Stat(file); return err })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(content), b.Addrs()[0].String(); !strings.Contains(got, want) {
		t.Errorf("file holds %s, want %s", got, want)
	}
}

func TestUnreadableRememberedPeersAreKeptAside(t *testing.T) {
	for name, content := range map[string]string{
		"empty":         "",
		"cut off":       `{"version": 1, "peers": [{"peer": "12D3`,
		"no peer":       `{"version": 1, "peers": [{"peer": "x", "addrs": []}]}`,
		"no address":    `{"version": 1, "peers": [{"peer": "12D3KooWGRUVh7hWt6bKrRPzKYbDBuWJdxAPHZGSMDHqGbfDdLSe", "addrs": ["x"]}]}`,
		"later version": `{"version": 2, "peers": []}`,
		"too large":     strings.Repeat(" ", 1<<20) + `{"version": 1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "peers.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			a, b := newHost(t, newKey(t), anyPort), newHost(t, newKey(t), anyPort)
			var log bytes.Buffer
			d := start(t, discovery.Options{
				Host: b, Members: membersOf(a.ID()), Static: []peer.AddrInfo{infoOf(a)}, NoDHT: true,
				Remembered: file, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			within(t, 5*time.Second, connected(b, a.ID()))
			within(t, 5*time.Second, func() error { _, err := os.Stat(file); return err })
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(file + ".unreadable"); err != nil || string(got) != content {
				t.Errorf("kept aside: %d bytes, %v, want the %d of the file", len(got), err, len(content))
			}
			if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, ".unreadable") {
				t.Errorf("log %q, want a warning that names the file kept aside", got)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	h := newHost(t, newKey(t), anyPort)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		options discovery.Options
		want    []string
	}{
		"nothing given":  {discovery.Options{}, []string{"no host", "no cluster id", "no member function"}},
		"not to be read": {discovery.Options{Host: h, Cluster: cluster, Members: membersOf(), Remembered: dir}, []string{"read remembered peers"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := discovery.Start(context.Background(), c.options)
			if err == nil {
				_ = d.Close()
				t.Fatal("started, want an error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}

package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/internal/failpoint"
)

const (
	rememberedVersion = 1
	rememberedPeers   = 256
	rememberedAddrs   = 8       // of one peer
	rememberedBytes   = 1 << 20 // more than the file can be with the two bounds above

	// rememberedDelay gathers the news of a burst into one write.
	rememberedDelay = 2 * time.Second
)

// memory holds the addresses at which peers were last reached, in a file. It is a
// help and no truth: it may be deleted at any time, and a peer that is no member
// any more stays in it unused until newer ones push it out.
type memory struct {
	file string // "" if nothing is kept
	log  *slog.Logger
	news chan struct{}

	mu    sync.Mutex
	peers []remembered // those that came first, first
	dirty bool
}

// remembered is one peer in the file.
type remembered struct {
	Peer  peer.ID  `json:"peer"`
	Addrs []string `json:"addrs"`
}

// rememberedFile is the form of the file.
type rememberedFile struct {
	Version int          `json:"version"`
	Peers   []remembered `json:"peers"`
}

// recall reads the file. A file that is not there is an empty one. One that cannot
// be understood is put aside, with a warning, and an empty one takes its place; one
// that cannot be read is an error.
func recall(file string, log *slog.Logger) (*memory, error) {
	m := &memory{file: file, log: log, news: make(chan struct{}, 1)}
	if file == "" {
		return m, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read remembered peers: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(f, rememberedBytes+1))
	_ = f.Close() // Nothing was written.
	if err != nil {
		return nil, fmt.Errorf("read remembered peers: %w", err)
	}

	peers, err := parseRemembered(content)
	if err != nil {
		aside := file + ".unreadable"
		log.Warn("remembered peers cannot be understood; starting anew", "path", file, "aside", aside, "err", err)
		if err := os.Rename(file, aside); err != nil {
			return nil, fmt.Errorf("put unreadable remembered peers aside: %w", err)
		}
	}
	m.peers = peers
	return m, nil
}

func parseRemembered(content []byte) ([]remembered, error) {
	if len(content) > rememberedBytes {
		return nil, fmt.Errorf("more than %d bytes", rememberedBytes)
	}
	var f rememberedFile
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, err
	}
	if f.Version != rememberedVersion {
		return nil, fmt.Errorf("version %d, want %d", f.Version, rememberedVersion)
	}
	for _, r := range f.Peers {
		for _, a := range r.Addrs {
			if _, err := ma.NewMultiaddr(a); err != nil {
				return nil, fmt.Errorf("address %q: %w", a, err)
			}
		}
	}
	return f.Peers, nil
}

// addrs returns where p was last reached; nothing if that is not known.
func (m *memory) addrs(p peer.ID) []ma.Multiaddr {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.index(p)
	if i < 0 {
		return nil
	}
	var addrs []ma.Multiaddr
	for _, s := range m.peers[i].Addrs {
		if a, err := ma.NewMultiaddr(s); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// remember replaces what is known of p, and has run write it in a while. It does
// not block on the disk.
func (m *memory) remember(p peer.ID, addrs []ma.Multiaddr) {
	if len(addrs) == 0 {
		return
	}
	r := remembered{Peer: p}
	for _, a := range addrs[:min(len(addrs), rememberedAddrs)] {
		r.Addrs = append(r.Addrs, a.String())
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.index(p)
	switch {
	case i >= 0 && slices.Equal(m.peers[i].Addrs, r.Addrs):
		return
	case i >= 0:
		m.peers[i] = r
	default:
		m.peers = append(m.peers, r)
		m.peers = m.peers[max(0, len(m.peers)-rememberedPeers):]
	}
	m.dirty = true
	signal(m.news)
}

// run writes the file whenever something changed, until ctx ends.
func (m *memory) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.news:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rememberedDelay):
		}
		if err := m.save(); err != nil {
			m.log.Warn("peers' addresses will not be remembered", "err", err)
		}
	}
}

// save writes the file if something changed since the last time. It blocks until
// the file is on the disk. One goroutine at a time may call it.
func (m *memory) save() error {
	m.mu.Lock()
	if m.file == "" || !m.dirty {
		m.mu.Unlock()
		return nil
	}
	content, err := json.MarshalIndent(rememberedFile{rememberedVersion, m.peers}, "", "  ")
	m.dirty = false
	m.mu.Unlock()
	if err == nil {
		err = replace(m.file, append(content, '\n'))
	}
	if err != nil {
		m.mu.Lock()
		m.dirty = true
		m.mu.Unlock()
		return fmt.Errorf("write remembered peers: %w", err)
	}
	return nil
}

func (m *memory) index(p peer.ID) int {
	return slices.IndexFunc(m.peers, func(r remembered) bool { return r.Peer == p })
}

// replace writes a file of mode 0600 so that after a crash there is the old one or
// the new one. One goroutine at a time may replace a file.
func replace(file string, content []byte) error {
	temp := file + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	failpoint.Hit(failpoint.PeersSynced, file)
	if err == nil {
		err = os.Rename(temp, file)
		failpoint.Hit(failpoint.PeersPlaced, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

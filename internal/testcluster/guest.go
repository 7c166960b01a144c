package testcluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// Token returns an invitation of the first node, for a member that is none of the
// cluster's nodes: a peer of the test's own.
func (c *Cluster) Token(role trust.Role) trust.Token {
	c.t.Helper()
	token, err := c.nodes[0].Invite(node.InviteOptions{Role: role})
	c.must(err)
	return token
}

// Authority returns the cluster's authority key.
func (c *Cluster) Authority() crypto.PrivKey {
	c.t.Helper()
	key, err := trust.LoadKey(filepath.Join(c.nodes[0].Data, "authority.key"))
	c.must(err)
	return key
}

// AddrInfo says where the node listens, once it was started.
func (n *Node) AddrInfo() (peer.AddrInfo, error) {
	config, err := node.LoadConfig(n.Data)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	addr, err := ma.NewMultiaddr(config.Listen[0])
	return peer.AddrInfo{ID: n.ID, Addrs: []ma.Multiaddr{addr}}, err
}

// PeakMemory returns the most memory, in bytes, that the node's process has had in
// use. The error wraps fs.ErrNotExist where the system does not tell (proc(5)).
func (n *Node) PeakMemory() (uint64, error) {
	if n.running == nil {
		return 0, fmt.Errorf("measure %s: it does not run", n.Name)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.running.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", n.Name, err)
	}
	_, peak, _ := strings.Cut(string(text), "VmHWM:")
	peak, _, _ = strings.Cut(peak, "kB")
	kib, err := strconv.ParseUint(strings.TrimSpace(peak), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", n.Name, err)
	}
	return kib << 10, nil
}

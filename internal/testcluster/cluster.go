package testcluster

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"go.yaml.in/yaml/v4"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// Options says how a cluster is made. The zero value is the default.
type Options struct {
	// Cuttable lets Partition and Disconnect cut connections.
	Cuttable bool
	// Files are in the first node's directory when it makes the cluster, by name.
	Files map[string]string
	// Settle bounds how long Settle waits. Default: a minute.
	Settle time.Duration
	// Log is the least level of what nodes log; it is shown when a test fails.
	Log slog.Level
}

const defaultSettle = time.Minute

// Cluster is a running cluster. Its methods are for the test's goroutine; those
// without an error in their results fail the test.
type Cluster struct {
	t     testing.TB
	opts  Options
	root  string
	nodes []*Node
	links links
}

// New makes a cluster of n writers and starts it. When the test ends, it is healed,
// settled and checked, unless the test has failed, and stopped. Nodes that the test
// has stopped stay so.
func New(t testing.TB, n int, opts Options) *Cluster {
	t.Helper()
	if opts.Settle == 0 {
		opts.Settle = defaultSettle
	}
	c := &Cluster{t: t, opts: opts, root: t.TempDir()}
	t.Cleanup(c.end)
	c.Join(JoinOptions{Files: opts.Files})
	for range n - 1 {
		c.Join(JoinOptions{})
	}
	return c
}

// JoinOptions says how a node joins. The zero value is a writer with an empty
// directory.
type JoinOptions struct {
	Role trust.Role // default: writer
	// Files are in the node's directory before it joins, by name.
	Files map[string]string
}

// Join adds a node to the cluster and starts it; the first node must run. It returns
// the new node's number.
func (c *Cluster) Join(o JoinOptions) int {
	c.t.Helper()
	i := len(c.nodes)
	if err := c.join(i, o); err != nil {
		c.t.Fatalf("join node %d: %v", i, err)
	}
	return i
}

func (c *Cluster) join(i int, o JoinOptions) error {
	n, err := newNode(c.root, i, c.opts.Log)
	if err != nil {
		return err
	}
	c.nodes = append(c.nodes, n)
	for name, content := range o.Files {
		if err := n.Dir.Write(name, content); err != nil {
			return err
		}
	}
	if err := saveConfig(n.Data, c.newConfig()); err != nil {
		return err
	}
	if err := c.enroll(i, cmp.Or(o.Role, trust.RoleWriter)); err != nil {
		return err
	}
	if !c.opts.Cuttable {
		return n.start()
	}
	for other := range i {
		if err := errors.Join(c.introduce(i, other), c.introduce(other, i)); err != nil {
			return err
		}
	}
	if err := n.start(); err != nil {
		return err
	}
	config, err := node.LoadConfig(n.Data) // with the port that was found
	if err != nil {
		return err
	}
	return c.links.lead(i, config)
}

// newConfig is a node's configuration before it is a member.
func (c *Cluster) newConfig() node.Config {
	no := false
	config := node.Config{MDNS: &no}
	if c.opts.Cuttable {
		config.DHT, config.Announce = &no, []string{nowhere}
	}
	return config
}

// anyPort is what nodes listen on until they have found a port.
const anyPort = "/ip4/127.0.0.1/tcp/0"

// enroll makes a node the founder or a member.
func (c *Cluster) enroll(i int, role trust.Role) error {
	n := c.nodes[i]
	if i == 0 {
		id, err := node.Init(c.t.Context(), node.InitOptions{Data: n.Data, Dir: string(n.Dir), Name: n.Name, Listen: anyPort})
		n.ID = id.Peer
		return err
	}
	token, err := c.nodes[0].Invite(node.InviteOptions{Role: role})
	if err != nil {
		return err
	}
	if c.opts.Cuttable {
		addr, err := c.links.addr(i, 0)
		if err != nil {
			return err
		}
		config, err := node.LoadConfig(c.nodes[0].Data)
		if err != nil {
			return err
		}
		if err := c.links.lead(0, config); err != nil {
			return err
		}
		token.Addrs = []ma.Multiaddr{addr}
	}
	id, err := node.Join(c.t.Context(), node.JoinOptions{Data: n.Data, Dir: string(n.Dir), Name: n.Name, Listen: anyPort, Token: token})
	n.ID = id.Peer
	return err
}

// introduce tells a node of its link to another, from its next start on.
func (c *Cluster) introduce(i, other int) error {
	addr, err := c.links.addr(i, other)
	if err != nil {
		return err
	}
	config, err := node.LoadConfig(c.nodes[i].Data)
	if err != nil {
		return err
	}
	config.Peers = append(config.Peers, fmt.Sprintf("%s/p2p/%s", addr, c.nodes[other].ID))
	if err := saveConfig(c.nodes[i].Data, config); err != nil {
		return err
	}
	target, err := node.LoadConfig(c.nodes[other].Data)
	if err != nil {
		return err
	}
	return c.links.lead(other, target)
}

// saveConfig writes a node's configuration.
func saveConfig(data string, config node.Config) error {
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "config.yaml"), text, 0o600)
}

// end is what happens when the test ends.
func (c *Cluster) end() {
	c.t.Helper()
	if !c.t.Failed() {
		c.Heal()
		c.Check()
	}
	for _, n := range c.nodes {
		if n.Running() {
			if err := n.stop(); err != nil {
				c.t.Error(err)
			}
		}
	}
	if err := c.links.close(); err != nil {
		c.t.Error(err)
	}
	if c.t.Failed() {
		for _, n := range c.nodes {
			c.t.Logf("the end of what %s logged:\n%s", n.Name, n.logTail())
		}
	}
}

// Len returns how many nodes there are, running or not.
func (c *Cluster) Len() int { return len(c.nodes) }

// Node returns a node, to be asked.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Running returns the nodes that run.
func (c *Cluster) Running() []*Node {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(n *Node) bool { return !n.Running() })
}

// must fails the test.
func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// Start starts a node that was stopped or killed.
func (c *Cluster) Start(i int) { c.t.Helper(); c.must(c.nodes[i].start()) }

// Stop ends a node as a terminating signal does.
func (c *Cluster) Stop(i int) { c.t.Helper(); c.must(c.nodes[i].stop()) }

// Kill ends a node by SIGKILL.
func (c *Cluster) Kill(i int) { c.t.Helper(); c.must(c.nodes[i].kill()) }

// Partition cuts connections so that only nodes of one group reach each other.
// Nodes that are named in no group make one more.
func (c *Cluster) Partition(groups ...[]int) {
	c.t.Helper()
	if !c.opts.Cuttable {
		c.t.Fatal("partition a cluster that is not Cuttable")
	}
	c.links.partition(groups)
}

// Disconnect cuts one node from all others.
func (c *Cluster) Disconnect(i int) { c.t.Helper(); c.Partition([]int{i}) }

// Heal mends all connections. Nodes make them again within seconds.
func (c *Cluster) Heal() { c.links.partition(nil) }

// Slow limits how many bytes a second pass each way between a node and each other
// one; 0 ends it. The cluster must be cuttable.
func (c *Cluster) Slow(i, rate int) { c.links.slow(i, rate) }

// Write replaces a file in a node's directory; see Dir.Write.
func (c *Cluster) Write(i int, name, content string) {
	c.t.Helper()
	c.must(c.nodes[i].Dir.Write(name, content))
}

// WriteInPlace writes a file of a node's directory in place; see Dir.WriteInPlace.
func (c *Cluster) WriteInPlace(i int, name, content string) {
	c.t.Helper()
	c.must(c.nodes[i].Dir.WriteInPlace(name, content))
}

// Remove removes a file of a node's directory.
func (c *Cluster) Remove(i int, name string) { c.t.Helper(); c.must(c.nodes[i].Dir.Remove(name)) }

// Rename renames a file of a node's directory.
func (c *Cluster) Rename(i int, from, to string) {
	c.t.Helper()
	c.must(c.nodes[i].Dir.Rename(from, to))
}

// Read returns the content of a file in a node's directory.
func (c *Cluster) Read(i int, name string) string {
	c.t.Helper()
	content, err := c.nodes[i].Dir.Read(name)
	c.must(err)
	return content
}

package testcluster

import (
	"errors"
	"fmt"
	"net/rpc"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// Death is a moment at which a node's process kills itself by SIGKILL. The zero value is
// never.
type Death struct {
	Point failpoint.Point
	// File, if not empty, is the base name of the file that the point must be about.
	File string
	// After is how often the point is passed before.
	After int
}

// String returns the moment for people.
func (d Death) String() string {
	if d.Point == "" {
		return "no failpoint"
	}
	return fmt.Sprintf("%s %s (pass %d)", d.Point, d.File, d.After+1)
}

// arm makes the process die at that moment.
func (d Death) arm() {
	if d.Point == "" {
		return
	}
	var passed atomic.Int64
	failpoint.Set(func(p failpoint.Point, name string) {
		if p != d.Point || d.File != "" && d.File != filepath.Base(name) || passed.Add(1) <= int64(d.After) {
			return
		}
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {} // the signal is on its way; nothing after this step may happen
	})
}

// Prepare makes the directories of one more writer, whose process joins by itself when
// it is launched or started, so that it can die while it does. It returns the new node's
// number. The first node must run.
func (c *Cluster) Prepare(files map[string]string) int {
	c.t.Helper()
	i := len(c.nodes)
	n, err := newNode(c.root, i, c.opts.Log)
	c.must(err)
	c.nodes = append(c.nodes, n)
	for name, content := range files {
		c.must(n.Dir.Write(name, content))
	}
	c.must(saveConfig(n.Data, c.newConfig()))
	token, err := c.nodes[0].Invite(node.InviteOptions{Role: trust.RoleWriter})
	c.must(err)
	text, err := token.Encode()
	c.must(err)
	n.join = &joining{Dir: string(n.Dir), Name: n.Name, Listen: anyPort, Token: text}
	return i
}

// Launch starts a node that was prepared, stopped or killed, and does not wait until it
// is open: it may die before. Reap or Stop must follow.
func (c *Cluster) Launch(i int, d Death) { c.t.Helper(); c.must(c.nodes[i].launch(d)) }

// Dismiss asks a node to end, as a terminating signal does, and does not wait: it may die
// meanwhile. Reap must follow.
func (c *Cluster) Dismiss(i int) {
	c.t.Helper()
	p := c.nodes[i].running
	p.dismissed = true
	if err := p.client.Close(); !errors.Is(err, rpc.ErrShutdown) { // it has died before
		c.must(err)
	}
}

// Opened is closed when a node that was launched has answered for the first time.
func (n *Node) Opened() <-chan struct{} { return n.running.opened }

// Dead is closed when the process of a node that was launched has ended.
func (n *Node) Dead() <-chan struct{} { return n.running.done }

// Reap kills what is left of a node that was launched, and reports whether it had killed
// itself. One that ended in another way fails the test, unless it was dismissed and ended
// well.
func (c *Cluster) Reap(i int) (died bool) {
	c.t.Helper()
	n := c.nodes[i]
	p := n.running
	select {
	case <-p.done:
		died = true
	default:
	}
	n.running = nil
	c.must(p.kill())
	switch status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); {
	case ok && status.Signal() == syscall.SIGKILL:
		return died
	case !p.dismissed || p.err != nil:
		c.t.Fatalf("%s was to be killed and ended by itself: %v", n.Name, p.err)
	}
	return false
}

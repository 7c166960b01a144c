package testcluster

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
)

// Eventually polls until check returns nil, and fails the test with its last error
// after the time.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-end.C:
			t.Fatalf("after %v: %v", within, err)
		case <-tick.C:
		}
	}
}

// Eventually polls until check returns nil; it waits as long as Settle.
func (c *Cluster) Eventually(check func() error) {
	c.t.Helper()
	Eventually(c.t, c.opts.Settle, check)
}

// Settle waits until all running nodes hold the same set, the same view and the
// view in their directories, and have nothing left to do.
func (c *Cluster) Settle() {
	c.t.Helper()
	c.Eventually(c.Settled)
}

// Settled says what Settle still waits for, or nil.
func (c *Cluster) Settled() error {
	var first *holding
	for _, n := range c.Running() {
		h, err := n.look()
		if err != nil {
			return err
		}
		if first == nil {
			first = h
		}
		if err := h.equal(first); err != nil {
			return err
		}
	}
	return nil
}

// Imported waits until one node's view is what its directory holds, whatever the
// others hold: what was written there is acknowledged then.
func (c *Cluster) Imported(i int) {
	c.t.Helper()
	c.Eventually(c.nodes[i].Imported)
}

// Imported says why the node's view is not what its directory holds, or nil.
func (n *Node) Imported() error {
	h, err := n.hold()
	if err != nil {
		return err
	}
	return h.atRest()
}

// holding is what a node holds.
type holding struct {
	name   string
	status Status
	files  map[string]definition.Hash // of the directory
	view   map[string]definition.Hash
	set    [sha256.Size]byte // a digest of the ids of the elements
	count  int               // of elements
}

// hold finds out what a node's directory and view hold.
func (n *Node) hold() (*holding, error) {
	h := &holding{name: n.Name, files: make(map[string]definition.Hash), view: make(map[string]definition.Hash)}
	var err error
	if h.status, err = n.Status(); err != nil {
		return nil, err
	}
	files, err := n.Dir.Files()
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		h.files[name] = definition.HashOf([]byte(content))
	}
	entries, err := n.List()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		h.view[e.Path.String()] = e.Hash
	}
	return h, nil
}

// atRest says how the directory differs from the view, or nil.
func (h *holding) atRest() error {
	if diff := difference(h.files, h.view); diff != "" {
		return fmt.Errorf("the directory of %s is not its view: %s%s", h.name, diff, whyHeld(h.status))
	}
	return nil
}

// look finds out what a node holds. The error says what keeps the node from being
// at rest.
func (n *Node) look() (*holding, error) {
	h, err := n.hold()
	if err != nil {
		return nil, err
	}
	if err := h.atRest(); err != nil {
		return nil, err
	}
	if h.status.Syncing {
		return nil, fmt.Errorf("%s is syncing: ready %t, lacks elements of %d peers", n.Name, h.status.Ready, h.status.Behind)
	}
	elements, err := n.Elements()
	if err != nil {
		return nil, err
	}
	h.count = len(elements)
	var ids []byte
	for _, id := range sortedIDs(elements) {
		ids = append(ids, id[:]...)
	}
	h.set = sha256.Sum256(ids)
	return h, nil
}

func sortedIDs(elements [][]byte) []definition.ChangeID {
	ids := make([]definition.ChangeID, len(elements))
	for i, e := range elements {
		ids[i] = definition.ChangeID(definition.HashOf(e))
	}
	slices.SortFunc(ids, definition.ChangeID.Compare)
	return ids
}

func whyHeld(s Status) string {
	var why strings.Builder
	for _, h := range s.Held {
		fmt.Fprintf(&why, "; %s is held: %s", h.Path, h.Reason)
	}
	for _, p := range s.Problems {
		fmt.Fprintf(&why, "; %s", p.Text)
	}
	return why.String()
}

// equal says how h differs from another node's.
func (h *holding) equal(other *holding) error {
	if diff := difference(h.view, other.view); diff != "" {
		return fmt.Errorf("the view of %s is not that of %s: %s", h.name, other.name, diff)
	}
	if h.set != other.set {
		return fmt.Errorf("%s holds %d elements, %s holds %d, and they are not the same", h.name, h.count, other.name, other.count)
	}
	return nil
}

// difference names the first name of which two maps say different things, or "".
func difference[V comparable](got, want map[string]V) string {
	names := maps.Clone(got)
	maps.Copy(names, want)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		g, inGot := got[name]
		w, inWant := want[name]
		switch {
		case !inGot:
			return name + " is missing"
		case !inWant:
			return name + " should be absent"
		case g != w:
			return name + " has other bytes"
		}
	}
	return ""
}

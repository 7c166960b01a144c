package testcluster

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/oracle"
)

// Check settles the cluster and compares every running node's directory, view and
// members, byte for byte, with what the oracle says of the node's elements. Nodes
// leave no temporary file.
func (c *Cluster) Check() {
	c.t.Helper()
	c.Settle()
	for _, n := range c.Running() {
		if err := n.Check(); err != nil {
			c.t.Errorf("check %s: %v", n.Name, err)
		}
	}
}

// Check compares the node's directory, view and members with what the oracle says of its
// elements. The cluster must be at rest.
func (n *Node) Check() error {
	elements, err := n.Elements()
	if err != nil {
		return err
	}
	rand.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
	answer, err := oracle.Compute(elements)
	if err != nil {
		return err
	}
	files, err := n.Dir.Files()
	if err != nil {
		return err
	}
	want := make(map[string]string)
	for path, f := range answer.Files {
		if !f.Present {
			continue
		}
		name := path.String()
		if content, ok := files[name]; ok && f.Accepts([]byte(content)) == nil {
			want[name] = content // merged files have no bytes that the oracle knows
		} else {
			want[name] = fmt.Sprintf("(oracle) %q %v", f.Content, f.Fields)
		}
	}
	if diff := difference(files, want); diff != "" {
		err = errors.Join(err, fmt.Errorf("the directory is not what the oracle says: %s", diff))
	}
	hashes := make(map[string]definition.Hash, len(want))
	for name, content := range want {
		hashes[name] = definition.HashOf([]byte(content))
	}
	entries, listErr := n.List()
	view := make(map[string]definition.Hash, len(entries))
	for _, e := range entries {
		view[e.Path.String()] = e.Hash
	}
	if diff := difference(view, hashes); diff != "" {
		err = errors.Join(err, fmt.Errorf("the view is not what the oracle says: %s", diff))
	}
	temps, tempErr := n.Dir.Temps()
	if len(temps) > 0 {
		err = errors.Join(err, fmt.Errorf("temporary files are left: %v", temps))
	}
	return errors.Join(err, listErr, tempErr, n.checkMembers(answer.Members))
}

func (n *Node) checkMembers(want map[peer.ID]oracle.Member) error {
	peers, err := n.Peers()
	if err != nil {
		return err
	}
	got := make(map[peer.ID]oracle.Member)
	for _, p := range peers {
		got[p.ID] = oracle.Member{Name: p.Name, Role: p.Role, Revoked: p.Revoked}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the members are %v, the oracle says %v", got, want)
	}
	return nil
}

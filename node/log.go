package node

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// LogQuery selects changes; its zero value selects all.
type LogQuery struct {
	Path         definition.Path     // that edit this path, or what was moved to it
	Author       string              // by the node of this name or peer id, or by this actor
	Since, Until time.Time           // made not before, and not after, by their authors' clocks
	Limit        int                 // at most so many; 0 for all
	Before       definition.ChangeID // only those listed after this one
}

// Log returns changes, the newest first. Errors wrap ErrNotFound for a path without a
// history, and for an author who is no node and made no change. It reads no more from
// the disk than it returns.
func (n *Node) Log(ctx context.Context, q LogQuery) ([]Change, error) {
	names := n.names()
	by := n.author(q.Author)
	var changes []Change
	known := false // whether there is a change of the path
	for e := range n.replica.History(q.Path, q.Before) {
		known = true
		if q.Limit > 0 && len(changes) == q.Limit || e.Time.Before(q.Since) {
			break
		}
		if !by.made(e) || !q.Until.IsZero() && e.Time.After(q.Until) {
			continue
		}
		c, err := n.replica.Change(ctx, e.ID)
		if err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
		changes = append(changes, n.changeOf(c, names))
	}
	switch {
	case len(changes) > 0, !q.Before.IsZero():
	case !q.Path.IsZero() && !known:
		return nil, fmt.Errorf("log: %s: %w", q.Path, ErrNotFound)
	case !n.knows(by):
		return nil, fmt.Errorf("log: no node and no actor is called %q: %w", q.Author, ErrNotFound)
	}
	return changes, ctx.Err()
}

// author is who changes are asked of: nodes, and an actor of the same name.
type author struct {
	name  string // of the actor; empty for anybody
	nodes map[peer.ID]bool
}

// author finds the nodes that a name or a peer id means.
func (n *Node) author(name string) author {
	by := author{name: name, nodes: make(map[peer.ID]bool)}
	for _, m := range n.replica.Members() {
		if m.Name == name || m.ID.String() == name {
			by.nodes[m.ID] = true
		}
	}
	return by
}

func (a author) made(e crdt.Entry) bool {
	return a.name == "" || a.name == e.Actor || a.nodes[e.Author]
}

// knows reports whether an author is a node, or made a change.
func (n *Node) knows(by author) bool {
	if by.name == "" || len(by.nodes) > 0 {
		return true
	}
	for e := range n.replica.History(definition.Path{}, definition.ChangeID{}) {
		if by.made(e) {
			return true
		}
	}
	return false
}

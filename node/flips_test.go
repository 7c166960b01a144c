package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

func TestFlipping(t *testing.T) {
	// Each letter is a version: its node, in lower case, and what it wrote.
	history := func(text ...string) []crdt.RecentVersion {
		var h []crdt.RecentVersion
		for _, v := range text {
			made := crdt.RecentVersion{Author: peer.ID(v[:1])}
			if v[1:] != "-" { // a deletion
				made.Hash = definition.HashOf([]byte(v[1:]))
			}
			h = append(h, made)
		}
		return h
	}
	for _, tt := range []struct {
		name    string
		history []crdt.RecentVersion
		count   int
		nodes   []peer.ID
	}{
		{"nothing", nil, 0, nil},
		{"two nodes, two contents", history("aA", "bB", "aA", "bB", "aA", "bB", "aA"), 5, []peer.ID{"a", "b"}},
		{"one less", history("aA", "bB", "aA", "bB", "aA", "bB"), 4, []peer.ID{"a", "b"}},
		{"three nodes, three contents", history("aA", "bB", "cC", "aA", "bB", "cC", "aA", "bB"), 5, []peer.ID{"a", "b", "c"}},
		{"made and deleted", history("aA", "b-", "aA", "b-", "aA", "b-", "aA"), 5, []peer.ID{"a", "b"}},
		{"one insists", history("aA", "b1", "aA", "b2", "aA", "b3", "aA", "b4", "aA", "b5", "aA"), 5, []peer.ID{"a", "b"}},
		{"one node alone", history("aA", "aB", "aA", "aB", "aA", "aB", "aA", "aB"), 0, nil},
		{"all write the same", history("aA", "bA", "cA", "aA", "bA", "cA", "aA", "bA"), 0, nil},
		{"two work on it", history("a1", "b2", "a3", "b4", "a5", "b6", "a7", "b8", "a9"), 0, nil},
		{"one takes the other's back", history("a1", "b2", "a3", "b2", "a4", "b2"), 2, []peer.ID{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nodes, count := node.Flipping(tt.history)
			slices.Sort(nodes)
			if count != tt.count || !slices.Equal(nodes, tt.nodes) {
				t.Errorf("got %d between %v, want %d between %v", count, nodes, tt.count, tt.nodes)
			}
		})
	}
}

// TestAFileThatFlips is named with both nodes, on both, after a restart too, and no more
// when ten minutes have passed.
func TestAFileThatFlips(t *testing.T) {
	t.Parallel()
	c := newTrio(t)
	a, b := c.open(t, 0, node.Options{}), c.open(t, 1, node.Options{})
	edit(t, a, "svc-1.json", `{"id": 1, "host": "a"}`)
	edit(t, a, "other-2.json", `{"id": 2}`)
	writers := []*node.Node{b, a}
	for i := range 6 {
		own := fmt.Sprintf(`{"id": 1, "host": "%c"}`, "ba"[i%2])
		for j, n := range writers {
			eventually(t, func() error { return same(t, n, writers[1-j]) })
		}
		if flips := a.Flips(time.Now()); len(flips) != 0 {
			t.Errorf("after %d changes: got %v, want none yet", i, flips)
		}
		edit(t, writers[i%2], "svc-1.json", own)
	}
	const want = `^svc-1.json goes back and forth between (a and b|b and a): 5 times in 10m0s$`
	wantProblem(t, a, node.ProblemFlipping, want)
	wantProblem(t, b, node.ProblemFlipping, want)
	closeNode(t, b)
	b = c.open(t, 1, node.Options{})
	wantProblem(t, b, node.ProblemFlipping, want)
	for _, later := range []struct {
		after time.Duration
		want  int
	}{{9 * time.Minute, 1}, {11 * time.Minute, 0}} { // in this order: what has ended is not looked at again
		if got := a.Flips(time.Now().Add(later.after)); len(got) != later.want {
			t.Errorf("%v later: got %v, want %d", later.after, got, later.want)
		}
	}
}

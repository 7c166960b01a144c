package node_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// TestRulesOnlyGoUp: a cluster that was upgraded further than this program says so,
// and this node does not take it back.
func TestRulesOnlyGoUp(t *testing.T) {
	const upgraded = definition.MergeVersion + 1
	data := filepath.Join(t.TempDir(), "a")
	id, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: t.TempDir(), Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.LoadKey(filepath.Join(data, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	authority, err := trust.LoadKey(filepath.Join(data, "authority.key"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := crdt.Open(t.Context(), crdt.Options{Dir: data, Cluster: id.Cluster, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.SetRules(t.Context(), authority, upgraded), r.Close()); err != nil {
		t.Fatal(err)
	}

	n, err := node.Open(t.Context(), node.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if got, want := n.Rules(t.Context()), (node.Rules{InForce: upgraded, Known: definition.MergeVersion}); got != want {
		t.Errorf("rules: got %+v, want %+v", got, want)
	}
	if err := n.SetRules(t.Context(), definition.MergeVersion); !errors.Is(err, node.ErrRefused) {
		t.Errorf("back: got %v, want %v", err, node.ErrRefused)
	}
	if err := n.SetRules(t.Context(), upgraded+1); !errors.Is(err, node.ErrRefused) {
		t.Errorf("beyond what is known: got %v, want %v", err, node.ErrRefused)
	}
	if err := n.SetRules(t.Context(), 0); !errors.Is(err, node.ErrInvalid) {
		t.Errorf("version 0: got %v, want %v", err, node.ErrInvalid)
	}
	if err := n.SetRules(t.Context(), upgraded); err != nil {
		t.Errorf("in force already: got %v, want no error", err)
	}
}

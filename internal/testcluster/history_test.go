package testcluster_test

import (
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

func path(t *testing.T, name string) definition.Path {
	t.Helper()
	p, err := definition.ParsePath(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readEdit reads what a change gave a path, "" if it deleted it.
func readEdit(t *testing.T, n *testcluster.Node, c node.Change, name string) string {
	t.Helper()
	for _, e := range c.Edits {
		if e.Path.String() != name || e.Kind == node.EditDelete {
			continue
		}
		content, err := n.ReadVersion(definition.Version{Change: c.ID, Path: e.Path})
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	return ""
}

// history returns the contents that the changes of a path gave it on a node.
func history(t *testing.T, n *testcluster.Node, name string) map[string]bool {
	t.Helper()
	log, err := n.Log(node.LogQuery{Path: path(t, name)})
	if err != nil {
		t.Fatal(err)
	}
	contents := make(map[string]bool)
	for _, c := range log {
		contents[readEdit(t, n, c, name)] = true
	}
	return contents
}

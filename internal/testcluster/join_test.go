package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

// changes returns how many changes a node's set holds.
func changes(t *testing.T, n *testcluster.Node) int {
	t.Helper()
	s, err := n.Status()
	if err != nil {
		t.Fatal(err)
	}
	return s.Changes
}

// absent fails the test if a node's directory has the file.
func absent(t *testing.T, n *testcluster.Node, name string) {
	t.Helper()
	if got, err := n.Dir.Read(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s on %s is %q (%v), want it absent", name, n.Name, got, err)
	}
}

func TestJoiningNodeWithStaleFilesResurrectsAndOverwritesNothing(t *testing.T) {
	old := map[string]string{
		"Kept-1.json":    service(1, "kept"),
		"Changed-2.json": service(2, "old"),
		"Deleted-3.json": service(3, "deleted"),
	}
	c := testcluster.New(t, 2, testcluster.Options{Files: old})
	c.Settle()
	c.Write(0, "Changed-2.json", service(2, "new"))
	c.Remove(0, "Deleted-3.json")
	c.Settle()

	stale := map[string]string{"Own-4.json": service(4, "of the joining node alone")}
	maps.Copy(stale, old)
	joined := c.Join(testcluster.JoinOptions{Files: stale})
	c.Settle()
	for i := range c.Len() {
		for name, want := range map[string]string{
			"Kept-1.json":    service(1, "kept"),
			"Changed-2.json": service(2, "new"),
			"Own-4.json":     service(4, "of the joining node alone"),
		} {
			if got := c.Read(i, name); got != want {
				t.Errorf("%s on node %d is %q, want %q", name, i, got, want)
			}
		}
		absent(t, c.Node(i), "Deleted-3.json")
	}
	// What lost can be read.
	for name, want := range map[string]string{"Changed-2.json": service(2, "old"), "Deleted-3.json": service(3, "deleted")} {
		log, err := c.Node(joined).Log(node.LogQuery{Path: path(t, name), Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := readEdit(t, c.Node(0), log[0], name); got != want {
			t.Errorf("the adopted %s is %q in the history, want %q", name, got, want)
		}
	}
}

func TestJoiningNodeWithEqualFilesMakesNoChange(t *testing.T) {
	files := make(map[string]string)
	for id := range 50 {
		files[fmt.Sprintf("sub/App-%d.json", id)] = service(id, "same")
	}
	c := testcluster.New(t, 2, testcluster.Options{Files: files})
	c.Settle()
	before := changes(t, c.Node(0))
	c.Join(testcluster.JoinOptions{Files: files})
	c.Settle()
	if got := changes(t, c.Node(0)); got != before {
		t.Errorf("there are %d changes after the join, want %d", got, before)
	}
}

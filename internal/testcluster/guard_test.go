package testcluster_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
)

func TestEmptiedDirectoryDeletesNothing(t *testing.T) {
	const files = 20
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(files)})
	c.Settle()
	before := changes(t, c.Node(0))
	for name := range definitions(files) {
		c.Remove(1, name)
	}
	var held string
	c.Eventually(func() error {
		sets, err := c.Node(1).Approvals()
		if err != nil {
			return err
		}
		if len(sets) != 1 || len(sets[0].Paths) != files {
			return fmt.Errorf("node 1 holds %v, want one set of %d deletions", sets, files)
		}
		held = sets[0].ID
		return nil
	})
	if got, err := c.Node(0).Dir.Files(); err != nil || len(got) != files {
		t.Errorf("node 0 has %d files (%v), want %d", len(got), err, files)
	}
	if err := c.Node(1).Restore(held); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	if got := changes(t, c.Node(0)); got != before {
		t.Errorf("there are %d changes, want %d", got, before)
	}
}

func TestRefillFillsAnEmptyDirectory(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(20)})
	c.Settle()
	before := changes(t, c.Node(0))
	n := c.Node(1)
	c.Stop(1)
	if err := os.RemoveAll(string(n.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(string(n.Dir), 0o755); err != nil {
		t.Fatal(err)
	}
	n.Refill = true
	c.Start(1)
	c.Settle()
	if got := changes(t, c.Node(0)); got != before {
		t.Errorf("there are %d changes, want %d", got, before)
	}
}

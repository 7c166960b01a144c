package testcluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

// conflicts fails the test unless a node counts so many conflicts.
func conflicts(t *testing.T, c *testcluster.Cluster, i, want int) {
	t.Helper()
	s, err := c.Node(i).Status()
	if err != nil {
		t.Fatal(err)
	}
	if s.Conflicts != want {
		t.Errorf("node %d counts %d conflicts, want %d", i, s.Conflicts, want)
	}
}

func TestDeletionStaysThoughANodeWasAway(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Files: map[string]string{
		"Gone-1.json": service(1, "gone"), "Stays-2.json": service(2, "stays"),
	}})
	c.Settle()
	c.Stop(2)
	c.Remove(0, "Gone-1.json")
	c.Settle()
	c.Start(2)
	c.Settle()
	for i := range c.Len() {
		absent(t, c.Node(i), "Gone-1.json")
	}
}

func TestEditAgainstDeletionKeepsTheEdit(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Cuttable: true, Files: map[string]string{
		"Both-1.json": service(1, "old"), "Other-2.json": service(2, "other"),
	}})
	c.Settle()
	c.Disconnect(1)
	c.Write(1, "Both-1.json", service(1, "edited"))
	c.Imported(1)
	c.Remove(0, "Both-1.json")
	c.Imported(0)
	c.Heal()
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, "Both-1.json"), service(1, "edited"); got != want {
			t.Errorf("Both-1.json on node %d is %q, want %q", i, got, want)
		}
	}
}

func TestKilledNodeCatchesUp(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Files: map[string]string{"First-1.json": service(1, "first")}})
	c.Settle()
	c.Write(1, "Own-2.json", service(2, "written just before the kill"))
	c.Kill(1)
	for id := range 20 {
		c.Write(0, fmt.Sprintf("App-%d.json", 100+id), service(100+id, "while one was dead"))
	}
	c.Write(2, "First-1.json", service(1, "changed"))
	c.Settle()
	c.Start(1)
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, "First-1.json"), service(1, "changed"); got != want {
			t.Errorf("First-1.json on node %d is %q, want %q", i, got, want)
		}
		if got, want := c.Read(i, "Own-2.json"), service(2, "written just before the kill"); got != want {
			t.Errorf("Own-2.json on node %d is %q, want %q", i, got, want)
		}
	}
}

func TestEditsOfOneFileOnThreeNodesApartConverge(t *testing.T) {
	const name = "Same-1.json"
	c := testcluster.New(t, 3, testcluster.Options{Cuttable: true, Files: map[string]string{name: service(1, "base")}})
	c.Settle()
	c.Partition([]int{0}, []int{1}, []int{2})
	for i := range c.Len() {
		c.Write(i, name, service(1, strings.Repeat("x", i+1)))
		c.Imported(i) // so that node 2's is the latest
	}
	c.Heal()
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, name), service(1, "xxx"); got != want {
			t.Errorf("%s on node %d is %q, want %q", name, i, got, want)
		}
		conflicts(t, c, i, 2)
		known := history(t, c.Node(i), name)
		for _, text := range []string{"base", "x", "xx", "xxx"} {
			if !known[service(1, text)] {
				t.Errorf("the edit %q cannot be read on node %d", text, i)
			}
		}
	}
	// The next edit is on top of all, but closes nothing: CAS saves files again on
	// its own.
	c.Write(1, name, service(1, "after"))
	c.Settle()
	for i := range c.Len() {
		conflicts(t, c, i, 2)
	}
	resolution := definition.Edit{Path: path(t, name), Content: []byte(service(1, "after")), Resolves: true}
	if _, err := c.Node(2).Edit(definition.Draft{Edits: []definition.Edit{resolution}}); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	for i := range c.Len() {
		conflicts(t, c, i, 0)
	}
}

func TestTwoCreationsOfOnePathConverge(t *testing.T) {
	const name = "sub/New-1.json"
	c := testcluster.New(t, 2, testcluster.Options{Cuttable: true})
	c.Settle()
	c.Disconnect(0)
	for i, text := range []string{"earlier", "the later"} {
		c.Write(i, name, service(1, text))
		c.Imported(i)
	}
	c.Heal()
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, name), service(1, "the later"); got != want {
			t.Errorf("%s on node %d is %q, want %q", name, i, got, want)
		}
		if !history(t, c.Node(i), name)[service(1, "earlier")] {
			t.Errorf("the earlier creation cannot be read on node %d", i)
		}
	}
	conflicts(t, c, 0, 1)
}

func TestSameBytesOnAllNodesAreNoConflict(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Cuttable: true})
	c.Settle()
	c.Partition([]int{0}, []int{1}, []int{2})
	for id := range 10 {
		for i := range c.Len() {
			c.Write(i, fmt.Sprintf("App-%d.json", id), service(id, "by a configuration tool"))
		}
	}
	for i := range c.Len() {
		c.Imported(i)
	}
	c.Heal()
	c.Settle()
	conflicts(t, c, 0, 0)
}

func TestIdleClusterMakesNoChange(t *testing.T) {
	const idle = 3 * time.Second
	files := make(map[string]string)
	for id := range 100 {
		files[fmt.Sprintf("App-%d.json", id)] = service(id, "idle")
	}
	c := testcluster.New(t, 3, testcluster.Options{Files: files})
	c.Settle()
	before, exports := changes(t, c.Node(0)), elements(t, c)
	end := time.NewTimer(idle)
	defer end.Stop()
	tick := time.NewTicker(idle / 10)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-tick.C:
			for i := range c.Len() {
				if _, err := c.Node(i).Verify(); err != nil {
					t.Fatal(err)
				}
			}
		case <-end.C:
			done = true
		}
	}
	c.Settle()
	made := changes(t, c.Node(0)) - before
	t.Logf("changes in %v of idleness with 3 nodes and 100 definitions: %d", idle, made)
	if got := elements(t, c); made != 0 || got != exports {
		t.Errorf("an idle cluster made %d changes and %d elements, want none", made, got-exports)
	}
}

// elements returns how many elements the first node holds.
func elements(t *testing.T, c *testcluster.Cluster) int {
	t.Helper()
	s, err := c.Node(0).Status()
	if err != nil {
		t.Fatal(err)
	}
	return s.Elements
}

func TestVerifyNamesWhoIsAway(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Files: map[string]string{"First-1.json": service(1, "first")}})
	c.Settle()
	verify := func() node.Verification {
		v, err := c.Node(0).Verify()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c.Eventually(func() error {
		if v := verify(); !v.Equal {
			return fmt.Errorf("verify says that the nodes are not equal: %+v", v)
		}
		return nil
	})
	c.Kill(2)
	c.Eventually(func() error {
		v := verify()
		if v.Equal || v.Members[2].Answered || v.Members[2].Name != "node-2" {
			return fmt.Errorf("verify does not say that node-2 is away: %+v", v)
		}
		return nil
	})
}

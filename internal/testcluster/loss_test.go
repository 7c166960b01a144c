package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/node"
)

// guarded is how many files the clusters of these tests have.
const guarded = 30

// holdsBack waits until a node's guard holds so many losses, and checks that nobody else has
// lost a file.
func holdsBack(t *testing.T, c *testcluster.Cluster, i int, kind mirror.LossKind, want int) {
	t.Helper()
	c.Eventually(func() error {
		sets, err := c.Node(i).Approvals()
		if err != nil {
			return err
		}
		held := 0
		for _, s := range sets {
			if strings.Contains(s.Reason, kind.String()) {
				held += len(s.Paths)
			}
		}
		if held != want {
			return fmt.Errorf("node %d holds %d losses, want %d: %v", i, held, want, sets)
		}
		return nil
	})
	for j := range c.Len() {
		if got, err := c.Node(j).Dir.Files(); err != nil || j != i && len(got) < guarded {
			t.Errorf("node %d has %d files (%v), want %d", j, len(got), err, guarded)
		}
	}
}

// files returns the contents of a node's directory.
func files(t *testing.T, n *testcluster.Node) map[string]string {
	t.Helper()
	got, err := n.Dir.Files()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRemovedAtFullSpeed: rm -rf deletes nothing anywhere; the files come back when that
// is wanted.
func TestRemovedAtFullSpeed(t *testing.T) {
	t.Parallel()
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	before := changes(t, c.Node(0))
	if out, err := exec.Command("sh", "-c", `rm -rf "$1"/*`, "sh", string(c.Node(1).Dir)).CombinedOutput(); err != nil {
		t.Fatalf("rm: %v: %s", err, out)
	}
	holdsBack(t, c, 1, mirror.Deletion, guarded)
	// The others work on, and a restart lets nothing through.
	c.Write(0, "App-0.json", definitionOf(0, "second"))
	c.Stop(1)
	c.Start(1)
	c.Eventually(func() error {
		if got := changes(t, c.Node(1)) - before; got != 1 {
			return fmt.Errorf("node 1 has %d more changes, want the one edit", got)
		}
		return nil
	})
	holdsBack(t, c, 1, mirror.Deletion, guarded)
	sets, err := c.Node(1).Approvals()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Node(1).Restore(sets[0].ID); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	if got := files(t, c.Node(1)); len(got) != guarded || got["App-0.json"] != definitionOf(0, "second") {
		t.Errorf("node 1 has %d files and App-0.json %q, want all as they are by now", len(got), got["App-0.json"])
	}
	if got := changes(t, c.Node(0)) - before; got != 1 {
		t.Errorf("%d changes were made, want the one edit", got)
	}
}

// TestRemovedOneByOne: a slow deletion is one too, as far as it is not published before it
// shows what it is; what was held goes with the approval of exactly that.
func TestRemovedOneByOne(t *testing.T) {
	t.Parallel()
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, name := range slices.Sorted(maps.Keys(definitions(guarded))) {
		<-tick.C
		c.Remove(1, name)
	}
	holdsBack(t, c, 1, mirror.Deletion, guarded)
	c.Write(1, "App-0.json", definitionOf(0, "first")) // one comes back, and is no part of it any more
	holdsBack(t, c, 1, mirror.Deletion, guarded-1)
	if err := c.Node(1).ApproveAll(); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	for i := range c.Len() {
		if got := files(t, c.Node(i)); len(got) != 1 || got["App-0.json"] == "" {
			t.Errorf("node %d has %d files, want App-0.json alone", i, len(got))
		}
	}
}

// TestDeletionTogetherWithAMove: what has moved is no loss and goes at once, what is gone
// is held.
func TestDeletionTogetherWithAMove(t *testing.T) {
	t.Parallel()
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	for i := range 10 {
		c.Rename(1, fmt.Sprintf("App-%d.json", i), fmt.Sprintf("moved/App-%d.json", i))
	}
	for i := 10; i < guarded; i++ {
		c.Remove(1, fmt.Sprintf("App-%d.json", i))
	}
	c.Eventually(func() error {
		got, err := c.Node(0).Dir.Files()
		for i := range 10 {
			from, to := fmt.Sprintf("App-%d.json", i), fmt.Sprintf("moved/App-%d.json", i)
			if _, ok := got[from]; ok || got[to] != definitionOf(i, "first") {
				err = errors.Join(err, fmt.Errorf("on node 0 %s has not moved", from))
			}
		}
		return err
	})
	holdsBack(t, c, 1, mirror.Deletion, guarded-10)
	if err := c.Node(1).ApproveAll(); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	if got := len(files(t, c.Node(0))); got != 10 {
		t.Errorf("node 0 has %d files, want the 10 that moved", got)
	}
}

// copyTree copies a directory, its marker too.
func copyTree(from, to string) error {
	return os.CopyFS(to, os.DirFS(from))
}

// TestDirectoryRestoredFromAnOldCopy: a copy of yesterday that takes the directory's
// place takes back nobody's edits.
func TestDirectoryRestoredFromAnOldCopy(t *testing.T) {
	t.Parallel()
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	dir := string(c.Node(1).Dir)
	if err := copyTree(dir, dir+".yesterday"); err != nil {
		t.Fatal(err)
	}
	for i := range guarded {
		c.Write(0, fmt.Sprintf("App-%d.json", i), definitionOf(i, "second"))
	}
	c.Settle()
	before := changes(t, c.Node(0))
	if err := errors.Join(os.Rename(dir, dir+".today"), os.Rename(dir+".yesterday", dir)); err != nil {
		t.Fatal(err)
	}
	holdsBack(t, c, 1, mirror.Reversion, guarded)
	if got, want := c.Read(0, "App-7.json"), definitionOf(7, "second"); got != want {
		t.Errorf("App-7.json on node 0 went back to %q", got)
	}
	sets, err := c.Node(1).Approvals()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		if err := c.Node(1).Restore(s.ID); err != nil {
			t.Fatal(err)
		}
	}
	c.Settle()
	if got := changes(t, c.Node(0)) - before; got != 0 {
		t.Errorf("%d changes were made, want 0", got)
	}
	if got, want := c.Read(1, "App-7.json"), definitionOf(7, "second"); got != want {
		t.Errorf("App-7.json on node 1 is %q, want %q", got, want)
	}
}

// stopped waits until a node says that it does not mirror its directory.
func stopped(t *testing.T, c *testcluster.Cluster, i int) {
	t.Helper()
	c.Eventually(func() error {
		s, err := c.Node(i).Status()
		if err == nil && !slices.ContainsFunc(s.Problems, func(p node.Problem) bool { return p.Code == "mirror_stopped" }) {
			err = fmt.Errorf("node %d goes on: %v", i, s.Problems)
		}
		return err
	})
}

// TestDirectoryReplaced: another directory in its place is not this node's, and stops the
// mirror until the right one is back.
func TestDirectoryReplaced(t *testing.T) {
	t.Parallel()
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	dir := string(c.Node(1).Dir)
	if err := errors.Join(os.Rename(dir, dir+".away"), os.Mkdir(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "App-1.json"), []byte(definitionOf(1, "of somebody else")), 0o640)); err != nil {
		t.Fatal(err)
	}
	goesOnAfter(t, c, func() error { return errors.Join(os.RemoveAll(dir), os.Rename(dir+".away", dir)) })
}

// goesOnAfter checks that node 1 has stopped and nothing is lost, mends its directory, and
// checks that it goes on where it was.
func goesOnAfter(t *testing.T, c *testcluster.Cluster, mend func() error) {
	t.Helper()
	stopped(t, c, 1)
	before := changes(t, c.Node(0))
	c.Write(0, "App-1.json", definitionOf(1, "while it was away"))
	c.Eventually(func() error {
		if got := changes(t, c.Node(1)); got != before+1 {
			return fmt.Errorf("node 1 has %d changes, want %d: it takes part in the cluster still", got, before+1)
		}
		return nil
	})
	if err := mend(); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	if got := changes(t, c.Node(0)); got != before+1 {
		t.Errorf("%d changes were made, want 1", got-before)
	}
	for i := range c.Len() {
		if got := files(t, c.Node(i)); len(got) != guarded || got["App-1.json"] != definitionOf(1, "while it was away") {
			t.Errorf("node %d has %d files and App-1.json %q", i, len(got), got["App-1.json"])
		}
	}
	// And its events arrive again.
	c.Write(1, "App-2.json", definitionOf(2, "after it was back"))
	c.Eventually(func() error {
		got, err := c.Node(0).Dir.Read("App-2.json")
		if want := definitionOf(2, "after it was back"); err != nil && !errors.Is(err, fs.ErrNotExist) || got != want {
			return fmt.Errorf("App-2.json on node 0 is %q (%w), want %q", got, err, want)
		}
		return nil
	})
}

package testcluster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

// copied is what the directories of a settled cluster held at a time.
type copied struct {
	at    time.Time
	files map[string]string
}

// takeCopy copies the directory of a node, all of whose cluster is settled. What is
// changed after it returns is changed later by every clock.
func takeCopy(t *testing.T, c *testcluster.Cluster) copied {
	t.Helper()
	files, err := c.Node(0).Dir.Files()
	if err != nil {
		t.Fatal(err)
	}
	now := copied{at: time.Now(), files: files}
	c.Eventually(func() error {
		if time.Now().UnixMilli() == now.at.UnixMilli() {
			return fmt.Errorf("it is still %v", now.at)
		}
		return nil
	})
	return now
}

// wantCopy checks that all directories of a settled cluster are what was copied.
func wantCopy(t *testing.T, c *testcluster.Cluster, want copied) {
	t.Helper()
	for _, n := range c.Running() {
		got, err := n.Dir.Files()
		if err != nil {
			t.Fatal(err)
		}
		if maps.Equal(got, want.files) {
			continue
		}
		t.Errorf("the directory of %s is not what it was at %v", n.Name, want.at)
		for name, content := range want.files {
			if got[name] != content {
				t.Errorf("%s: got %.200q, want %.200q", name, got[name], content)
			}
		}
		for name := range got {
			if _, ok := want.files[name]; !ok {
				t.Errorf("%s should not be there", name)
			}
		}
	}
}

func rollBack(t *testing.T, n *testcluster.Node, to time.Time) node.Reverted {
	t.Helper()
	done, err := n.RollBack(node.Rollback{At: to})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// The deletion guard is about files that go from a directory, not about changes: a
// rollback of most of it reaches every directory, and no node answers to it.
func TestRollbackOfMostOfTheDirectory(t *testing.T) {
	const files = 200
	c := testcluster.New(t, 3, testcluster.Options{Files: definitions(files)})
	c.Settle()
	before := takeCopy(t, c)
	var draft definition.Draft
	for name := range definitions(files) {
		e := definition.Edit{Path: path(t, name), Deleted: true}
		if len(draft.Edits)%5 == 0 {
			e.Content, e.Deleted = []byte(service(len(draft.Edits), "changed")), false
		}
		draft.Edits = append(draft.Edits, e)
	}
	for i := range files {
		name := fmt.Sprintf("new/App-%d.json", 5000+i)
		draft.Edits = append(draft.Edits, definition.Edit{Path: path(t, name), Content: []byte(service(5000+i, "new"))})
	}
	if _, err := c.Node(1).Edit(draft); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	after := takeCopy(t, c)

	count := changes(t, c.Node(0))
	for i, want := range []copied{before, after} {
		done := rollBack(t, c.Node(2-i), want.at)
		if len(done.Edits) != 2*files {
			t.Errorf("the rollback has %d edits, want %d", len(done.Edits), 2*files)
		}
		c.Settle()
		wantCopy(t, c, want)
		for _, n := range c.Running() {
			if held, err := n.Approvals(); err != nil || len(held) > 0 {
				t.Errorf("%s holds %v, %v, want nothing", n.Name, held, err)
			}
		}
	}
	if got, want := changes(t, c.Node(0)), count+2; got != want {
		t.Errorf("there are %d changes, want %d", got, want)
	}
}

// However two nodes edited, together and apart: a rollback on one of them brings back
// every byte of a directory that they shared, on both, and so do later ones.
func TestRandomRollbacks(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	w := &walk{t: t, rng: rand.New(rand.NewPCG(seed, 1))}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what was done:\n%s\ndo it again with -seed=%d", strings.Join(w.done, "\n"), seed)
		}
	})
	w.c = testcluster.New(t, 2, testcluster.Options{Cuttable: true})
	w.c.Settle()
	copies := []copied{takeCopy(t, w.c)}
	for range 6 {
		if w.rng.IntN(2) == 0 {
			w.part()
		}
		for range 2 + w.rng.IntN(10) {
			w.touch()
		}
		w.c.Heal()
		w.rest()
		copies = append(copies, takeCopy(t, w.c))

		i, to := w.rng.IntN(2), copies[w.rng.IntN(len(copies))]
		w.note("node %d: roll back to %v", i, to.at)
		rollBack(t, w.c.Node(i), to.at)
		w.rest()
		wantCopy(t, w.c, to)
		if done := rollBack(t, w.c.Node(1-i), to.at); len(done.Edits) > 0 {
			t.Errorf("the other node would still have to do %d edits", len(done.Edits))
		}
		copies = append(copies, takeCopy(t, w.c))
		if t.Failed() {
			return
		}
	}
}

// touch does something to a file of some node.
func (w *walk) touch() {
	i, name := w.rng.IntN(w.c.Len()), w.name()
	dir := w.c.Node(i).Dir
	switch n := w.rng.IntN(10); {
	case n < 4:
		w.note("node %d: change a field of %s", i, name)
		w.may(w.changeField(dir, name))
	case n < 8:
		w.note("node %d: write %s", i, name)
		w.may(dir.Write(name, w.text(name)))
	default:
		w.note("node %d: remove %s", i, name)
		w.may(dir.Remove(name))
	}
	w.c.Eventually(func() error {
		w.approve(w.c.Node(i))
		return w.c.Node(i).Imported()
	})
}

// rest waits until the cluster has settled, and approves what is held until then.
func (w *walk) rest() {
	w.c.Eventually(func() error {
		for _, n := range w.c.Running() {
			w.approve(n)
		}
		return w.c.Settled()
	})
}

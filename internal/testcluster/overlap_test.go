package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

// kept is a service as people keep it, and resaved the same one as CAS writes it again:
// without comments.
func kept(id int, description, theme string) string {
	return "# by hand, and this comment too\n" + resaved(id, description, theme)
}

func resaved(id int, description, theme string) string {
	return fmt.Sprintf("{\n  \"id\": %d,\n  \"description\": \"%s\",\n  \"theme\": \"%s\"\n}\n", id, description, theme)
}

// wantConflicts fails the test unless all nodes list exactly these conflicts, and can
// read every side of them. It returns them.
func wantConflicts(t *testing.T, c *testcluster.Cluster, want ...string) []node.Conflict {
	t.Helper()
	var listed []node.Conflict
	for i := range c.Len() {
		var err error
		if listed, err = c.Node(i).Conflicts(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range listed {
			if l.Kind == node.ConflictDuplicateID {
				got = append(got, fmt.Sprintf("%s %s: %v", l.Path, l.Kind, l.Paths))
				continue
			}
			var pointers []string
			if l.Pointer != "" {
				pointers = append(pointers, l.Pointer)
			}
			got = append(got, fmt.Sprintf("%s %s: %s lost to %s %v", l.Path, l.Kind, l.Lost.Author, l.Stands.Author, pointers))
			for _, side := range []node.Side{l.Lost, l.Stands} {
				if _, err := c.Node(i).ReadVersion(side.Version); err != nil && !side.Deleted {
					t.Errorf("node %d cannot read a side of %s: %v", i, l.Path, err)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("node %d lists\n%q, want\n%q", i, got, want)
		}
		conflicts(t, c, i, len(want))
	}
	return listed
}

// wantLogged waits until each node has logged exactly these conflicts, each once.
func wantLogged(t *testing.T, c *testcluster.Cluster, want ...string) {
	t.Helper()
	line := regexp.MustCompile(`level=WARN msg="a conflict is open" path=(\S+ kind=\S+)`)
	for i := range c.Len() {
		c.Eventually(func() error {
			text, err := c.Node(i).Logged()
			if err != nil {
				return err
			}
			var got []string
			for _, m := range line.FindAllStringSubmatch(text, -1) {
				got = append(got, m[1])
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				err = fmt.Errorf("node %d logged %q, want %q", i, got, want)
			}
			return err
		})
	}
}

// TestConflictsAreExactlyWhatOverlaps: three nodes that are apart edit other fields and
// the same field, delete what another edits, rename what another edits or renames too, and create
// one path twice. An edit follows a rename. What overlaps is in conflict and nothing else, on all nodes; it stays so
// when CAS saves the files again, and ends everywhere when it is resolved on one node.
func TestConflictsAreExactlyWhatOverlaps(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Cuttable: true, Files: map[string]string{
		"Fields-1.json": kept(1, "old", "plain"), "Field-2.json": kept(2, "old", "plain"), "Gone-3.json": kept(3, "old", "plain"),
		"Old-4.json": kept(4, "old", "plain"), "Alone-6.json": kept(6, "old", "plain"),
		"Both-7.json": kept(7, "old", "plain"),
	}})
	c.Settle()
	c.Partition([]int{0}, []int{1}, []int{2})

	c.Write(0, "Fields-1.json", kept(1, "of 0", "plain"))
	c.Write(0, "Field-2.json", kept(2, "of 0", "plain"))
	c.Write(0, "Twice-5.json", kept(5, "of 0", "plain"))
	c.Write(0, "Alone-6.json", kept(6, "of 0", "plain"))
	c.Remove(0, "Gone-3.json")
	c.Rename(0, "Both-7.json", "both/One-7.json")
	c.Imported(0)
	c.Write(1, "Fields-1.json", kept(1, "old", "of 1"))
	c.Write(1, "Field-2.json", kept(2, "of 1", "plain"))
	c.Write(1, "Gone-3.json", kept(3, "of 1", "plain"))
	c.Write(1, "Old-4.json", kept(4, "of 1", "plain"))
	c.Imported(1)
	c.Write(2, "Field-2.json", kept(2, "old", "of 2"))
	c.Write(2, "Twice-5.json", kept(5, "of 2", "plain"))
	c.Rename(2, "Old-4.json", "moved/New-4.json")
	c.Rename(2, "Both-7.json", "both/Two-7.json")
	c.Imported(2)
	c.Heal()
	c.Settle()

	overlaps := []string{
		"Both-7.json renamed: node-0 lost to node-2 []",
		"Field-2.json edits: node-0 lost to node-1 [/description]",
		"Gone-3.json deletion: node-0 lost to node-1 []",
		"Twice-5.json edits: node-0 lost to node-2 [/description]",
		"both/One-7.json duplicate_id: [both/One-7.json both/Two-7.json]",
	}
	wantConflicts(t, c, overlaps...)
	for i := range c.Len() {
		for name, want := range map[string]string{
			"Fields-1.json":    kept(1, "of 0", "of 1"),
			"Field-2.json":     kept(2, "of 1", "of 2"),
			"Gone-3.json":      kept(3, "of 1", "plain"),
			"Old-4.json":       "",
			"moved/New-4.json": kept(4, "of 1", "plain"),
			"Both-7.json":      "",
			"both/One-7.json":  kept(7, "old", "plain"),
			"both/Two-7.json":  kept(7, "old", "plain"),
			"Twice-5.json":     kept(5, "of 2", "plain"),
			"Alone-6.json":     kept(6, "of 0", "plain"),
		} {
			if want == "" {
				if _, err := c.Node(i).Dir.Read(name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is on node %d: %v", name, i, err)
				}
			} else if got := c.Read(i, name); got != want {
				t.Errorf("%s on node %d is %q, want %q", name, i, got, want)
			}
		}
	}

	c.WriteInPlace(1, "Field-2.json", resaved(2, "of 1", "of 2"))
	c.WriteInPlace(1, "Gone-3.json", resaved(3, "of 1", "plain"))
	c.WriteInPlace(0, "moved/New-4.json", resaved(4, "of 1", "plain"))
	c.WriteInPlace(2, "Twice-5.json", resaved(5, "of 2", "plain"))
	for i := range c.Len() {
		c.Imported(i)
	}
	c.Settle()
	for _, l := range wantConflicts(t, c, overlaps...) {
		if l.Kind != node.ConflictDuplicateID && l.Kind != definition.ConflictRenamed && l.At.IsZero() {
			t.Errorf("the conflict of %s does not name the change that was made on top", l.Path)
		}
	}

	wantLogged(t, c, "Both-7.json kind=renamed", "Field-2.json kind=edits", "Gone-3.json kind=deletion", "Twice-5.json kind=edits",
		"both/One-7.json kind=duplicate_id")

	done, err := c.Node(2).Resolve(node.Resolution{Paths: []string{"**"}, Merged: true, Note: "looked at"})
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[definition.ChangeID]bool)
	for _, v := range done.Versions {
		made[v.Change] = true
	}
	if len(done.Versions) != 4 || len(made) != 1 {
		t.Errorf("resolved are %v, want four paths in one change", done.Versions)
	}
	c.Settle()
	wantConflicts(t, c, "both/One-7.json duplicate_id: [both/One-7.json both/Two-7.json]")
	c.Remove(0, "both/One-7.json")
	c.Settle()
	wantConflicts(t, c)
}

package testcluster_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

func TestOfCaseTwinsTheEarlierIsHeldEverywhere(t *testing.T) {
	c := testcluster.New(t, 3, testcluster.Options{Cuttable: true})
	c.Settle()
	c.Partition([]int{0}, []int{1}, []int{2})
	for i, name := range []string{"Twin-1.json", "twin-1.json", "TWIN-1.json"} {
		c.Write(i, name, service(1, name))
		c.Imported(i)
	}
	c.Heal()
	c.Settle()
	for i := range c.Len() {
		if got, want := c.Read(i, "Twin-1.json"), service(1, "Twin-1.json"); got != want {
			t.Errorf("Twin-1.json on node %d is %q, want %q", i, got, want)
		}
		absent(t, c.Node(i), "twin-1.json")
		absent(t, c.Node(i), "TWIN-1.json")
		for _, name := range []string{"twin-1.json", "TWIN-1.json"} {
			if !history(t, c.Node(i), name)[service(1, name)] {
				t.Errorf("%s cannot be read on node %d", name, i)
			}
		}
	}
	conflicts(t, c, 0, 2)
	// The next takes the place of the one that goes.
	c.Remove(0, "Twin-1.json")
	c.Settle()
	if got, want := c.Read(2, "twin-1.json"), service(1, "twin-1.json"); got != want {
		t.Errorf("twin-1.json on node 2 is %q, want %q", got, want)
	}
}

// TestOfCaseTwinsWhatFollowsOnLessIsHeld: not the clock decides, which a node may
// have wrong, but what a file was made on top of.
func TestOfCaseTwinsWhatFollowsOnLessIsHeld(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Cuttable: true})
	c.Settle()
	c.Disconnect(1)
	for i, name := range []string{"One-1.json", "Two-2.json", "twin-3.json"} {
		c.Write(0, name, service(i+1, name))
		c.Imported(0)
	}
	c.Write(1, "Twin-3.json", service(3, "later, on top of less"))
	c.Imported(1)
	c.Heal()
	c.Settle()
	if got, want := c.Read(0, "Twin-3.json"), service(3, "later, on top of less"); got != want {
		t.Errorf("Twin-3.json on node 0 is %q, want %q", got, want)
	}
	absent(t, c.Node(1), "twin-3.json")
	conflicts(t, c, 0, 1)
}

func TestComposedAndDecomposedNamesAreHeldOnce(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{})
	c.Settle()
	c.Write(0, "Caf\u00e9-1.json", service(1, "composed"))
	c.Settle()
	if got, want := c.Read(1, "Caf\u00e9-1.json"), service(1, "composed"); got != want {
		t.Errorf("the file on node 1 is %q, want %q", got, want)
	}
	// The other form is no valid path: it is held, and says why.
	const decomposed = "Cafe\u0301-1.json"
	c.Write(1, decomposed, service(1, "decomposed"))
	c.Eventually(func() error {
		s, err := c.Node(1).Status()
		if err == nil && (len(s.Held) != 1 || s.Held[0].Path != decomposed) {
			err = fmt.Errorf("node 1 holds %v, want %q held", s.Held, decomposed)
		}
		return err
	})
	c.Remove(1, decomposed)
}

func TestFileAgainstFolder(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Cuttable: true})
	c.Settle()
	c.Disconnect(1)
	c.Write(0, "App.json", service(1, "file"))
	c.Imported(0)
	c.Write(1, "App.json/Inner-2.json", service(2, "in a folder of that name"))
	c.Imported(1)
	c.Heal()
	c.Settle() // the folder, which is empty now, gives way to the file
	for i := range 2 {
		if got, want := c.Read(i, "App.json"), service(1, "file"); got != want {
			t.Errorf("App.json on node %d is %q, want %q", i, got, want)
		}
	}
	if !history(t, c.Node(0), "App.json/Inner-2.json")[service(2, "in a folder of that name")] {
		t.Error("what lost cannot be read on node 0")
	}
}

// TestDeletedWhileDisplaced: a file is replaced by a folder of its name, made again and
// deleted. What was in the folder was deleted while the file was in its way, and stays so.
func TestDeletedWhileDisplaced(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Files: definitions(5)})
	c.Settle()
	c.Write(0, "App.json", service(21, "file"))
	c.Settle()
	c.Remove(0, "App.json")
	c.Write(0, "App.json/In-22.json", service(22, "in a folder of that name"))
	c.Settle()
	c.Remove(0, "App.json/In-22.json")
	c.Remove(0, "App.json")
	c.Write(0, "App.json", service(21, "again"))
	c.Settle()
	if got, want := c.Read(1, "App.json"), service(21, "again"); got != want {
		t.Errorf("App.json on node 1 is %q, want %q", got, want)
	}
	c.Remove(0, "App.json")
	c.Settle()
	for i := range c.Len() {
		absent(t, c.Node(i), "App.json")
		absent(t, c.Node(i), "App.json/In-22.json")
	}
}

// TestNewFileInThePlaceOfAnotherStays: a name is changed in its case only, and the text
// with it; or a folder gives way to a file of its name. Until the old file's deletion is
// published, and while the guard holds it, the user's new file stays where it is.
func TestNewFileInThePlaceOfAnotherStays(t *testing.T) {
	const many = 7
	for _, tt := range []struct {
		name     string
		old, new func(i int) string
		n        int
		held     bool
	}{
		{"case of one name", lower, upper, 1, false},
		{"case of all names", lower, upper, many, true},
		{"folder", func(i int) string { return fmt.Sprintf("app-%d.json/in.json", i) }, lower, 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testcluster.New(t, 2, testcluster.Options{})
			c.Settle()
			for i := range tt.n {
				c.Write(0, tt.old(i), service(i, "old"))
			}
			c.Settle()
			for i := range tt.n {
				c.Remove(0, tt.old(i))
				if folder := filepath.Dir(tt.old(i)); folder != "." {
					c.Remove(0, folder)
				}
				c.Write(0, tt.new(i), service(100+i, "another text"))
			}
			check := func() error {
				for i := range tt.n {
					if got, want := c.Read(0, tt.new(i)), service(100+i, "another text"); got != want {
						t.Fatalf("%s is %q, want %q", tt.new(i), got, want)
					}
				}
				s, err := c.Node(0).Status()
				if err != nil {
					return err
				}
				got, err := c.Node(1).Dir.Read(tt.new(0))
				if want := service(100, "another text"); !tt.held && (err != nil || got != want) {
					return fmt.Errorf("%s on node 1 is %q (%w), want %q", tt.new(0), got, err, want)
				}
				if tt.held && len(s.Held) != 2*tt.n {
					return fmt.Errorf("held: %v, want %d", s.Held, 2*tt.n)
				}
				return nil
			}
			c.Eventually(check)
			if tt.held {
				if err := c.Node(0).ApproveAll(); err != nil {
					t.Fatal(err)
				}
			}
			c.Settle()
			for i := range tt.n {
				if got, want := c.Read(1, tt.new(i)), service(100+i, "another text"); got != want {
					t.Errorf("%s on node 1 is %q, want %q", tt.new(i), got, want)
				}
			}
		})
	}
}

func lower(i int) string { return fmt.Sprintf("app-%d.json", i) }
func upper(i int) string { return fmt.Sprintf("App-%d.json", i) }

func TestEditOfAReaderIsPutAside(t *testing.T) {
	c := testcluster.New(t, 1, testcluster.Options{Files: map[string]string{
		"App-1.json": service(1, "of the cluster"), "App-2.json": service(2, "of the cluster"),
	}})
	reader := c.Join(testcluster.JoinOptions{Role: trust.RoleReader, Files: map[string]string{"Stale-3.json": service(3, "stale")}})
	c.Settle()
	before := changes(t, c.Node(0))
	c.Write(reader, "App-1.json", service(1, "of the reader"))
	c.Remove(reader, "App-2.json")
	c.Write(reader, "Own-4.json", service(4, "of the reader"))
	c.Eventually(func() error {
		for name, want := range map[string]string{"App-1.json": service(1, "of the cluster"), "App-2.json": service(2, "of the cluster")} {
			got, err := c.Node(reader).Dir.Read(name)
			if err == nil && got != want {
				err = fmt.Errorf("%s on the reader is %q, want %q", name, got, want)
			}
			if err != nil {
				return err
			}
		}
		return c.Settled()
	})
	absent(t, c.Node(reader), "Own-4.json")
	absent(t, c.Node(reader), "Stale-3.json")
	if got := changes(t, c.Node(0)); got != before {
		t.Errorf("there are %d changes, want %d", got, before)
	}
	aside, err := testcluster.Dir(c.Node(reader).Data + "/aside").Files()
	if err != nil || len(aside) != 3 {
		t.Errorf("%d files were put aside (%v), want 3", len(aside), err)
	}
}

func TestMoveIsOneChange(t *testing.T) {
	c := testcluster.New(t, 2, testcluster.Options{Files: map[string]string{"Old-1.json": service(1, "moves"), "Other-2.json": service(2, "")}})
	c.Settle()
	before := changes(t, c.Node(1))
	c.Rename(1, "Old-1.json", "sub/New-1.json")
	c.Settle()
	if got := changes(t, c.Node(1)); got != before+1 {
		t.Errorf("the move made %d changes, want 1", got-before)
	}
	log, err := c.Node(0).Log(node.LogQuery{Path: path(t, "sub/New-1.json")})
	if err != nil {
		t.Fatal(err)
	}
	if len(log) != 2 || len(log[0].Edits) != 2 {
		t.Errorf("the history of the moved file is %+v, want the move of two edits and the creation", log)
	}
}

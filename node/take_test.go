package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// desk is one node, and one definition that is edited through it.
type desk struct {
	*node.Node
	t    *testing.T
	path definition.Path
}

func newDesk(t *testing.T, name string) *desk {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: t.TempDir(), Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
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
	<-n.Ready()
	p, err := definition.ParsePath(name)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{n, t, p}
}

// put makes an edit of what was read in some versions, of what stands now if there are none;
// without content it deletes.
func (d *desk) put(content string, read ...definition.Version) definition.Version {
	d.t.Helper()
	e := definition.Edit{Path: d.path, Parents: read, Content: []byte(content), Deleted: content == ""}
	versions, err := d.Edit(d.t.Context(), definition.Draft{Edits: []definition.Edit{e}})
	if err != nil {
		d.t.Fatal(err)
	}
	return versions[0]
}

func (d *desk) holds(want string) {
	d.t.Helper()
	if got, err := d.Read(d.t.Context(), d.path, definition.ChangeID{}); string(got) != want || err != nil && want != "" {
		d.t.Errorf("the file is %s, %v, want %s", got, err, want)
	}
}

// open fails the test unless so many conflicts are open.
func (d *desk) open(want int) []node.Conflict {
	d.t.Helper()
	open, err := d.Conflicts(d.t.Context(), "")
	if err != nil || len(open) != want {
		d.t.Errorf("open are %+v, %v, want %d", open, err, want)
	}
	return open
}

func (d *desk) take(r node.Resolution) (node.Resolved, error) {
	r.Paths = []string{d.path.String()}
	return d.ResolveConflicts(d.t.Context(), r)
}

// TestWhatIsTakenLeavesAllElse: of a side that is taken the fields in conflict stand, and what
// anybody edited besides, before or since, stays. For each syntax.
func TestWhatIsTakenLeavesAllElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file, text string // %q of description, theme, name
	}{
		{"JSON", "a-1.json", "{\n  \"id\": 1,\n  \"description\": %q,\n  \"theme\": %q,\n  \"name\": %q\n}\n"},
		{"HJSON", "a-1.json", "{\n  # who reads this\n  id: 1\n  description: %q\n  theme: %q\n  name: %q\n}\n"},
		{"YAML", "a-1.yml", "# who reads this\nid: 1\ndescription: %q\ntheme: %q\nname: %q\n"},
		{"nested", "a-1.json", `{"id": 1, "contacts": ["java.util.ArrayList", [{"@class": "x", "name": "k", "phone": %q, "mail": %q, "room": %q}]]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := func(description, theme, name string) string { return fmt.Sprintf(tt.text, description, theme, name) }
			d := newDesk(t, tt.file)
			first := d.put(text("1", "1", "1"))
			one := d.put(text("2", "2", "1"), first)
			two := d.put(text("3", "1", "3"), first)
			d.holds(text("3", "2", "3"))
			c := d.open(1)[0]
			if c.Lost.Version != one || c.Stands.Version != two || c.LostText.Text != `"2"` || c.StandsText.Text != `"3"` || c.Base.Text != `"1"` {
				t.Errorf("the conflict is %+v", c)
			}
			if done, err := d.PreviewResolve(t.Context(), node.Resolution{Paths: []string{tt.file}, Take: one.Change}); err != nil || len(done.Versions) != 0 || len(done.Files) != 1 || len(done.Files[0].Comparison.Fields) != 1 {
				t.Errorf("the preview is %+v, %v", done, err)
			}
			d.holds(text("3", "2", "3"))

			d.put(text("3", "2", "5")) // on top
			done, err := d.take(node.Resolution{Take: one.Change})
			if err != nil {
				t.Fatal(err)
			}
			if f := done.Files[0]; f.Left != 0 || len(f.Fields) != 1 || !f.Fields[0].Taken || f.Fields[0].Text.Text != `"2"` || f.Fields[0].Pointer != c.Pointer {
				t.Errorf("resolved is %+v", f)
			}
			d.holds(text("2", "2", "5"))
			d.open(0)
		})
	}
}

// TestTaking has what else can be taken.
func TestTaking(t *testing.T) {
	t.Parallel()
	const one, two, three = `{"id": 1, "a": 1, "b": 1}`, `{"id": 1, "a": 2, "b": 2}`, `{"id": 1, "a": 3, "b": 3}`
	for _, tt := range []struct {
		name string
		tell func(d *desk)
	}{
		{"one field, then the other", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(three, first)
			d.open(2)
			if done, err := d.take(node.Resolution{Take: lost.Change, Fields: []string{"/a"}}); err != nil || done.Files[0].Left != 1 {
				t.Errorf("got %+v, %v, want one left", done, err)
			}
			d.holds(`{"id": 1, "a": 2, "b": 3}`)
			d.open(1)
			if done, err := d.take(node.Resolution{Merged: true, Fields: []string{"/b"}}); err != nil || done.Files[0].Left != 0 {
				t.Errorf("got %+v, %v, want none left", done, err)
			}
			d.holds(`{"id": 1, "a": 2, "b": 3}`)
			d.open(0)
		}},
		{"each field of another side", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(three, first)
			if _, err := d.take(node.Resolution{Choices: []node.Choice{{Pointer: "/a", Take: lost.Change}, {Pointer: "/b"}}}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "a": 2, "b": 3}`)
			d.open(0)
		}},
		{"the field was edited since", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(three, first)
			d.put(`{"id": 1, "a": 4, "b": 3, "c": 4}`)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "a": 2, "b": 2, "c": 4}`)
			d.open(0)
		}},
		{"a removal", func(d *desk) {
			first := d.put(one)
			lost := d.put(`{"id": 1, "b": 1}`, first)
			d.put(three, first)
			d.holds(three)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "b": 3}`)
			d.open(0)
		}},
		{"a later removal", func(d *desk) {
			first := d.put(one)
			d.put(three, first)
			lost := d.put(`{"id": 1, "b": 1}`, first)
			d.holds(three)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "b": 3}`)
			d.open(0)
		}},
		{"a deletion", func(d *desk) {
			first := d.put(one)
			lost := d.put("", first)
			d.put(two, first)
			if done, err := d.take(node.Resolution{Take: lost.Change}); err != nil || done.Files[0].Kind != node.EditDelete {
				t.Errorf("got %+v, %v, want a deletion", done, err)
			}
			d.holds("")
			d.open(0)
		}},
		{"what stands", func(d *desk) {
			first := d.put(one)
			d.put(two, first)
			stands := d.put(three, first)
			if done, err := d.take(node.Resolution{Take: stands.Change}); err != nil || done.Files[0].Fields[0].Taken {
				t.Errorf("got %+v, %v, want that it stays", done, err)
			}
			d.holds(three)
			d.open(0)
		}},
		{"the whole file", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(`{"id": 1, "a": 3, "b": 1, "c": 3}`, first)
			if _, err := d.take(node.Resolution{Take: lost.Change, Whole: true}); err != nil {
				t.Error(err)
			}
			d.holds(two)
			d.open(0)
		}},
		{"what a save took back", func(d *desk) {
			d.put(one)
			lost := d.put(two)
			if _, err := d.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{{Path: d.path, Content: []byte(one), Returned: true}}}); err != nil {
				t.Error(err)
			}
			d.put(`{"id": 1, "a": 1, "b": 1, "c": 4}`)
			d.open(1)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "a": 2, "b": 2, "c": 4}`)
			d.open(0)
		}},
		{"an item of a list among a third side's", func(d *desk) {
			list := func(items string) string { return `{"id": 1, "l": [` + items + `]}` }
			first := d.put(list(`{"@class": "x", "name": "a", "v": 1}`))
			lost := d.put(list(`{"@class": "x", "name": "a", "v": 2}`), first)
			d.put(list(`{"@class": "x", "name": "z", "v": 0}, {"@class": "x", "name": "a", "v": 1}`), first)
			d.put(list(`{"@class": "x", "name": "a", "v": 3}`), first)
			d.open(1)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(list(`{"@class": "x", "name": "z", "v": 0}, {"@class": "x", "name": "a", "v": 2}`))
			d.open(0)
		}},
		{"a comment, and the value below it stays", func(d *desk) {
			text := func(comment, a, b string) string {
				return "{\n  \"id\": 1,\n  // " + comment + "\n  \"a\": " + a + ",\n  \"b\": " + b + "\n}"
			}
			first := d.put(text("1", "1", "1"))
			lost := d.put(text("2", "1", "1"), first)
			d.put(text("1", "1", "7"), first)
			d.put(text("3", "1", "1"), first)
			d.holds(text("3", "1", "7"))
			c := d.open(1)[0]
			if c.FieldKind != definition.FieldComment || c.Lost.Version != lost {
				t.Errorf("the conflict is %+v", c)
			}
			d.put(text("3", "5", "7"))
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(text("2", "5", "7"))
			d.open(0)
		}},
		{"a side that followed a rename", func(d *desk) {
			first := d.put(one)
			y, err := definition.ParsePath("y-1.json")
			if err != nil {
				t.Fatal(err)
			}
			moved, err := d.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{
				{Path: d.path, Parents: []definition.Version{first}, Deleted: true},
				{Path: y, Parents: []definition.Version{first}, MovedFrom: d.path, Content: []byte(`{"id": 1, "a": 3, "b": 1}`)},
			}})
			if err != nil {
				t.Fatal(err)
			}
			lost := d.put(`{"id": 1, "a": 2, "b": 1}`, first)
			d.holds("")
			d.path = y
			d.holds(`{"id": 1, "a": 2, "b": 1}`) // it is the later
			c := d.open(1)[0]
			if c.Path != y || c.Stands.Version != lost || c.Base.Text != "1" {
				t.Errorf("the conflict is %+v", c)
			}
			if _, err := d.Dispute(t.Context(), y); err != nil {
				t.Error(err)
			}
			d.put(`{"id": 1, "a": 2, "b": 4}`) // on top of both
			d.open(1)
			if got, err := d.Read(t.Context(), y, lost.Change); err != nil || string(got) != `{"id": 1, "a": 2, "b": 1}` {
				t.Errorf("as it followed it was %s, %v", got, err)
			}
			both := []definition.ChangeID{lost.Change, moved[0].Change}
			if basis, err := d.Basis(t.Context(), y, both); err != nil || !slices.Equal(basis, []definition.Version{lost, {Change: moved[0].Change, Path: y}}) {
				t.Errorf("what was read then is %v, %v", basis, err)
			}
			if _, err := d.Basis(t.Context(), y, both[:1]); !errors.Is(err, node.ErrNotFound) {
				t.Errorf("alone it has another name: got %v, want ErrNotFound", err)
			}
			if shown, err := d.Show(t.Context(), d.put(`{"id": 1, "a": 2, "b": 5}`).Change); err != nil || len(shown.Edits[0].Comparison.Fields) != 1 {
				t.Errorf("shown is %+v, %v", shown, err)
			}
			if _, err := d.take(node.Resolution{Take: c.Lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(`{"id": 1, "a": 3, "b": 5}`)
			d.open(0)
			log, err := d.Log(t.Context(), node.LogQuery{Path: y})
			if err != nil || len(log) != 6 || log[2].Edits[0].Kind != node.EditChange || log[2].Edits[0].MovedFrom.IsZero() {
				t.Errorf("the log is %+v, %v", log, err)
			}
		}},
		{"a comment of the document", func(d *desk) {
			text := func(comment, a, b string) string {
				return fmt.Sprintf("// %s\n{\n  \"id\": 1,\n  \"a\": %s,\n  \"b\": %s\n}\n", comment, a, b)
			}
			first := d.put(text("1", "1", "1"))
			lost := d.put(text("2", "2", "1"), first)
			d.put(text("3", "3", "3"), first)
			for _, c := range d.open(2) {
				if (c.Pointer == definition.DocumentComments) != (c.FieldKind == definition.FieldComment) || c.Reason != "" {
					t.Errorf("the conflict is %+v", c)
				}
			}
			if _, err := d.take(node.Resolution{Take: lost.Change, Fields: []string{definition.DocumentComments}}); err != nil {
				t.Error(err)
			}
			d.holds(text("2", "3", "3"))
			d.open(1)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(text("2", "2", "3"))
		}},
		{"a file that was renamed since", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(three, first)
			on := d.put(three)
			y, err := definition.ParsePath("y-1.json")
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{
				{Path: d.path, Parents: []definition.Version{on}, Deleted: true},
				{Path: y, Parents: []definition.Version{on}, MovedFrom: d.path, Content: []byte(three)},
			}})
			if err != nil {
				t.Fatal(err)
			}
			d.path = y
			for _, c := range d.open(2) {
				if c.Path != y {
					t.Errorf("the conflict is at %s, want the new name", c.Path)
				}
			}
			if _, err := d.take(node.Resolution{Take: lost.Change, Fields: []string{"/a"}}); err != nil {
				t.Error(err)
			}
			d.open(1)
			if _, err := d.take(node.Resolution{Take: lost.Change}); err != nil {
				t.Error(err)
			}
			d.holds(two)
			d.open(0)
		}},
		{"no side, no field, twice", func(d *desk) {
			first := d.put(one)
			lost := d.put(two, first)
			d.put(three, first)
			for _, r := range []node.Resolution{
				{Take: first.Change}, {Take: lost.Change, Fields: []string{"/c"}}, {Merged: true, Fields: []string{"/c"}},
				{Choices: []node.Choice{{Pointer: "/c"}}}, {Choices: []node.Choice{{Pointer: "/a", Take: first.Change}}},
			} {
				if _, err := d.take(r); !errors.Is(err, node.ErrNotFound) {
					t.Errorf("%+v: got %v, want ErrNotFound", r, err)
				}
			}
			for _, r := range []node.Resolution{
				{}, {Whole: true}, {Take: lost.Change, Merged: true}, {Merged: true, Whole: true}, {Take: lost.Change, Whole: true, Fields: []string{"/a"}},
				{Choices: []node.Choice{{Pointer: "/a"}, {Pointer: "/a", Take: lost.Change}}},
			} {
				if _, err := d.take(r); !errors.Is(err, node.ErrInvalid) {
					t.Errorf("%+v: got %v, want ErrInvalid", r, err)
				}
			}
			d.open(2)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.tell(newDesk(t, "a-1.json")) })
	}
}

// TestWhatOneNodeIsGivenIsASequence: edits of one path that come at once, by whoever, are no
// conflict: each is made on what stands then.
func TestWhatOneNodeIsGivenIsASequence(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "a-1.json")
	var loops sync.WaitGroup
	for loop := range 4 {
		loops.Go(func() {
			for i := range 25 {
				e := definition.Edit{Path: d.path, Content: fmt.Appendf(nil, `{"id": 1, "name": "%d of %d"}`, i, loop)}
				if _, err := d.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{e}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	loops.Wait()
	d.open(0)
	log, err := d.Log(t.Context(), node.LogQuery{Path: d.path})
	if err != nil || len(log) != 100 {
		t.Fatalf("got %d changes, %v, want 100", len(log), err)
	}
	for _, c := range log {
		if !c.Edits[0].Older.IsZero() {
			t.Errorf("change %s was not made on what stood", c.ID.Short())
		}
	}
	got, err := d.Read(t.Context(), d.path, definition.ChangeID{})
	if want, _ := d.Read(t.Context(), d.path, log[0].ID); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file is %s, %v, want that of the last change", got, err)
	}
}

package mirror_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// form is a definition with three fields, and one that says which version it is.
func form(note, order, extra string) string {
	return fmt.Sprintf("{\n  # kept\n  \"id\": 1,\n  \"note\": %q,\n  \"order\": %q,\n  \"extra\": %q\n}\n", note, order, extra)
}

// lastEdit returns the last edit of a path that the mirror made.
func (n *node) lastEdit(name string) definition.Edit {
	n.t.Helper()
	for _, e := range slices.Backward(n.replica.edits()) {
		if e.Path == path(name) {
			return e
		}
	}
	n.t.Fatalf("%s was never imported", name)
	return definition.Edit{}
}

// heads returns the heads of a path.
func (n *node) heads(name string) []definition.Version { return n.replica.View(path(name)).Heads }

// arrives makes another node's change and waits for it.
func (n *node) arrives(name, content string) {
	n.t.Helper()
	n.replica.remote(map[string][]byte{name: []byte(content)})
	n.wants(name, content)
}

func TestASaveIsAnEditOfWhatItsAuthorHadRead(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": form("o", "o", "o")}), newMemReplica(), founder, quickDeletes)
	opened := n.heads("a.json")
	n.arrives("a.json", form("o", "other", "o"))
	n.arrives("a.json", form("o", "other", "other"))
	newer := n.heads("a.json")

	// An edit of what the author sees.
	save(t, n.dir, "a.json", form("mine", "other", "other"))
	n.wantsView("a.json", form("mine", "other", "other"))
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, newer) {
		t.Errorf("an edit of the newer version has the parents %v, want %v", got, newer)
	}

	// A form that was opened at the start.
	save(t, n.dir, "a.json", form("form", "o", "o"))
	n.wantsView("a.json", form("form", "o", "o"))
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, opened) {
		t.Errorf("a form that was opened before has the parents %v, want %v", got, opened)
	}
}

// TestUndoingWhatWasSavedHereIsNotStale, though it looks like an edit of what an export had
// replaced before: whoever saves here has seen what was saved here.
func TestUndoingWhatWasSavedHereIsNotStale(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": form("o", "o", "o")}), newMemReplica(), founder, quickDeletes)
	n.arrives("a.json", form("o", "other", "o"))
	save(t, n.dir, "a.json", form("mine", "mine", "o"))
	n.wantsView("a.json", form("mine", "mine", "o"))
	own := n.heads("a.json")
	save(t, n.dir, "a.json", form("o", "third", "new"))
	n.wantsView("a.json", form("o", "third", "new"))
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, own) {
		t.Errorf("the parents are %v, want %v", got, own)
	}
}

// TestAStaleSaveIsFoundInAnyLayout: CAS writes HJSON without comments; and after a restart.
// TestASaveThatBringsBackIsNoEditOfAStillOlderVersion: a tool puts its own line into the file on
// each of two nodes in turn.
func TestASaveThatBringsBackIsNoEditOfAStillOlderVersion(t *testing.T) {
	first := form("o", "o", "o")
	theirs, ours := "# managed there\n"+first, "# managed here\n"+first
	n := run(t, newDir(t, map[string]string{"a.json": first}), newMemReplica(), founder, quickDeletes)
	for round := range 2 {
		n.arrives("a.json", theirs)
		newer := n.heads("a.json")
		save(t, n.dir, "a.json", ours)
		n.wantsView("a.json", ours)
		// The first line may well come from somebody who had read what was there before.
		if got := n.lastEdit("a.json").Parents; round > 0 && !sameVersions(got, newer) {
			t.Errorf("the parents are %v, want %v", got, newer)
		}
	}
}

func TestAStaleSaveIsFoundInAnyLayout(t *testing.T) {
	files := map[string]string{"a.json": form("o", "o", "o"), "b.yml": "# kept\nid: 2\nnote: o\norder: o\n"}
	n := run(t, newDir(t, files), newMemReplica(), founder, quickDeletes)
	openedJSON, openedYAML := n.heads("a.json"), n.heads("b.yml")
	n.arrives("a.json", form("o", "other", "o"))
	n.arrives("b.yml", "# kept\nid: 2\nnote: o\norder: other\n")
	n.stop()
	n = run(t, n.dir, n.replica, founder, quickDeletes)
	const hjson, yaml = "{\n  extra: o\n  id: 1\n  note: form\n  order: o\n}", "note: \"form\"\nid: 2\norder: \"o\"\n"
	write(t, n.dir, "a.json", hjson)
	write(t, n.dir, "b.yml", yaml)
	n.wantsView("a.json", hjson)
	n.wantsView("b.yml", yaml)
	for name, want := range map[string][]definition.Version{"a.json": openedJSON, "b.yml": openedYAML} {
		if got := n.lastEdit(name).Parents; !sameVersions(got, want) {
			t.Errorf("%s has the parents %v, want %v", name, got, want)
		}
	}
}

// TestOneFormIsSavedAgain: each save of a form that stays open is on top of the one before.
func TestOneFormIsSavedAgain(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": form("o", "o", "o")}), newMemReplica(), founder, quickDeletes)
	n.arrives("a.json", form("o", "other", "o"))
	before := n.heads("a.json")
	for i := range 5 {
		saved := form(fmt.Sprint("form ", i), "o", "o")
		save(t, n.dir, "a.json", saved)
		n.wantsView("a.json", saved)
		own := n.heads("a.json")
		if e := n.lastEdit("a.json"); sameVersions(e.Parents, before) {
			t.Errorf("save %d has the parents %v: it undoes what has arrived", i, e.Parents)
		}
		// The merge, which this replica knows nothing about, comes as another's change.
		merged := form(fmt.Sprint("form ", i), "other", "o")
		n.arrives("a.json", merged)
		before = n.heads("a.json")
		if i == 4 { // once more: it is meant
			save(t, n.dir, "a.json", saved)
			n.wantsView("a.json", saved)
			if e := n.lastEdit("a.json"); !sameVersions(e.Parents, before) {
				t.Errorf("the same save again has the parents %v, want %v, not %v", e.Parents, before, own)
			}
		}
	}
}

// TestAStaleSaveOfAFileThatWasDeleted is an edit against a deletion.
func TestAStaleSaveOfAFileThatWasDeleted(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": form("o", "o", "o")}), newMemReplica(), founder, quickDeletes)
	opened := n.heads("a.json")
	n.replica.remote(map[string][]byte{"a.json": nil})
	n.wants("a.json", "absent")
	save(t, n.dir, "a.json", form("form", "o", "o"))
	n.wantsView("a.json", form("form", "o", "o"))
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, opened) {
		t.Errorf("the parents are %v, want %v", got, opened)
	}
	// Another file of that name is a new one.
	n.replica.remote(map[string][]byte{"a.json": nil})
	n.wants("a.json", "absent")
	gone := n.heads("a.json")
	save(t, n.dir, "a.json", `{"something": "else"}`)
	n.wantsView("a.json", `{"something": "else"}`)
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, gone) {
		t.Errorf("the parents are %v, want %v", got, gone)
	}
}

// TestFormsAreForgotten after FormTime.
func TestFormsAreForgotten(t *testing.T) {
	short := func(o *mirror.Options) { o.FormTime = time.Millisecond }
	n := run(t, newDir(t, map[string]string{"a.json": form("o", "o", "o")}), newMemReplica(), founder, quickDeletes, short)
	n.arrives("a.json", form("o", "other", "o"))
	newer := n.heads("a.json")
	exported := time.Now()
	eventually(t, func() error {
		if time.Since(exported) < 2*time.Millisecond {
			return fmt.Errorf("only %v have passed", time.Since(exported))
		}
		return nil
	})
	save(t, n.dir, "a.json", form("form", "o", "o"))
	n.wantsView("a.json", form("form", "o", "o"))
	if got := n.lastEdit("a.json").Parents; !sameVersions(got, newer) {
		t.Errorf("the parents are %v, want %v", got, newer)
	}
}

// TestOutdatedBasesAreBounded: a file that is exported for ever needs no more memory.
func TestOutdatedBasesAreBounded(t *testing.T) {
	r := mirror.NewRecord(at("0", 1))
	size := 0
	for i := range 200 {
		r = r.Exported(at(strings.Repeat("x", i+1), byte(i)), time.UnixMilli(int64(1<<40+i)))
		if i == 50 {
			size = len(r.Flushed().Encode(path("a.json")))
		}
		r = r.Flushed()
	}
	if got := len(r.Encode(path("a.json"))); got != size {
		t.Errorf("the record takes %d bytes after 200 exports, want %d as after 51", got, size)
	}
}

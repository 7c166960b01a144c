package mirror_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

const (
	one   = "{\"id\": 1, \"name\": \"one\"}\n"
	two   = "{\"id\": 1, \"name\": \"two\"}\n"
	three = "{\"id\": 1, \"name\": \"three\"}\n"
	half  = "{\"id\": 1, \"name\": "
)

// TestTable has every row of the table with real files. Disk, base and view are made
// while the mirror does not run; then it runs once.
func TestTable(t *testing.T) {
	type state struct{ disk, base, view string } // "" is absent
	tests := []struct {
		name string
		state
		wantDisk, wantView string
		edits              int
		held               string
	}{
		{"nothing changed", state{one, one, one}, one, one, 0, ""},
		{"disk and view changed alike", state{two, one, two}, two, two, 0, ""},
		{"deleted on both sides", state{"", one, ""}, "", "", 0, ""},
		{"view changed", state{one, one, two}, two, two, 0, ""},
		{"view deleted", state{one, one, ""}, "", "", 0, ""},
		{"view created", state{"", "", two}, two, two, 0, ""},
		{"disk changed", state{two, one, one}, two, two, 1, ""},
		{"disk deleted", state{"", one, one}, "", "", 1, ""},
		{"disk created", state{two, "", ""}, two, two, 1, ""},
		{"disk broken", state{half, one, one}, half, one, 0, "no definition"},
		{"disk emptied", state{" ", one, one}, " ", one, 0, "no definition"},
		{"both changed", state{three, one, two}, three, three, 1, ""},
		{"disk deleted, view changed: the edit wins", state{"", one, two}, two, two, 1, ""},
		{"disk changed, view deleted: the edit wins", state{three, one, ""}, three, three, 1, ""},
		{"disk broken, view changed", state{half, one, two}, half, two, 0, "no definition"},
		{"both created", state{three, "", two}, three, three, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const name = "a.json"
			r := newMemReplica()
			dir := newDir(t, nil)
			n := run(t, dir, r, founder, quickDeletes)
			if tt.base != "" {
				r.remote(map[string][]byte{name: []byte(tt.base)})
				n.wants(name, tt.base)
				n.pass()
			}
			n.stop()

			parents := r.View(path(name)).Heads
			put(t, dir, name, tt.disk)
			if tt.view != tt.base {
				r.remote(map[string][]byte{name: content(tt.view)})
			}
			n = run(t, dir, r, founder, quickDeletes)
			n.pass()
			if got, want := read(t, dir, name), absentIfEmpty(tt.wantDisk); got != want {
				t.Errorf("disk = %q, want %q", got, want)
			}
			if got, want := r.content(name), absentIfEmpty(tt.wantView); got != want {
				t.Errorf("view = %q, want %q", got, want)
			}
			edits := r.edits()
			if len(edits) != tt.edits {
				t.Errorf("edits = %v, want %d", edits, tt.edits)
			}
			for _, e := range edits {
				if !sameVersions(e.Parents, parents) {
					t.Errorf("parents = %v, want the heads of the base, %v", e.Parents, parents)
				}
			}
			if tt.held != "" {
				n.wantsHeld(name, tt.held)
			} else if held := n.Status().Held; len(held) > 0 {
				t.Errorf("held: %v", held)
			}
			n.pass()
			if got := r.edits(); len(got) != tt.edits {
				t.Errorf("a further pass made edits: %v", got[tt.edits:])
			}
		})
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if content == "" {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return
	}
	if read(t, dir, name) != content {
		save(t, dir, name, content)
	}
}

func content(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func absentIfEmpty(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

func sameVersions(a, b []definition.Version) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestFirstSyncAdopts(t *testing.T) {
	r := newMemReplica()
	r.remote(asBytes(map[string]string{"stale.json": two, "missing.json": one, "equal.json": one, "gone.json": one}))
	r.remote(map[string][]byte{"gone.json": nil})
	dir := newDir(t, map[string]string{
		"stale.json": one, "equal.json": one, "gone.json": one, "own.json": three, "broken.json": half,
	})
	equal := inode(t, dir, "equal.json")
	n := open(t, dir, r)
	n.startLoop()
	if got, want := read(t, dir, "missing.json"), "absent"; got != want {
		t.Errorf("before StartSync missing.json = %q, want %q", got, want)
	}
	n.StartSync()
	<-n.Ready()
	n.pass()
	for name, want := range map[string]string{
		"stale.json": two, "missing.json": one, "equal.json": one, "gone.json": "absent", "own.json": three, "broken.json": half,
	} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := inode(t, dir, "equal.json"); got != equal {
		t.Error("a file that was equal was rewritten")
	}
	for _, e := range r.edits() {
		if !e.Adopted || len(e.Parents) > 0 || e.Deleted {
			t.Errorf("edit of %s: adopted %v, deleted %v, parents %v", e.Path, e.Adopted, e.Deleted, e.Parents)
		}
	}
	if got, want := len(r.edits()), 3; got != want {
		t.Errorf("edits = %d, want %d", got, want)
	}
	n.wantsHeld("broken.json", "no definition")

	// A file that could not be read in the first sync is adopted whenever it can.
	n.stop()
	r.remote(map[string][]byte{"broken.json": []byte(one)})
	n = run(t, dir, r)
	n.wantsHeld("broken.json", "no definition")
	save(t, dir, "broken.json", two)
	n.wants("broken.json", one)
	if last := r.edits()[3]; !last.Adopted || last.Path != path("broken.json") {
		t.Errorf("the repaired file came as %+v, want it adopted", last)
	}

	// From now on the node is a member as any other.
	save(t, dir, "stale.json", three)
	n.wantsView("stale.json", three)
	if last := r.edits()[4]; last.Adopted {
		t.Error("an edit after the first sync is adopted")
	}
}

func inode(t testing.TB, dir, name string) uint64 {
	t.Helper()
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func TestReader(t *testing.T) {
	r := newMemReplica()
	r.remote(map[string][]byte{"a.json": []byte(one), "b.json": []byte(two)})
	dir := newDir(t, map[string]string{"a.json": three})
	aside := filepath.Join(t.TempDir(), "aside")
	n := run(t, dir, r, func(o *mirror.Options) {
		o.ReadOnly = func() bool { return true }
		o.Aside = aside
	})
	n.wants("a.json", one)
	wantAside := func(name, want string) {
		t.Helper()
		eventually(t, func() error {
			file := name + "@" + hashOf(want).String()[:12]
			if got := read(t, aside, file); got != want {
				return &os.PathError{Op: "put aside", Path: file, Err: os.ErrNotExist}
			}
			return nil
		})
	}
	wantAside("a.json", three)

	save(t, dir, "a.json", two)
	n.wants("a.json", one)
	wantAside("a.json", two)
	write(t, dir, "sub/new.json", three)
	n.wants("sub/new.json", "absent")
	wantAside("sub/new.json", three)
	write(t, dir, "b.json", half)
	n.wants("b.json", two)
	wantAside("b.json", half)
	remove(t, dir, "a.json")
	n.wants("a.json", one)
	if got := r.edits(); len(got) > 0 {
		t.Errorf("a reader made edits: %v", got)
	}
	info, err := os.Stat(filepath.Join(aside, "a.json@"+hashOf(two).String()[:12]))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("what was put aside has mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestReaderWithoutAsideHolds(t *testing.T) {
	r := newMemReplica()
	r.remote(map[string][]byte{"a.json": []byte(one)})
	n := run(t, newDir(t, nil), r, func(o *mirror.Options) { o.ReadOnly = func() bool { return true } })
	save(t, n.dir, "a.json", two)
	n.wantsHeld("a.json", "only reads")
	if got := read(t, n.dir, "a.json"); got != two {
		t.Errorf("a.json = %q, want it untouched", got)
	}
}

func TestObserve(t *testing.T) {
	r := newMemReplica()
	r.remote(map[string][]byte{"a.json": []byte(one)})
	dir := newDir(t, map[string]string{"b.json": two})
	n := run(t, dir, r, func(o *mirror.Options) { o.Observe = true })
	want := []mirror.PlannedAction{{Path: path("a.json"), Action: "export"}, {Path: path("b.json"), Action: "adopt"}}
	got := n.Status().Planned
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("planned = %v, want %v", got, want)
	}
	n.pass()
	if read(t, dir, "a.json") != "absent" || len(r.edits()) > 0 || len(r.records) > 0 {
		t.Errorf("an observer wrote: a.json %q, edits %v, records %v", read(t, dir, "a.json"), r.edits(), r.records)
	}
}

package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/mirror"
)

// TestCrash ends a mirror after each of its writes to the replica, as a kill and as a
// power failure (which may or may not undo what the directory's disk had not written
// yet), lets other nodes go on meanwhile, and starts it again. The recovered node may
// publish only what was edited here, and nothing old may come back.
func TestCrash(t *testing.T) {
	crashes := []struct {
		name string
		// after returns the replica after the crash; undo says that the directory
		// is as it was before.
		after func(*memReplica) *memReplica
		undo  bool
	}{
		{"kill", (*memReplica).afterKill, false},
		{"power failure", (*memReplica).afterPowerFailure, false},
		{"power failure that undoes renames", (*memReplica).afterPowerFailure, true},
	}
	const firstSyncs, exports, edits = "first sync", "exports", "edits"
	for _, work := range []string{firstSyncs, exports, edits} {
		for _, crash := range crashes {
			t.Run(work+"/"+crash.name, func(t *testing.T) {
				t.Parallel()
				for writes := 0; ; writes++ {
					r := newMemReplica()
					r.remote(asBytes(map[string]string{"a.json": one, "b.json": one, "c.json": one}))
					dir := newDir(t, nil)
					if work != firstSyncs {
						run(t, dir, r, quickDeletes).stop() // flushes
					}
					before := snapshot(t, dir)

					r.writesLeft = writes
					n := open(t, dir, r, quickDeletes)
					n.startLoop()
					n.StartSync()
					switch work {
					case exports:
						r.remote(map[string][]byte{"a.json": []byte(two), "b.json": nil, "d.json": []byte(one)})
					case edits:
						save(t, dir, "a.json", two)
						remove(t, dir, "b.json")
						save(t, dir, "d.json", one)
					}
					finished := n.settlesOrDies()
					n.stop()
					changes := len(r.edits())

					r = crash.after(r)
					if crash.undo {
						before.restore(t, dir)
					}
					// The other nodes go on.
					switch work {
					case firstSyncs:
						r.remote(map[string][]byte{"a.json": []byte(three), "b.json": nil})
					case exports:
						r.remote(map[string][]byte{"a.json": []byte(three), "b.json": []byte(two), "d.json": nil})
					case edits:
						if crash.undo && changes == 0 {
							// Edits that were never published and that the disk lost.
							break
						}
						r.remote(map[string][]byte{"c.json": []byte(three)})
					}
					n = run(t, dir, r, quickDeletes)
					n.pass()
					if err := equalToView(t, n); err != nil {
						t.Errorf("%d writes before the crash: %v", writes, err)
					}
					for _, e := range r.edits() {
						if work != edits || changes > 0 && !e.Deleted && string(e.Content) == one && e.Path != path("d.json") {
							t.Errorf("%d writes before the crash: the recovered node made an edit of %s: %q, deleted %v",
								writes, e.Path, e.Content, e.Deleted)
						}
					}
					if held := n.Status().Held; len(held) > 0 {
						t.Errorf("%d writes before the crash: held: %v", writes, held)
					}
					if got := leftovers(t, dir); len(got) > 0 {
						t.Errorf("%d writes before the crash: temporary files are left: %v", writes, got)
					}
					n.stop()
					if finished {
						t.Logf("%d crashes recovered", writes+1)
						return
					}
				}
			})
		}
	}
}

// settlesOrDies waits until directory and view are equal and nothing is left to write,
// or the replica refuses all writes.
func (n *node) settlesOrDies() (settled bool) {
	n.t.Helper()
	eventually(n.t, func() error {
		if n.replica.dead() && n.Status().LastError != "" || n.replica.dead() && len(n.Status().Held) > 0 {
			return nil
		}
		if s := n.Status(); !s.Ready || s.Busy {
			return errors.New("not ready or busy")
		}
		if settled = equalToView(n.t, n) == nil; !settled {
			return errors.New("not equal to the view")
		}
		return nil
	})
	return settled && !n.replica.dead()
}

// equalToView compares the directory with the view.
func equalToView(t testing.TB, n *node) error {
	var errs []error
	for _, p := range n.replica.Paths() {
		if got, want := read(t, n.dir, p.String()), n.replica.content(p.String()); got != want {
			errs = append(errs, fmt.Errorf("file %s = %q, view %q", p, got, want))
		}
	}
	return errors.Join(errs...)
}

// files is the content of a directory.
type files map[string]string

func snapshot(t *testing.T, dir string) files {
	t.Helper()
	found := make(files)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found[e.Name()] = read(t, dir, e.Name())
	}
	return found
}

// restore makes the directory what it was.
func (f files) restore(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := f[e.Name()]; !ok {
			remove(t, dir, e.Name())
		}
	}
	for name, content := range f {
		if read(t, dir, name) != content {
			save(t, dir, name, content)
		}
	}
}

// TestUndoWhileDownIsAnEdit: bytes that come back without a power failure are an edit
// of somebody who means it.
func TestUndoWhileDownIsAnEdit(t *testing.T) {
	r := newMemReplica()
	dir := newDir(t, map[string]string{"a.json": one})
	n := run(t, dir, r, founder, quickDeletes)
	save(t, dir, "a.json", two)
	n.wantsView("a.json", two)
	n.stop()
	r = r.afterKill()
	save(t, dir, "a.json", one)
	n = run(t, dir, r, founder, quickDeletes)
	n.wantsView("a.json", one)
	n.wants("a.json", one)
}

// TestTempOfAnUndecidedExportStays: a file with the inode of an export that was about to
// take place is that export's. As long as the path cannot be read, and so nobody knows
// whether it did, no other file may come by that inode.
func TestTempOfAnUndecidedExportStays(t *testing.T) {
	r := newMemReplica()
	r.remote(map[string][]byte{"a.json": []byte(one)})
	dir := newDir(t, nil)
	run(t, dir, r).stop()
	heads := r.View(path("a.json")).Heads
	r.remote(map[string][]byte{"a.json": []byte(two)})
	dieBeforeRename(t, dir, r)
	r = r.afterKill()

	remove(t, dir, "a.json")
	if err := os.Symlink("elsewhere.json", filepath.Join(dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	n := run(t, dir, r)
	n.wantsHeld("a.json", "link")
	if got := leftovers(t, dir); len(got) != 1 {
		t.Errorf("temporary files = %v, want the one of the export", got)
	}
	save(t, dir, "a.json", three)
	n.wantsView("a.json", three)
	if got := r.edits(); len(got) != 1 || !sameVersions(got[0].Parents, heads) {
		t.Errorf("edits = %v, want one on top of what was in the directory, %v", got, heads)
	}
	n.pass()
	if got := leftovers(t, dir); len(got) > 0 {
		t.Errorf("temporary files are left: %v", got)
	}
}

// dieBeforeRename ends a mirror when its first export is about to be put in place.
func dieBeforeRename(t *testing.T, dir string, r *memReplica) {
	t.Helper()
	m, err := mirror.Open(t.Context(), mirror.Options{Dir: dir, Cluster: cluster, MinFree: 1}, r)
	if err != nil {
		t.Fatal(err)
	}
	type death struct{}
	m.OnPlace(func() { panic(death{}) })
	defer func() {
		if r := recover(); r != any(death{}) {
			t.Fatalf("the pass ended with %v, want it to die", r)
		}
		if err := m.Abandon(); err != nil {
			t.Fatal(err)
		}
	}()
	m.DoPass(t.Context(), true)
}

func TestFlushEndsStaleBases(t *testing.T) {
	r := newMemReplica()
	n := run(t, newDir(t, nil), r, founder)
	save(t, n.dir, "a.json", one)
	n.wantsView("a.json", one)
	size := func() int {
		records, err := r.LoadRecords(t.Context(), "base/a.json")
		if err != nil {
			t.Fatal(err)
		}
		return len(records["base/a.json"])
	}
	before := size()
	eventually(t, func() error {
		if size() >= before {
			return fmt.Errorf("record has %d bytes, as before the flush", before)
		}
		return nil
	})
}

// TestEditWhileDownIsRecordedOnce: a record that is recovered and whose file was edited
// meanwhile is written once more by the import.
func TestEditWhileDownIsRecordedOnce(t *testing.T) {
	r := newMemReplica()
	dir := newDir(t, map[string]string{"a.json": one})
	n := run(t, dir, r, founder)
	r = r.afterKill() // before the flush
	n.stop()
	save(t, dir, "a.json", two)
	n = run(t, dir, r, founder)
	n.wantsView("a.json", two)
	r = r.afterKill()
	n.stop()
	r.remote(map[string][]byte{"a.json": []byte(three)})
	n = run(t, dir, r, founder)
	n.wants("a.json", three)
	if got := r.edits(); len(got) > 0 {
		t.Errorf("edits of a file that did not change: %v", got)
	}
}

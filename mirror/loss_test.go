package mirror_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/starling-sync/starling/mirror"
)

// wantsApproval polls until exactly one set is held, and returns it.
func (n *node) wantsApproval(kind mirror.LossKind, files int) mirror.Approval {
	n.t.Helper()
	var held mirror.Approval
	eventually(n.t, func() error {
		list := n.Approvals()
		if len(list) != 1 || list[0].Kind != kind || len(list[0].Paths) != files {
			return fmt.Errorf("held sets: %v, want one %s of %d files", list, kind, files)
		}
		held = list[0]
		return nil
	})
	return held
}

func names(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("service-%d.json", i))
	}
	return all
}

func TestFewDeletionsArePublishedTogether(t *testing.T) {
	n := run(t, newDir(t, services(20)), newMemReplica(), founder)
	before := len(n.replica.drafts())
	remove(t, n.dir, names(4)...)
	n.wantsView("service-3.json", "absent")
	if got := n.replica.drafts()[before:]; len(got) != 1 || len(got[0].Edits) != 4 {
		t.Errorf("changes = %v, want one with 4 deletions", got)
	}
}

func TestManyDeletionsAreHeld(t *testing.T) {
	n := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes)
	before := len(n.replica.drafts())
	remove(t, n.dir, names(5)...)
	set := n.wantsApproval(mirror.Deletion, 5)
	n.wantsHeld("service-0.json", "approve "+set.ID)
	if got := n.replica.drafts()[before:]; len(got) > 0 {
		t.Errorf("held deletions were published: %v", got)
	}

	// A restart lets nothing through.
	n.stop()
	n = run(t, n.dir, n.replica, founder, quickDeletes)
	if got := n.wantsApproval(mirror.Deletion, 5); got.ID != set.ID {
		t.Errorf("after a restart the set is %s, want %s", got.ID, set.ID)
	}
	n.pass()
	if got := n.replica.drafts()[before:]; len(got) > 0 {
		t.Errorf("held deletions were published: %v", got)
	}

	// A file that comes back leaves the set.
	save(t, n.dir, "service-0.json", service(0, "first"))
	n.wantsApproval(mirror.Deletion, 4)

	if _, err := n.Approve(t.Context(), "12345678"); !errors.Is(err, mirror.ErrNoApproval) {
		t.Errorf("Approve of an unknown id = %v, want ErrNoApproval", err)
	}
	if _, err := n.Approve(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	got := n.replica.drafts()[before:]
	if len(got) != 1 || len(got[0].Edits) != 4 || !got[0].Edits[0].Deleted {
		t.Errorf("approved changes = %v, want one of 4 deletions", got)
	}
	if left := n.Approvals(); len(left) > 0 {
		t.Errorf("held sets after approval: %v", left)
	}
	if held := n.Status().Held; len(held) > 0 {
		t.Errorf("held files after approval: %v", held)
	}
	// What was approved does not count against what comes next.
	remove(t, n.dir, "service-10.json")
	n.wantsView("service-10.json", "absent")
}

// TestFewFilesThatAreAllLostAreHeld: a directory that was emptied or restored publishes
// nothing, however few files it had. The only file may go, or go back, like any other.
func TestFewFilesThatAreAllLostAreHeld(t *testing.T) {
	t.Parallel()
	edited := service(1, "edited")
	for _, tt := range []struct {
		name       string
		files      int
		lose, held int
	}{
		{"the only one", 1, 1, 0},
		{"both", 2, 2, 2},
		{"all three", 3, 3, 3},
		{"two of three", 3, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(tt.files)), newMemReplica(), founder, quickDeletes)
			for _, name := range names(tt.files) {
				save(t, n.dir, name, edited)
				n.wantsView(name, edited)
			}
			for kind, lose := range map[mirror.LossKind]func(name string){
				mirror.Reversion: func(name string) { save(t, n.dir, name, services(tt.files)[name]) },
				mirror.Deletion:  func(name string) { remove(t, n.dir, name) },
			} {
				for _, name := range names(tt.lose) {
					lose(name)
				}
				if tt.held > 0 {
					set := n.wantsApproval(kind, tt.held)
					if _, err := n.Restore(t.Context(), set.ID); err != nil {
						t.Fatal(err)
					}
				}
				n.pass()
				for _, name := range names(tt.lose) {
					if got := n.replica.content(name); (got == edited) != (tt.held > 0) {
						t.Errorf("%s of %s: the view is %q", kind, name, got)
					}
					save(t, n.dir, name, edited)
					n.wantsView(name, edited)
				}
			}
		})
	}
}

// TestHeldDeletionsAreOneLineInTheLog, however many files they are.
func TestHeldDeletionsAreOneLineInTheLog(t *testing.T) {
	var log strings.Builder // read after the end of the mirror, which alone writes to it
	n := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes, func(o *mirror.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	remove(t, n.dir, names(15)...)
	n.wantsApproval(mirror.Deletion, 15)
	n.wantsHeld("service-14.json", "approve")
	n.stop()
	lines := strings.Count(log.String(), "level=WARN")
	if lines != 1 || !strings.Contains(log.String(), "the guard holds losses") {
		t.Errorf("there are %d warnings, want one that the guard holds losses:\n%s", lines, log.String())
	}
}

func TestHeldDeletionsAreRestored(t *testing.T) {
	n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
	before := len(n.replica.drafts())
	remove(t, n.dir, names(10)...)
	set := n.wantsApproval(mirror.Deletion, 10)
	if _, err := n.Restore(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	for name, want := range services(10) {
		if got := read(t, n.dir, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	n.pass()
	if got := n.replica.drafts()[before:]; len(got) > 0 {
		t.Errorf("restoring published %v", got)
	}
	if left := n.Approvals(); len(left) > 0 {
		t.Errorf("held sets: %v", left)
	}
}

func TestDeletionsWhileDownAreHeld(t *testing.T) {
	r := newMemReplica()
	dir := newDir(t, services(10))
	run(t, dir, r, founder).stop()
	remove(t, dir, names(10)...)
	n := run(t, dir, r, founder, quickDeletes)
	n.wantsApproval(mirror.Deletion, 10)
}

func TestRestoredDirectoryIsHeld(t *testing.T) {
	r := newMemReplica()
	dir := newDir(t, services(10))
	n := run(t, dir, r, founder, quickDeletes)
	backup := snapshot(t, dir)
	newer := make(map[string]string)
	for i := range 10 {
		newer[fmt.Sprintf("service-%d.json", i)] = service(i, "second")
	}
	r.remote(asBytes(newer))
	for name, want := range newer {
		n.wants(name, want)
	}
	backup.restore(t, dir)
	n.wantsApproval(mirror.Reversion, 10)
	if got := r.content("service-0.json"); got != newer["service-0.json"] {
		t.Errorf("the view went back to %q", got)
	}
	// A newer edit of one of them is an edit.
	save(t, dir, "service-0.json", service(0, "third"))
	n.wantsView("service-0.json", service(0, "third"))
	set := n.wantsApproval(mirror.Reversion, 9)
	if _, err := n.Restore(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	for name, want := range newer {
		if name == "service-0.json" {
			want = service(0, "third")
		}
		if got := read(t, dir, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	backup.restore(t, dir)
	set = n.wantsApproval(mirror.Reversion, 10)
	if _, err := n.Approve(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	for name, want := range services(10) {
		if got := r.content(name); got != want {
			t.Errorf("view of %s = %q, want %q", name, got, want)
		}
	}
}

func TestOneUndoIsAnEdit(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder, quickDeletes)
	save(t, n.dir, "a.json", two)
	n.wantsView("a.json", two)
	save(t, n.dir, "a.json", one)
	n.wantsView("a.json", one)
}

func TestEmptiedDirectory(t *testing.T) {
	for _, tt := range []struct {
		name   string
		break_ func(t *testing.T, dir string)
	}{
		{"directory gone", func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}},
		{"directory moved away", func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".old"); err != nil {
				t.Fatal(err)
			}
		}},
		{"another directory in its place", func(t *testing.T, dir string) {
			if err := errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)); err != nil {
				t.Fatal(err)
			}
		}},
		{"emptied, marker and all", func(t *testing.T, dir string) {
			remove(t, dir, append(names(10), ".starling")...)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
			before := len(n.replica.drafts())
			tt.break_(t, n.dir)
			eventually(t, func() error {
				if n.Status().Stopped == "" {
					return errors.New("the mirror goes on")
				}
				return nil
			})
			if err := n.Pass(t.Context()); !errors.Is(err, mirror.ErrStopped) {
				t.Errorf("Pass = %v, want ErrStopped", err)
			}
			n.replica.remote(map[string][]byte{"service-1.json": []byte(two), "new.json": []byte(one)})

			// It comes back as it was, from a copy.
			if _, err := os.Stat(n.dir); err != nil {
				if err := os.Mkdir(n.dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for name, content := range services(10) {
				save(t, n.dir, name, content)
			}
			save(t, n.dir, ".starling", cluster+"\n")
			n.wants("new.json", one)
			n.wants("service-1.json", two)
			n.pass()
			if got := n.replica.drafts()[before:]; len(got) > 0 {
				t.Errorf("changes were published: %v", got)
			}
			// And its events arrive again.
			save(t, n.dir, "new.json", three)
			n.wantsView("new.json", three)
		})
	}
}

func TestRefill(t *testing.T) {
	refill := func(o *mirror.Options) { o.Refill = true }
	r := newMemReplica()
	dir := newDir(t, services(10))
	run(t, dir, r, founder).stop()
	before := len(r.drafts())
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "other.txt", "something")
	if _, err := mirror.Open(t.Context(), mirror.Options{Dir: dir, Cluster: cluster, Refill: true}, r); !errors.Is(err, mirror.ErrNotEmpty) {
		t.Fatalf("Open of a directory that is not empty = %v, want ErrNotEmpty", err)
	}
	remove(t, dir, "other.txt")
	n := run(t, dir, r, refill)
	for name, want := range services(10) {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := r.drafts()[before:]; len(got) > 0 {
		t.Errorf("refilling published %v", got)
	}
	n.stop()
	run(t, dir, r).stop() // from now on it is a directory as any other
}

func TestMoves(t *testing.T) {
	slow := func(o *mirror.Options) { o.DeleteSettle = 1 << 40 } // only moves are published
	tests := []struct {
		name string
		move func(t *testing.T, dir string)
	}{
		{"renamed", func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{"deleted and written again with the same id", func(t *testing.T, dir string) {
			remove(t, dir, "a.json")
			save(t, dir, "b.json", strings.Replace(one, "one", "other", 1))
		}},
		{"into another folder", func(t *testing.T, dir string) {
			if err := errors.Join(os.Mkdir(filepath.Join(dir, "sub"), 0o755),
				os.Rename(filepath.Join(dir, "a.json"), filepath.Join(dir, "sub/b.json"))); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, map[string]string{"a.json": one, "z.json": service(9, "z")}), newMemReplica(), founder, slow)
			before := len(n.replica.drafts())
			heads := n.replica.View(path("a.json")).Heads
			tt.move(t, n.dir)
			n.wantsView("a.json", "absent")
			got := n.replica.drafts()[before:]
			if len(got) != 1 || len(got[0].Edits) != 2 {
				t.Fatalf("changes = %v, want one of two edits", got)
			}
			for _, e := range got[0].Edits {
				if !sameVersions(e.Parents, heads) {
					t.Errorf("parents of %s = %v, want %v", e.Path, e.Parents, heads)
				}
				if e.Deleted != (e.Path == path("a.json")) || !e.Deleted && e.MovedFrom != path("a.json") {
					t.Errorf("edit %+v, want a deletion of a.json and a file moved from it", e)
				}
			}
		})
	}
}

// TestMovingEverythingIsNoLoss: the guard counts what is gone, not what has another
// name.
func TestMovingEverythingIsNoLoss(t *testing.T) {
	n := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes)
	if err := os.Mkdir(filepath.Join(n.dir, "cas-client"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(20) {
		if err := os.Rename(filepath.Join(n.dir, name), filepath.Join(n.dir, "cas-client", name)); err != nil {
			t.Fatal(err)
		}
	}
	n.wantsView("cas-client/service-19.json", service(19, "first"))
	eventually(t, func() error {
		for _, name := range names(20) {
			if n.replica.content(name) != "absent" {
				return fmt.Errorf("%s is there still", name)
			}
		}
		return nil
	})
	if got := n.Approvals(); len(got) > 0 {
		t.Errorf("held sets: %v", got)
	}
}

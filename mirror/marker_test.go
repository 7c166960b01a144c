package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/mirror"
)

// stops polls until the mirror has stopped because the marker is missing.
func (n *node) stops() {
	n.t.Helper()
	eventually(n.t, func() error {
		if got := n.Status().Stopped; !strings.Contains(got, "starling mark") {
			return fmt.Errorf("the mirror has stopped for %q, want that its marker is missing", got)
		}
		return nil
	})
}

// openStopped runs a mirror that cannot become ready.
func openStopped(t *testing.T, dir string, r *memReplica, change ...func(*mirror.Options)) *node {
	t.Helper()
	n := open(t, dir, r, change...)
	n.startLoop()
	n.StartSync()
	n.stops()
	return n
}

// emptied is the directory anew, without anything in it.
func emptied(t *testing.T, dir string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
}

// TestTheMarkerIsWrittenAgain if a program has removed it together with what it does not know,
// and the directory is plainly the same: also while the node is down.
func TestTheMarkerIsWrittenAgain(t *testing.T) {
	for _, down := range []bool{false, true} {
		t.Run(fmt.Sprint("down: ", down), func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(12)), newMemReplica(), founder, quickDeletes)
			if down {
				n.stop()
			}
			remove(t, n.dir, ".starling", "service-11.json")
			save(t, n.dir, "service-1.json", service(1, "deployed"))
			save(t, n.dir, "new.json", service(50, "deployed"))
			if down {
				n = run(t, n.dir, n.replica, founder, quickDeletes)
			}
			n.wantsView("service-1.json", service(1, "deployed"))
			n.wantsView("new.json", service(50, "deployed"))
			n.wantsView("service-11.json", "absent")
			n.wants(".starling", cluster+"\n")
			n.arrives("service-2.json", service(2, "arrived"))
			n.pass()
		})
	}
}

// TestADirectoryThatIsNotTheSameIsNotMarkedAgain by the mirror: somebody must say so.
func TestADirectoryThatIsNotTheSameIsNotMarkedAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		lose func(t *testing.T, dir string)
		want mirror.Marked
	}{
		{"another one with the same files", func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".old"); err != nil {
				t.Fatal(err)
			}
			for name, content := range services(10) {
				write(t, dir, name, content)
			}
		}, mirror.Marked{Marked: true, Same: 10}},
		{"most files are gone", func(t *testing.T, dir string) {
			remove(t, dir, append(names(6), ".starling")...)
		}, mirror.Marked{Marked: true, Same: 4, Missing: 6}},
		{"most files are others", func(t *testing.T, dir string) {
			remove(t, dir, ".starling")
			for i, name := range names(6) {
				save(t, dir, name, service(i, "other"))
			}
		}, mirror.Marked{Marked: true, Same: 4, Changed: 6}},
	} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", down: ", down), func(t *testing.T) {
				t.Parallel()
				n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
				before := len(n.replica.drafts())
				if down {
					n.stop()
				}
				tt.lose(t, n.dir)
				if down {
					n = openStopped(t, n.dir, n.replica, founder, quickDeletes)
				}
				n.stops()
				if got := len(n.replica.drafts()); got != before {
					t.Errorf("%d changes, want %d", got, before)
				}
				got, err := n.MarkAgain(t.Context())
				if err != nil || got != tt.want {
					t.Errorf("MarkAgain = %+v, %v, want %+v", got, err, tt.want)
				}
				n.arrives("new.json", one)
				n.pass()
				if got, err := n.MarkAgain(t.Context()); err != nil || got.Marked {
					t.Errorf("MarkAgain of a directory that is marked = %+v, %v, want nothing done", got, err)
				}
				if tt.want.Missing > 0 { // many deletions, which the guard holds
					n.wantsApproval(mirror.Deletion, tt.want.Missing)
				}
			})
		}
	}
}

// TestAnEmptiedDirectoryIsRefilledOnDemand, without a restart.
func TestAnEmptiedDirectoryIsRefilledOnDemand(t *testing.T) {
	for _, down := range []bool{false, true} {
		t.Run(fmt.Sprint("down: ", down), func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
			before := len(n.replica.drafts())
			if err := n.Refill(t.Context()); !errors.Is(err, mirror.ErrMarked) {
				t.Errorf("Refill of a directory that is marked = %v, want ErrMarked", err)
			}
			if down {
				n.stop()
			}
			emptied(t, n.dir)
			if down {
				n = openStopped(t, n.dir, n.replica, founder, quickDeletes)
			}
			n.stops()
			if _, err := n.MarkAgain(t.Context()); !errors.Is(err, mirror.ErrEmpty) {
				t.Errorf("MarkAgain of an empty directory = %v, want ErrEmpty", err)
			}
			write(t, n.dir, "other.txt", "something")
			if err := n.Refill(t.Context()); !errors.Is(err, mirror.ErrNotEmpty) {
				t.Errorf("Refill of a directory that is not empty = %v, want ErrNotEmpty", err)
			}
			remove(t, n.dir, "other.txt")
			if err := n.Refill(t.Context()); err != nil {
				t.Fatal(err)
			}
			for name, want := range services(10) {
				n.wants(name, want)
			}
			n.pass()
			if got := n.replica.drafts()[before:]; len(got) > 0 {
				t.Errorf("refilling published %v", got)
			}
			n.arrives("service-1.json", service(1, "arrived"))
			save(t, n.dir, "service-2.json", service(2, "saved"))
			n.wantsView("service-2.json", service(2, "saved"))
			if !isReady(n) {
				t.Error("the mirror is not ready")
			}
			n.stop()
			run(t, n.dir, n.replica, founder).stop() // from now on it is a directory as any other
		})
	}
}

// TestADirectoryThatIsNotTheRightOneStaysClosed: it may have been mounted by mistake, and a
// file system of which a directory is open cannot be unmounted.
func TestADirectoryThatIsNotTheRightOneStaysClosed(t *testing.T) {
	n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
	away := n.dir + ".away"
	if err := errors.Join(os.Rename(n.dir, away), os.Mkdir(n.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	n.stops()
	if _, err := n.MarkAgain(t.Context()); !errors.Is(err, mirror.ErrEmpty) {
		t.Errorf("MarkAgain of an empty directory = %v, want ErrEmpty", err)
	}
	write(t, n.dir, "other.txt", "something")
	if err := n.Refill(t.Context()); !errors.Is(err, mirror.ErrNotEmpty) {
		t.Errorf("Refill of a directory that is not empty = %v, want ErrNotEmpty", err)
	}
	other, err := mirror.Open(t.Context(), mirror.Options{Dir: n.dir, Cluster: cluster}, newMemReplica())
	if err != nil { // it is locked by whoever has it open
		t.Fatal(err)
	}
	if err := errors.Join(other.Close(), os.RemoveAll(n.dir), os.Rename(away, n.dir)); err != nil {
		t.Fatal(err)
	}
	n.arrives("service-2.json", service(2, "arrived"))
}

// TestAMarkerThatNamesNoClusterIsWrittenAgain: a program has written over all files, of any name.
func TestAMarkerThatNamesNoClusterIsWrittenAgain(t *testing.T) {
	for _, content := range []string{"", "{}\n", "\x00\x00\x00", "{\"id\": 1}\n"} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q, down: %v", content, down), func(t *testing.T) {
				t.Parallel()
				n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
				if down {
					n.stop()
				}
				save(t, n.dir, ".starling", content)
				if down {
					n = run(t, n.dir, n.replica, founder, quickDeletes)
				}
				n.wants(".starling", cluster+"\n")
				n.arrives("service-2.json", service(2, "arrived"))
			})
		}
	}
}

func isReady(n *node) bool {
	select {
	case <-n.Ready():
		return true
	case <-time.After(10 * time.Second):
		return false
	}
}

// TestAMarkerThatGoesWithTheFilesIsNotWritten: what has removed it is about to remove the rest.
func TestAMarkerThatGoesWithTheFilesIsNotWritten(t *testing.T) {
	n := run(t, newDir(t, services(40)), newMemReplica(), founder, quickDeletes)
	before := len(n.replica.drafts())
	remove(t, n.dir, ".starling")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, name := range names(40) {
		remove(t, n.dir, name)
		<-tick.C
	}
	n.stops()
	if got := n.replica.drafts()[before:]; len(got) > 0 {
		t.Errorf("published: %v", got)
	}
	if got := read(t, n.dir, ".starling"); got != "absent" {
		t.Errorf("the marker is %q", got)
	}
}

// TestApproveSaysWhatStays: a deletion loses to an edit that another node made meanwhile.
func TestApproveSaysWhatStays(t *testing.T) {
	n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
	opened := n.heads("service-3.json")
	remove(t, n.dir, names(10)...)
	set := n.wantsApproval(mirror.Deletion, 10)
	n.replica.concurrent("service-3.json", []byte(service(3, "edited")), opened...)
	got, err := n.Approve(t.Context(), set.ID)
	if err != nil || len(got.Paths) != 10 || len(got.Stay) != 1 || got.Stay[0] != path("service-3.json") {
		t.Errorf("Approve = %+v, %v, want 10 files of which service-3.json stays", got, err)
	}
	n.wants("service-3.json", service(3, "edited"))
}

package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notHeld polls until nothing is held.
func (n *node) notHeld() {
	n.t.Helper()
	eventually(n.t, func() error {
		if held := n.Status().Held; len(held) > 0 {
			return fmt.Errorf("held: %+v", held)
		}
		return nil
	})
}

// TestLinkInPlaceOfFolder: a folder is replaced by a link to its sibling, and the link goes
// again: nothing of the sibling is lost, and both are noticed at once.
func TestLinkInPlaceOfFolder(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"s1/a.json": one, "s1/b.json": one, "s2/deep/c.json": service(3, "c"), "s2/d.json": service(4, "d"), "e.json": service(5, "e"), "f.json": service(6, "f")}), newMemReplica(), founder, quickDeletes)
	n.wantsView("s2/deep/c.json", service(3, "c"))
	place := filepath.Join(n.dir, "s2")
	if err := os.RemoveAll(place); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("s1", place); err != nil {
		t.Fatal(err)
	}
	n.wantsHeld("s2", "link to a folder")
	n.wantsHeld("s2/d.json", "link")
	n.wantsHeld("s2/deep/c.json", "link")
	n.pass()
	for _, name := range []string{"s1/a.json", "s1/b.json"} {
		if got := n.replica.content(name); got != one {
			t.Errorf("%s is %q, want %q", name, got, one)
		}
	}
	if got := n.replica.content("s2/a.json"); got != "absent" {
		t.Errorf("what is behind a link was taken in: %q", got)
	}
	remove(t, n.dir, "s2")
	n.wantsView("s2/d.json", "absent")
	n.wantsView("s2/deep/c.json", "absent")
	n.notHeld()
}

// TestLinkedFolderIsNamed: a link to a folder, within or outside, is held until a folder is
// in its place, or nothing; a link to anything else is nobody's business.
func TestLinkedFolderIsNamed(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "a.json", one)
	n := run(t, newDir(t, map[string]string{"in/a.json": one}), newMemReplica(), founder)
	for name, target := range map[string]string{"team": outside, "sub": "in", "notes": filepath.Join(outside, "a.json"), "dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(n.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	n.wantsHeld("team", "link to a folder")
	n.wantsHeld("sub", "link to a folder")
	n.pass()
	if held := n.Status().Held; len(held) != 2 {
		t.Errorf("held: %+v, want the links to folders", held)
	}
	n.stop()
	n = run(t, n.dir, n.replica, founder)
	n.wantsHeld("team", "link to a folder")
	remove(t, n.dir, "team", "sub")
	write(t, n.dir, "team/a.json", two)
	n.wantsView("team/a.json", two)
	n.notHeld()
}

// TestAttributesOfManyFolders: when the attributes of n folders change, each is looked at
// once, and not all of them n times.
func TestAttributesOfManyFolders(t *testing.T) {
	few, many := attributesOf(t, 150), attributesOf(t, 600)
	t.Logf("150 folders: %v of CPU, 600: %v", few, many)
	if many > 8*few {
		t.Errorf("four times the folders took %.1f times the CPU: %v and %v", float64(many)/float64(few), few, many)
	}
}

// attributesOf changes the attributes of so many folders one by one, and returns the
// processor time until all is noticed.
func attributesOf(t *testing.T, folders int) time.Duration {
	t.Helper()
	files := make(map[string]string, folders)
	for i := range folders {
		files[fmt.Sprintf("f%d/a.json", i)] = service(i, "a")
	}
	n := run(t, newDir(t, files), newMemReplica(), founder)
	n.pass()
	before := cpu(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for i := range folders {
		<-tick.C
		if err := os.Chmod(filepath.Join(n.dir, fmt.Sprintf("f%d", i)), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	save(t, n.dir, "f7/a.json", two)
	n.wantsView("f7/a.json", two)
	used := cpu(t) - before
	n.stop()
	return used
}

// TestDeepFolders: a file costs in proportion to how deep it is.
func TestDeepFolders(t *testing.T) {
	shallow, deep := exportInto(t, 100), exportInto(t, 400)
	t.Logf("100 deep: %v of CPU, 400: %v", shallow, deep)
	if deep > 12*shallow {
		t.Errorf("four times the depth took %.1f times the CPU: %v and %v", float64(deep)/float64(shallow), shallow, deep)
	}
}

// exportInto returns the processor time that it takes to write files that are so deep, to
// take in an edit of each, and to look at all of them twice.
func exportInto(t *testing.T, depth int) time.Duration {
	t.Helper()
	const files = 20
	folder := strings.Repeat("d/", depth)
	made := make(map[string]string, files)
	for i := range files {
		made[fmt.Sprintf("%s%d.json", folder, i)] = service(i, "made")
	}
	n := run(t, newDir(t, nil), newMemReplica(), founder)
	before := cpu(t)
	n.replica.remote(asBytes(made))
	for name, content := range made {
		n.wants(name, content)
	}
	for name, content := range made {
		write(t, n.dir, name, strings.Replace(content, "made", "edited", 1))
	}
	n.pass()
	n.pass()
	used := cpu(t) - before
	n.wantsView(folder+"0.json", service(0, "edited"))
	n.stop()
	return used
}

// cpu returns the processor time that this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package mirror_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// TestFilesAreAlwaysWhole reads a file in a loop while other nodes' edits arrive.
func TestFilesAreAlwaysWhole(t *testing.T) {
	n := run(t, newDir(t, nil), newMemReplica(), founder)
	text := func(i int) string { return service(i, strings.Repeat("x", i%7*10_000)) }
	n.replica.remote(map[string][]byte{"a.json": []byte(text(0))})
	n.wants("a.json", text(0))

	const edits = 300
	var torn, reads int
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for !isClosed(stop) {
			b, err := os.ReadFile(filepath.Join(n.dir, "a.json"))
			if _, parseErr := definition.Parse(path("a.json"), b); err != nil || parseErr != nil {
				torn++
			}
			reads++
		}
	})
	for i := 1; i <= edits; i++ {
		n.replica.remote(map[string][]byte{"a.json": []byte(text(i))})
		if i%10 == 0 {
			n.wants("a.json", text(i))
		}
	}
	n.wants("a.json", text(edits))
	close(stop)
	wg.Wait()
	if torn > 0 {
		t.Errorf("%d of %d reads saw no whole file", torn, reads)
	}
	if got := n.replica.edits(); len(got) > 0 {
		t.Errorf("own exports were imported: %v", got)
	}
	t.Logf("%d reads, %d torn", reads, torn)
}

func TestHalfSavedFilesAreNotImported(t *testing.T) {
	settle := func(o *mirror.Options) { o.SettleTime = 300 * time.Millisecond }
	n := run(t, newDir(t, map[string]string{"a.json": one, "b.yaml": "id: 1\n"}), newMemReplica(), founder, settle)
	before := len(n.replica.edits())
	for _, tt := range []struct{ name, text string }{
		{"a.json", service(1, "a longer text that comes in parts")},
		{"b.yaml", "id: 1\nname: a longer text\nserviceId: that comes in parts\n"},
	} {
		f, err := os.OpenFile(filepath.Join(n.dir, tt.name), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		tick := time.NewTicker(5 * time.Millisecond)
		for i := range len(tt.text) {
			if i%5 == 0 {
				<-tick.C
			}
			if _, err := f.WriteString(tt.text[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		tick.Stop()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		n.wantsView(tt.name, tt.text)
	}
	got := n.replica.edits()[before:]
	// The last brace may come before the last line feed.
	if len(got) > 3 {
		t.Errorf("edits = %d, want one for each file: %v", len(got), got)
	}
	for _, e := range got {
		if _, err := definition.Parse(e.Path, e.Content); err != nil || len(e.Content) < 40 {
			t.Errorf("half of %s was imported: %q", e.Path, e.Content)
		}
	}
}

func TestAttributesAreKept(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
	file := filepath.Join(n.dir, "a.json")
	if err := os.Chmod(file, 0o604); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 1234, 5678); err != nil {
			t.Fatal(err)
		}
	}
	xattr := unix.Setxattr(file, "user.origin", []byte("by hand"), 0)
	n.replica.remote(map[string][]byte{"a.json": []byte(two), "new.json": []byte(one), "sub/new.json": []byte(one)})
	n.wants("a.json", two)
	n.wants("sub/new.json", one)

	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), fs.FileMode(0o604); got != want {
		t.Errorf("mode = %v, want %v", got, want)
	}
	if s := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (s.Uid != 1234 || s.Gid != 5678) {
		t.Errorf("owner = %d:%d, want 1234:5678", s.Uid, s.Gid)
	}
	if xattr == nil {
		buf := make([]byte, 20)
		if size, err := unix.Getxattr(file, "user.origin", buf); err != nil || string(buf[:size]) != "by hand" {
			t.Errorf("attribute = %q, %v", buf[:max(size, 0)], err)
		}
	}
	for name, want := range map[string]fs.FileMode{"new.json": 0o640, "sub/new.json": 0o640, "sub": 0o755} {
		if info, err := os.Stat(filepath.Join(n.dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s = %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestDeletesComeBeforeCreates(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"z-1.json": one}), newMemReplica(), founder)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Add(n.dir); err != nil {
		t.Fatal(err)
	}
	n.replica.remote(map[string][]byte{"a-1.json": []byte(one), "z-1.json": nil})
	var order []string
	timeout := time.After(10 * time.Second)
	for len(order) < 2 {
		select {
		case e := <-w.Events:
			if base := filepath.Base(e.Name); !strings.HasPrefix(base, ".") && e.Has(fsnotify.Create|fsnotify.Remove) {
				order = append(order, e.Op.String()+" "+base)
			}
		case <-timeout:
			t.Fatalf("events: %v", order)
		}
	}
	if got, want := fmt.Sprint(order), "[REMOVE z-1.json CREATE a-1.json]"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
}

// TestSaveDuringExport: somebody saves while an export of the file is under way, by a
// rename or in place. Neither the edit nor the export is lost.
func TestSaveDuringExport(t *testing.T) {
	for name, saveIt := range map[string]func(testing.TB, string, string, string){"rename": save, "in place": write} {
		t.Run(name, func(t *testing.T) {
			r := newMemReplica()
			n := open(t, newDir(t, map[string]string{"a.json": one}), r, founder)
			var once sync.Once
			r.onRead = func(definition.Path) { once.Do(func() { saveIt(t, n.dir, "a.json", three) }) }
			n.start()
			base := r.View(path("a.json")).Heads
			r.remote(map[string][]byte{"a.json": []byte(two)})
			n.wantsView("a.json", three)
			n.wants("a.json", three)
			last := r.edits()[len(r.edits())-1]
			if !sameVersions(last.Parents, base) {
				t.Errorf("parents = %v, want what the editor saw, %v", last.Parents, base)
			}
		})
	}
}

// TestSaveIntoReplacedFile: an editor has the file open when it is replaced, and
// writes afterwards, into a file that has no name any more.
func TestSaveIntoReplacedFile(t *testing.T) {
	r := newMemReplica()
	n := run(t, newDir(t, map[string]string{"a.json": one}), r, founder)
	base := r.View(path("a.json")).Heads
	f, err := os.OpenFile(filepath.Join(n.dir, "a.json"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.remote(map[string][]byte{"a.json": []byte(two)})
	n.wants("a.json", two)
	if _, err := f.WriteAt([]byte(three), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	n.wantsView("a.json", three)
	n.wants("a.json", three)
	if got := r.edits()[1]; !sameVersions(got.Parents, base) {
		t.Errorf("parents = %v, want what the editor had opened, %v", got.Parents, base)
	}
}

func TestEqualBytesAreNotRewritten(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
	was := inode(t, n.dir, "a.json")
	n.replica.concurrent("a.json", []byte(one)) // another node wrote the same
	n.pass()
	save(t, n.dir, "b.json", one)
	n.wantsView("b.json", one)
	if got := inode(t, n.dir, "a.json"); got != was {
		t.Error("the file was rewritten")
	}
	if got := len(n.replica.edits()); got != 2 {
		t.Errorf("edits = %d, want 2", got)
	}
	// The next edit has both versions as parents.
	save(t, n.dir, "a.json", two)
	n.wantsView("a.json", two)
	if got := n.replica.edits()[2].Parents; len(got) != 2 {
		t.Errorf("parents = %v, want both versions", got)
	}
}

// TestEditOfEqualSizeAndTime is what rsync's quick check misses.
func TestEditOfEqualSizeAndTime(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
	n.pass()
	info, err := os.Stat(filepath.Join(n.dir, "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, n.dir, "a.json", two)
	if err := os.Chtimes(filepath.Join(n.dir, "a.json"), time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	n.wantsView("a.json", two)
}

func TestFolders(t *testing.T) {
	n := run(t, newDir(t, nil), newMemReplica(), founder, quickDeletes)
	deep := "one/two/three/a.json"
	write(t, n.dir, deep, one)
	n.wantsView(deep, one)
	write(t, n.dir, deep, two) // the folder is watched by now
	n.wantsView(deep, two)

	if err := os.Rename(filepath.Join(n.dir, "one"), filepath.Join(n.dir, "uno")); err != nil {
		t.Fatal(err)
	}
	n.wantsView("uno/two/three/a.json", two)
	n.wantsView(deep, "absent")
	write(t, n.dir, "uno/two/three/a.json", three)
	n.wantsView("uno/two/three/a.json", three)
	write(t, n.dir, "uno/b.json", one)
	n.wantsView("uno/b.json", one)

	write(t, n.dir, "stays.json", one) // a directory that was emptied is held
	n.wantsView("stays.json", one)
	if err := os.RemoveAll(filepath.Join(n.dir, "uno")); err != nil {
		t.Fatal(err)
	}
	n.wantsView("uno/two/three/a.json", "absent")
	n.wantsView("uno/b.json", "absent")
	n.replica.remote(map[string][]byte{"uno/b.json": []byte(two)})
	n.wants("uno/b.json", two)
	write(t, n.dir, "uno/b.json", three)
	n.wantsView("uno/b.json", three)
}

// TestWhatHasSettledIsLookedAt: a file that comes to rest while a long pass goes on is
// due at once, not at the next rescan.
func TestWhatHasSettledIsLookedAt(t *testing.T) {
	dir := newDir(t, map[string]string{"a.yaml": "id: 1\n"})
	later := time.Now().Add(time.Hour) // so that its age does not count
	if err := os.Chtimes(filepath.Join(dir, "a.yaml"), later, later); err != nil {
		t.Fatal(err)
	}
	r := newMemReplica()
	m, err := mirror.Open(t.Context(), mirror.Options{Dir: dir, Cluster: cluster, Founder: true, MinFree: 1, SettleTime: time.Nanosecond}, r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Abandon(); err != nil {
			t.Error(err)
		}
	}()
	m.DoPass(t.Context(), true)
	if after, quiet := m.NextPass(); after != 0 || quiet {
		t.Errorf("the next pass is due after %v, quiet %t, want at once", after, quiet)
	}
	m.DoPass(t.Context(), false)
	if got, want := r.content("a.yaml"), "id: 1\n"; got != want {
		t.Errorf("the view of a.yaml is %q, want %q", got, want)
	}
}

// TestFolderInTheWayOfAFile: a folder in a file's place is that file's deletion, and an
// empty one gives way to a file that is wanted there.
func TestFolderInTheWayOfAFile(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
	remove(t, n.dir, "a.json")
	write(t, n.dir, "a.json/x.json", two)
	n.wantsView("a.json/x.json", two)
	n.wantsView("a.json", "absent")

	write(t, n.dir, "a.json/notes.txt", "not mirrored")
	n.replica.remote(map[string][]byte{"a.json/x.json": nil, "a.json": []byte(three)})
	n.wantsHeld("a.json", "a folder with files")
	if got := read(t, n.dir, "a.json/x.json"); got != "absent" {
		t.Errorf("a.json/x.json = %q, want it gone", got)
	}
	remove(t, n.dir, "a.json/notes.txt")
	eventually(t, func() error {
		if held := n.Status().Held; len(held) > 0 {
			return fmt.Errorf("held: %v", held)
		}
		return nil
	})
	n.pass()
	if got := read(t, n.dir, "a.json"); got != three {
		t.Errorf("a.json = %q, want %q", got, three)
	}
	if got, want := len(n.replica.edits()), 3; got != want {
		t.Errorf("edits = %d, want %d: %v", got, want, n.replica.edits())
	}
}

func TestRescanFindsWhatNoEventTold(t *testing.T) {
	often := func(o *mirror.Options) { o.Rescan = 20 * time.Millisecond }
	n := run(t, newDir(t, nil), newMemReplica(), founder, often)
	// A folder that is moved in with its files tells of itself only.
	outside := filepath.Join(t.TempDir(), "sub")
	write(t, outside, "deeper/a.json", one)
	if err := os.Rename(outside, filepath.Join(n.dir, "sub")); err != nil {
		t.Skipf("the temporary folder is on another file system: %v", err)
	}
	n.wantsView("sub/deeper/a.json", one)
}

func TestDigest(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one, "bad.json": half}), newMemReplica(), founder)
	got, quiet, err := n.Digest(t.Context())
	if err != nil || !quiet {
		t.Fatalf("Digest = %v, quiet %v", err, quiet)
	}
	if len(got) != 2 || got[path("a.json")] != hashOf(one) || got[path("bad.json")] != hashOf(half) {
		t.Errorf("digest = %v", got)
	}
	remove(t, n.dir, "a.json")
	if got, quiet, err := n.Digest(t.Context()); err != nil || quiet || len(got) != 1 {
		t.Errorf("digest while a deletion waits = %v, quiet %v, %v", got, quiet, err)
	}
	n.cancel()
	eventually(t, func() error {
		if _, _, err := n.Digest(t.Context()); !errors.Is(err, mirror.ErrNotRunning) {
			return fmt.Errorf("digest after Run: %w, want ErrNotRunning", err)
		}
		return nil
	})
}

func TestReadOfWhatTheDirectoryHolds(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"a.json": one, "bad.json": half}), newMemReplica(), founder)
	if err := os.Symlink("a.json", filepath.Join(n.dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a.json": one, "bad.json": half} {
		if got, err := n.Read(t.Context(), path(name)); err != nil || string(got) != want {
			t.Errorf("read %s: got %q, %v, want %q", name, got, err, want)
		}
	}
	write(t, n.dir, "secret.txt", one)
	for _, name := range []string{"none.json", "secret.txt"} { // the one is not there, the other not mirrored
		if _, err := n.Read(t.Context(), path(name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read %s: got %v, want fs.ErrNotExist", name, err)
		}
	}
	if _, err := n.Read(t.Context(), path("link.json")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read of a link: got %v, want the reason", err)
	}
}

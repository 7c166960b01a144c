package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// TestStrangeFilesAreHeld: each is left alone and reported, and stops nothing else.
func TestStrangeFilesAreHeld(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.json")
	if err := os.WriteFile(outside, []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file, reason string
		make               func(name string) error
	}{
		{"link", "link.json", "link", func(n string) error { return os.Symlink(outside, n) }},
		{"link within", "inner.json", "link", func(n string) error { return os.Symlink("good.json", n) }},
		{"dangling link", "dangling.json", "link", func(n string) error { return os.Symlink("nowhere", n) }},
		{"fifo", "fifo.json", "regular", func(n string) error { return syscall.Mkfifo(n, 0o600) }},
		{"too large", "large.json", "larger", func(n string) error {
			return os.WriteFile(n, []byte(`{"a": "`+strings.Repeat("x", definition.MaxSize)+`"}`), 0o600)
		}},
		{"decomposed name", "e\u0301.json", "NFC", func(n string) error { return os.WriteFile(n, []byte(one), 0o600) }},
		{"name of no encoding", "\xff.json", "UTF-8", func(n string) error { return os.WriteFile(n, []byte(one), 0o600) }},
		{"backslash", `a\b.json`, "backslash", func(n string) error { return os.WriteFile(n, []byte(one), 0o600) }},
		{"duplicate keys", "twice.json", "no definition", func(n string) error { return os.WriteFile(n, []byte(`{"a":1,"a":2}`), 0o600) }},
		{"binary", "binary.yaml", "no definition", func(n string) error { return os.WriteFile(n, []byte{0, 0xff, 0xfe}, 0o600) }},
	}
	n := run(t, newDir(t, map[string]string{"good.json": one}), newMemReplica(), founder, quickDeletes)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(n.dir, tt.file)
			if err := tt.make(name); err != nil {
				t.Skipf("this file system has no such file: %v", err)
			}
			n.wantsHeld(tt.file, tt.reason)
			save(t, n.dir, "good.json", service(1, tt.name))
			n.wantsView("good.json", service(1, tt.name))
			n.pass()
			n.wantsHeld(tt.file, tt.reason)
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error {
				if held := n.Status().Held; len(held) > 0 {
					return errors.New("held still: " + held[0].Reason)
				}
				return nil
			})
		})
	}
	for _, e := range n.replica.edits() {
		if e.Path != path("good.json") {
			t.Errorf("edit of %s", e.Path)
		}
	}
}

func TestNothingLeavesTheDirectory(t *testing.T) {
	n := run(t, newDir(t, nil), newMemReplica(), founder)
	outside := t.TempDir()
	for _, link := range []struct{ name, to string }{{"abs", outside}, {"rel", "../../" + filepath.Base(outside)}, {"within", "real"}} {
		if err := os.Symlink(link.to, filepath.Join(n.dir, link.name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(n.dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	n.replica.remote(asBytes(map[string]string{
		"abs/a.json": one, "rel/a.json": one, "within/a.json": one, "good.json": one,
	}))
	n.wants("good.json", one)
	for _, name := range []string{"abs/a.json", "rel/a.json", "within/a.json"} {
		n.wantsHeld(name, "link")
	}
	for _, dir := range []string{outside, filepath.Join(n.dir, "real")} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%s holds %v, %v, want nothing", dir, entries, err)
		}
	}
	if got := n.replica.edits(); len(got) > 0 {
		t.Errorf("edits: %v", got)
	}
}

// TestFolderReplacedByLink: files behind a link are somebody else's, so they are
// neither read nor counted as deleted.
func TestFolderReplacedByLink(t *testing.T) {
	n := run(t, newDir(t, map[string]string{"sub/a.json": one}), newMemReplica(), founder, quickDeletes)
	outside := filepath.Join(t.TempDir(), "sub")
	if err := errors.Join(os.Rename(filepath.Join(n.dir, "sub"), outside), os.Symlink(outside, filepath.Join(n.dir, "sub"))); err != nil {
		t.Fatal(err)
	}
	n.wantsHeld("sub/a.json", "link")
	n.pass()
	if got, want := n.replica.content("sub/a.json"), one; got != want {
		t.Errorf("view = %q, want %q", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := newDir(t, nil)
	foreign := newDir(t, nil)
	save(t, foreign, ".starling", "another cluster\n")
	locked := newDir(t, nil)
	open(t, locked, newMemReplica())
	file := filepath.Join(good, "file")
	write(t, good, "file", "")
	tests := []struct {
		name, dir string
		want      error
	}{
		{"missing", filepath.Join(good, "nowhere"), mirror.ErrNoDirectory},
		{"a file", file, mirror.ErrNoDirectory},
		{"another cluster's", foreign, mirror.ErrForeignMarker},
		{"in use", locked, mirror.ErrLocked},
	}
	for _, tt := range tests {
		if _, err := mirror.Open(t.Context(), mirror.Options{Dir: tt.dir, Cluster: cluster}, newMemReplica()); !errors.Is(err, tt.want) {
			t.Errorf("%s: Open = %v, want %v", tt.name, err, tt.want)
		}
	}
	for _, tt := range tests[:2] {
		if err := mirror.Mark(tt.dir, cluster); !errors.Is(err, tt.want) {
			t.Errorf("%s: Mark = %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := mirror.Mark(foreign, cluster); !errors.Is(err, mirror.ErrForeignMarker) {
		t.Errorf("Mark of another cluster's directory = %v, want ErrForeignMarker", err)
	}
	if err := mirror.Mark(good, cluster); err != nil {
		t.Errorf("Mark again = %v", err)
	}
	for _, opts := range []mirror.Options{{}, {Dir: good}, {Dir: good, Cluster: cluster, Extensions: []string{"json"}}} {
		if _, err := mirror.Open(t.Context(), opts, newMemReplica()); err == nil {
			t.Errorf("Open(%+v) succeeds", opts)
		}
	}
}

func TestRefusedPathsAreHeld(t *testing.T) {
	r := newMemReplica()
	r.refuse[path("mine.json")] = true
	n := run(t, newDir(t, map[string]string{"mine.json": one, "a.json": two}), r, founder)
	n.wantsView("a.json", two)
	n.wantsHeld("mine.json", "grant")
}

func TestFailedWorkIsTriedAgain(t *testing.T) {
	r := newMemReplica()
	n := run(t, newDir(t, map[string]string{"b.json": one}), r, founder, quickDeletes)
	r.setFailure(errDisk)
	save(t, n.dir, "a.json", one)
	remove(t, n.dir, "b.json")
	r.remote(map[string][]byte{"c.json": []byte(one)})
	eventually(t, func() error {
		if s := n.Status(); !strings.Contains(s.LastError, errDisk.Error()) || !strings.Contains(s.Failing, errDisk.Error()) || !s.Busy {
			return errors.New("no failure is reported")
		}
		return nil
	})
	r.setFailure(nil)
	n.wantsView("a.json", one)
	n.wantsView("b.json", "absent")
	n.wants("c.json", one)
	eventually(t, func() error {
		if s := n.Status(); len(s.Held) > 0 || s.Busy || s.Failing != "" {
			return fmt.Errorf("held, busy or failing still: %+v", s)
		}
		return nil
	})
}

// TestALinkedFolderIsTold: what is in it is not mirrored. A linked file that no mirror
// would take is nobody's business.
func TestALinkedFolderIsTold(t *testing.T) {
	elsewhere := newDir(t, map[string]string{"in.json": one})
	n := run(t, newDir(t, map[string]string{"a.json": one, "sub/b.json": one}), newMemReplica(), founder)
	n.wantsView("sub/b.json", one)
	links := map[string]string{"linked": elsewhere, "sub/deep": elsewhere, "to.json": elsewhere, "notes.txt": filepath.Join(elsewhere, "in.json"), "nowhere": elsewhere + "/none"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(n.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	wantHeld := func(want ...string) {
		t.Helper()
		eventually(t, func() error {
			var got []string
			for _, h := range n.Status().Held {
				got = append(got, h.Path)
				if !strings.Contains(h.Reason, "link") {
					return fmt.Errorf("%s is held: %s", h.Path, h.Reason)
				}
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("held are %q, want %q", got, want)
			}
			return nil
		})
	}
	wantHeld("linked", "sub/deep", "to.json")
	if err := n.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantHeld("linked", "sub/deep", "to.json")
	remove(t, n.dir, "to.json", "sub/deep", "linked")
	wantHeld()
	if err := os.Symlink(elsewhere, filepath.Join(n.dir, "linked")); err != nil {
		t.Fatal(err)
	}
	wantHeld("linked")
	remove(t, n.dir, "linked")
	if err := os.Mkdir(filepath.Join(n.dir, "linked"), 0o750); err != nil {
		t.Fatal(err)
	}
	save(t, n.dir, "linked/c.json", two) // a real folder in its place
	n.wantsView("linked/c.json", two)
	wantHeld()
}

func TestLowSpaceHoldsImports(t *testing.T) {
	r := newMemReplica()
	n := open(t, newDir(t, map[string]string{"a.json": one}), r, founder, func(o *mirror.Options) { o.MinFree = 1 << 62 })
	r.remote(map[string][]byte{"b.json": []byte(two)})
	n.startLoop()
	n.StartSync()
	n.wants("b.json", two)
	eventually(t, func() error {
		if s := n.Status(); s.LowSpace == "" || !strings.Contains(s.LastError, "MiB") {
			return errors.New("low space is not reported")
		}
		return nil
	})
	if got := r.edits(); len(got) > 0 {
		t.Errorf("edits: %v", got)
	}
	if isClosed(n.Ready()) {
		t.Error("ready without the import")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

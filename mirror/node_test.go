package mirror_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/starling-sync/starling/mirror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cluster = "cluster-of-the-test"

// node is one mirror that runs.
type node struct {
	*mirror.Mirror
	t       testing.TB
	dir     string
	replica *memReplica
	opts    mirror.Options
	cancel  context.CancelFunc
	done    chan error
}

// newDir returns a marked directory with the given files.
func newDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "services")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mirror.Mark(dir, cluster); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, dir, name, content)
	}
	return dir
}

func founder(o *mirror.Options)      { o.Founder = true }
func quickDeletes(o *mirror.Options) { o.DeleteSettle = 50 * time.Millisecond }

// run starts a mirror and ends it with the test.
func run(t testing.TB, dir string, r *memReplica, change ...func(*mirror.Options)) *node {
	t.Helper()
	n := open(t, dir, r, change...)
	n.start()
	return n
}

// open opens a mirror that does not run yet.
func open(t testing.TB, dir string, r *memReplica, change ...func(*mirror.Options)) *node {
	t.Helper()
	opts := mirror.Options{Dir: dir, Cluster: cluster, MinFree: 1, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	for _, c := range change {
		c(&opts)
	}
	m, err := mirror.Open(t.Context(), opts, r)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Mirror: m, t: t, dir: dir, replica: r, opts: opts}
	t.Cleanup(n.stop)
	return n
}

// start runs the loop and waits until the mirror is ready.
func (n *node) start() {
	n.t.Helper()
	n.startLoop()
	n.StartSync()
	select {
	case <-n.Ready():
	case <-time.After(10 * time.Second):
		n.t.Fatalf("not ready: %+v", n.Status())
	}
}

func (n *node) startLoop() {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel, n.done = cancel, make(chan error, 1)
	go func() { n.done <- n.Run(ctx) }()
}

// stop ends the mirror; it may be called twice.
func (n *node) stop() {
	if n.Mirror == nil {
		return
	}
	if n.cancel != nil {
		n.cancel()
		if err := <-n.done; err != nil {
			n.t.Errorf("Run: %v", err)
		}
	}
	if err := n.Close(); err != nil {
		n.t.Errorf("Close: %v", err)
	}
	n.Mirror = nil
}

func (n *node) pass() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 10*time.Second)
	defer cancel()
	if err := n.Pass(ctx); err != nil {
		n.t.Fatal(err)
	}
}

// wants polls until the file has the content ("absent" for none).
func (n *node) wants(name, want string) {
	n.t.Helper()
	eventually(n.t, func() error {
		if got := read(n.t, n.dir, name); got != want {
			return fmt.Errorf("file %s = %q, want %q", name, got, want)
		}
		return nil
	})
}

// wantsView polls until the replica's view of the file has the content.
func (n *node) wantsView(name, want string) {
	n.t.Helper()
	eventually(n.t, func() error {
		if got := n.replica.content(name); got != want {
			return fmt.Errorf("view of %s = %q, want %q", name, got, want)
		}
		return nil
	})
}

// wantsHeld polls until the file is held for a reason that contains the text.
func (n *node) wantsHeld(name, reason string) {
	n.t.Helper()
	eventually(n.t, func() error {
		for _, h := range n.Status().Held {
			if h.Path == name && strings.Contains(h.Reason, reason) {
				return nil
			}
		}
		return fmt.Errorf("%s is not held for %q: %+v", name, reason, n.Status().Held)
	})
}

func eventually(t testing.TB, check func() error) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-tick.C
	}
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// write saves a file in place, as CAS does.
func write(t testing.TB, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
}

// save renames a file in, as editors do.
func save(t testing.TB, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	temp := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".swp")
	if err := os.WriteFile(temp, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, file); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// leftovers returns the temporary files below dir.
func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".tmp") {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// service is the text of a definition with an id.
func service(id int, note string) string {
	return fmt.Sprintf("{\n  \"@class\": \"org.apereo.cas.services.CasRegisteredService\",\n  \"id\": %d,\n  \"name\": \"%s\"\n}\n", id, note)
}

// services is n definitions.
func services(n int) map[string]string {
	files := make(map[string]string, n)
	for i := range n {
		files[fmt.Sprintf("service-%d.json", i)] = service(i, "first")
	}
	return files
}

// asBytes is files as another node's change.
func asBytes(files map[string]string) map[string][]byte {
	m := make(map[string][]byte, len(files))
	for name, content := range files {
		m[name] = []byte(content)
	}
	return m
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if testing.Verbose() {
		fmt.Fprintf(os.Stderr, "%s: %s", l.t.Name(), b)
	}
	return len(b), nil
}

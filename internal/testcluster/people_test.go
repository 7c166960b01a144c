package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

// deed is something that people or programs do to a node's directory.
type deed struct {
	name string
	// files are there before, by name, on both nodes.
	files map[string]string
	// do does it. If its error is errNotHere, the deed is skipped.
	do func(d desk) error
	// want are the files that both nodes have afterwards; those that are not named in
	// files, or other there, were imported once, and no others. An empty text says that
	// the file is gone.
	want map[string]string
	// held are the files that are held on the node where it was done, and why.
	held map[string]string
	// litter are names that no node looks at.
	litter []string
	// both: it is done on both nodes, each of which may import it.
	both bool
}

// desk is where a deed is done: a directory whose names begin with the deed's folder.
type desk struct {
	testcluster.Dir
	folder string
	id     int             // that the deed's definitions have
	other  testcluster.Dir // the other node's
}

func (d desk) at(name string) string { return filepath.Join(string(d.Dir), d.folder, name) }

// own gives a definition the deed's own id, so that none is taken for another that moved.
func (d desk) own(text string) string {
	return regexp.MustCompile(`^(\{\n  "id": |id: )1\b`).ReplaceAllString(text, fmt.Sprintf("${1}%d", d.id))
}

// owned is own for files; they may be another deed's too.
func (d desk) owned(files map[string]string) map[string]string {
	owned := make(map[string]string, len(files))
	for name, text := range files {
		owned[name] = d.own(text)
	}
	return owned
}

// after is the text that most deeds save.
func (d desk) after() []byte { return []byte(d.own(after)) }

// errNotHere says why a deed cannot be done on this machine.
type errNotHere struct{ why string }

func (e errNotHere) Error() string { return e.why }

// run runs a program in the deed's folder.
func (d desk) run(program string, args ...string) error {
	if _, err := exec.LookPath(program); err != nil {
		return errNotHere{err.Error()}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Join(string(d.Dir), d.folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

// inPieces truncates a file and writes it in pieces, with pauses; pause runs in each.
func (d desk) inPieces(name, text string, pause time.Duration, during func(*os.File) error) error {
	f, err := os.OpenFile(d.at(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for piece := range slices.Chunk([]byte(d.own(text)), len(text)/4+1) {
		if _, err := f.Write(piece); err != nil {
			return err
		}
		if during != nil {
			if err := during(f); err != nil {
				return err
			}
		}
		<-tick.C
	}
	return f.Close()
}

// imitate replaces a file as rsync does: under another name first, with its old time.
func (d desk) imitate(name, text string) error {
	temp := d.at("." + name + ".Xa81zQ")
	old := time.Now().Add(-24 * time.Hour)
	return errors.Join(os.WriteFile(temp, []byte(d.own(text)), 0o600), os.Chtimes(temp, old, old), os.Rename(temp, d.at(name)))
}

const (
	before = "{\n  \"id\": 1,\n  \"name\": \"old\"\n}\n"
	after  = "{\n  \"id\": 1,\n  \"name\": \"new\"\n}\n"
)

// deeds are what people do.
func deeds() []deed {
	app, changed := map[string]string{"app.json": before}, map[string]string{"app.json": after}
	thousand := make(map[string]string)
	for i := range 1000 {
		thousand[fmt.Sprintf("app-%d.json", i)] = service(2000+i, "one of a thousand")
	}
	outside := filepath.Join(os.TempDir(), "starling-test-no-such-file.json")
	return []deed{
		{name: "rename in", files: app, want: changed, do: func(d desk) error {
			return errors.Join(os.WriteFile(d.at("app.new"), d.after(), 0o640), os.Rename(d.at("app.new"), d.at("app.json")))
		}},
		{name: "truncate and write", files: app, want: changed, do: func(d desk) error {
			return os.WriteFile(d.at("app.json"), d.after(), 0o640)
		}},
		{name: "write in pieces with short pauses", files: map[string]string{"app.json": before, "app.yml": "id: 1\n"},
			want: map[string]string{"app.json": after, "app.yml": "id: 1\nname: a\nserviceId: b\ndescription: c\n"}, do: func(d desk) error {
				return errors.Join(d.inPieces("app.json", after, 60*time.Millisecond, nil),
					d.inPieces("app.yml", "id: 1\nname: a\nserviceId: b\ndescription: c\n", 60*time.Millisecond, nil))
			}},
		{name: "write in pieces with long pauses", files: app, want: changed, do: func(d desk) error {
			return d.inPieces("app.json", after, 300*time.Millisecond, nil)
		}},
		{name: "vim", files: app, want: changed, do: func(d desk) error {
			return d.run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", "%s/old/new/", "-c", "wq", "app.json")
		}},
		{name: "vim with backups", files: app, want: changed, litter: []string{"app.json~"}, do: func(d desk) error {
			return d.run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", "set backup backupcopy=no", "-c", "%s/old/new/", "-c", "wq", "app.json")
		}},
		{name: "vim in place", files: app, want: changed, do: func(d desk) error {
			return d.run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", "set backupcopy=yes", "-c", "%s/old/new/", "-c", "wq", "app.json")
		}},
		{name: "as vim does", files: app, want: changed, litter: []string{"app.json~"}, do: func(d desk) error {
			return errors.Join(
				os.WriteFile(d.at("4913"), nil, 0o600), os.Remove(d.at("4913")), // whether it may write here
				os.WriteFile(d.at(".app.json.swp"), []byte("b0VIM"), 0o600),
				os.Rename(d.at("app.json"), d.at("app.json~")),
				os.WriteFile(d.at("app.json"), d.after(), 0o640),
				os.Remove(d.at(".app.json.swp")))
		}},
		{name: "sed -i", files: app, want: changed, do: func(d desk) error { return d.run("sed", "-i", "s/old/new/", "app.json") }},
		{name: "append", files: map[string]string{"app.yml": "id: 1\n"}, want: map[string]string{"app.yml": "id: 1\nname: new\n"}, do: func(d desk) error {
			f, err := os.OpenFile(d.at("app.yml"), os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("name: new\n")
			return errors.Join(err, f.Close())
		}},
		{name: "rsync", files: app, want: changed, do: func(d desk) error {
			from := filepath.Join(string(d.Dir)+"-from", d.folder)
			return errors.Join(os.MkdirAll(from, 0o755), os.WriteFile(filepath.Join(from, "app.json"), d.after(), 0o640),
				d.run("rsync", "-a", "--ignore-times", from+"/", "./"))
		}},
		{name: "as rsync does", files: app, want: changed, do: func(d desk) error { return d.imitate("app.json", after) }},
		{name: "an editor's backup files", files: app, want: app,
			litter: []string{"app.json~", "#app.json#", "app.json.bak", "app.json.orig", "app.json.rej", "app.json.swp", ".#app.json", ".app.json.un~", ".app.json.kate-swp", ".goutputstream-1"},
			do: func(d desk) error {
				var err error
				for _, name := range []string{"app.json~", "#app.json#", "app.json.bak", "app.json.orig", "app.json.rej", "app.json.swp", ".app.json.un~", ".app.json.kate-swp", ".goutputstream-1"} {
					err = errors.Join(err, os.WriteFile(d.at(name), d.after(), 0o640))
				}
				return errors.Join(err, os.Symlink("somebody@example.org.123:4", d.at(".#app.json")))
			}},
		{name: "the same bytes on all nodes at once", both: true, files: app, want: changed, do: func(d desk) error {
			var wg sync.WaitGroup
			errs := make([]error, 2)
			for i, dir := range []testcluster.Dir{d.Dir, d.other} {
				wg.Go(func() { errs[i] = dir.Write(d.folder+"/app.json", d.own(after)) })
			}
			wg.Wait()
			return errors.Join(errs...)
		}},
		{name: "saved again as CAS does", files: app, want: app, do: func(d desk) error { // the same bytes, in place
			for range 5 {
				if err := os.WriteFile(d.at("app.json"), []byte(d.own(before)), 0o640); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "a thousand files at once", want: thousand, do: func(d desk) error {
			for name, text := range thousand {
				if err := os.WriteFile(d.at(name), []byte(text), 0o640); err != nil {
					return err
				}
			}
			return nil
		}},
		{name: "a read-only file", files: app, want: map[string]string{"app.json": after, "made.json": after}, do: func(d desk) error {
			return errors.Join(os.Chmod(d.at("app.json"), 0o444), os.WriteFile(d.at("made.tmp"), d.after(), 0o444),
				os.Rename(d.at("made.tmp"), d.at("made.json")), d.imitate("app.json", after))
		}},
		{name: "a changed mode", files: app, want: app, do: func(d desk) error { return os.Chmod(d.at("app.json"), 0o600) }},
		{name: "a link", held: map[string]string{"link.json": "links are not followed", "dangling.json": "links are not followed"}, files: app, want: app, do: func(d desk) error {
			return errors.Join(os.Symlink("app.json", d.at("link.json")), os.Symlink(outside, d.at("dangling.json")))
		}},
		{name: "a FIFO", held: map[string]string{"fifo.json": "no regular file"}, do: func(d desk) error { return syscall.Mkfifo(d.at("fifo.json"), 0o600) }},
		{name: "a name in NFD", held: map[string]string{"Cafe\u0301.json": "NFC"}, do: func(d desk) error {
			return os.WriteFile(d.at("Cafe\u0301.json"), d.after(), 0o640)
		}},
		{name: "a file of 10 MiB", held: map[string]string{"large.json": "larger than 256 KiB"}, do: func(d desk) error {
			return os.WriteFile(d.at("large.json"), []byte(`{"a": "`+strings.Repeat("x", 10<<20)+`"}`), 0o640)
		}},
		{name: "binary garbage", held: map[string]string{"garbage.json": "no definition"}, do: func(d desk) error {
			return os.WriteFile(d.at("garbage.json"), []byte{0x7f, 'E', 'L', 'F', 0, 0xff, 0xfe, '{', '}'}, 0o640)
		}},
		{name: "an empty file", held: map[string]string{"empty.json": "no definition"}, do: func(d desk) error { return os.WriteFile(d.at("empty.json"), nil, 0o640) }},
		{name: "a folder in a file's place", files: app, want: map[string]string{"app.json": ""}, do: func(d desk) error {
			return errors.Join(os.Remove(d.at("app.json")), os.Mkdir(d.at("app.json"), 0o755))
		}},
		{name: "clocks that jump", files: map[string]string{"app.json": before, "future.json": before, "past.json": before},
			want: map[string]string{"app.json": after, "future.json": after, "past.json": after}, do: func(d desk) error {
				jump := 0
				err := d.inPieces("app.json", after, 60*time.Millisecond, func(f *os.File) error {
					jump++
					at := time.Unix(0, 0).AddDate(130*(jump%2), 0, 0) // 1970, 2100, 1970, ...
					return os.Chtimes(f.Name(), at, at)
				})
				return errors.Join(err, d.stamped("future.json", time.Now().AddDate(75, 0, 0)), d.stamped("past.json", time.Unix(0, 0)))
			}},
		{name: "a file that goes and comes back", files: app, want: app, do: func(d desk) error {
			return errors.Join(os.Remove(d.at("app.json")), os.WriteFile(d.at("app.json"), []byte(d.own(before)), 0o640))
		}},
		{name: "a file deleted", files: app, want: map[string]string{"app.json": ""}, do: func(d desk) error { return os.Remove(d.at("app.json")) }},
	}
}

// stamped saves a file whose time is another.
func (d desk) stamped(name string, at time.Time) error {
	return errors.Join(os.WriteFile(d.at(name), d.after(), 0o640), os.Chtimes(d.at(name), at, at))
}

// TestEverythingPeopleDo: each deed is imported exactly once, or held with a reason;
// who reads on the other node never sees a part of a file; and when all is done,
// nothing more happens.
func TestEverythingPeopleDo(t *testing.T) {
	files := make(map[string]string)
	all := deeds()
	for i := range all {
		d := &all[i]
		work := desk{folder: folderOf(i), id: 5000 + i}
		d.files, d.want = work.owned(d.files), work.owned(d.want)
		for name, text := range d.files {
			files[work.folder+"/"+name] = text
		}
	}
	c := testcluster.New(t, 2, testcluster.Options{Files: files})
	c.Settle()
	skipped := make(map[string]bool)
	var mu sync.Mutex
	reader := readAlong(c.Node(1).Dir)
	t.Run("deed", func(t *testing.T) {
		for i, d := range all {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				work := desk{Dir: c.Node(0).Dir, folder: folderOf(i), id: 5000 + i, other: c.Node(1).Dir}
				if err := os.MkdirAll(work.at(""), 0o755); err != nil {
					t.Fatal(err)
				}
				switch err := d.do(work); {
				case errors.As(err, &errNotHere{}):
					mu.Lock()
					skipped[d.name] = true
					mu.Unlock()
					t.Skipf("not here: %v", err)
				case err != nil:
					t.Fatal(err)
				}
				d.check(t, c, folderOf(i))
			})
		}
	})
	made := changes(t, c.Node(1))
	idle(t)
	if got := changes(t, c.Node(1)) - made; got != 0 {
		t.Errorf("%d changes were made while nobody did anything, want 0", got)
	}
	t.Logf("%s; changes in %v of idleness: %d", reader.stop(t), idleTime(), changes(t, c.Node(1))-made)
	log, err := c.Node(1).Log(node.LogQuery{})
	if err != nil {
		t.Fatal(err)
	}
	edits := make(map[string]int)
	for _, change := range log {
		for _, e := range change.Edits {
			edits[e.Path.String()]++
		}
	}
	for i, d := range all {
		if !skipped[d.name] {
			d.imported(t, folderOf(i), edits)
		}
		// What the cluster's own check would not expect.
		for _, name := range slices.Concat(slices.Collect(maps.Keys(d.held)), d.litter) {
			if err := os.Remove(filepath.Join(string(c.Node(0).Dir), folderOf(i), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
	}
}

func folderOf(i int) string { return fmt.Sprintf("deed-%d", i) }

// check waits until both nodes have what the deed comes to.
func (d deed) check(t *testing.T, c *testcluster.Cluster, folder string) {
	t.Helper()
	c.Eventually(func() error {
		for i := range c.Len() {
			for name, want := range d.want {
				got, err := c.Node(i).Dir.Read(folder + "/" + name)
				gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR)
				if got != want || gone != (want == "") {
					return fmt.Errorf("%s on node %d is %q (%w), want %q", name, i, got, err, want)
				}
			}
		}
		return d.isHeld(c.Node(0), folder)
	})
	for name := range d.held {
		if _, err := os.Lstat(filepath.Join(string(c.Node(1).Dir), folder, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is on the other node (%v)", name, err)
		}
	}
}

// imported checks how often each file was imported, by how many edits of it there are.
func (d deed) imported(t *testing.T, folder string, edits map[string]int) {
	t.Helper()
	for name, text := range d.want {
		want := 0
		if text != d.files[name] {
			want = 1
		}
		if _, ok := d.files[name]; ok {
			want++ // when the cluster was made
		}
		got := edits[folder+"/"+name]
		if d.both && got == want+1 {
			continue // by each of the two nodes
		}
		if got != want {
			t.Errorf("%s: %s was imported %d times, want %d", d.name, name, got, want)
		}
	}
}

// isHeld says how what a node holds in the deed's folder differs from what it should.
func (d deed) isHeld(n *testcluster.Node, folder string) error {
	status, err := n.Status()
	if err != nil {
		return err
	}
	held := make(map[string]string)
	for _, h := range status.Held {
		if name, ok := strings.CutPrefix(h.Path, folder+"/"); ok {
			held[name] = h.Reason
		}
	}
	for name, want := range d.held {
		if !strings.Contains(held[name], want) {
			return fmt.Errorf("%s is held because %q, want %q", name, held[name], want)
		}
		delete(held, name)
	}
	if len(held) > 0 {
		return fmt.Errorf("held as well: %v", held)
	}
	return nil
}

// alongside reads the files of a directory, again and again.
type alongside struct {
	done  chan struct{}
	ended chan struct{}
	// Written until ended is closed.
	reads int
	torn  []string
}

func readAlong(dir testcluster.Dir) *alongside {
	a := &alongside{done: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		tick := time.NewTicker(time.Millisecond) // the nodes want the processor too
		defer tick.Stop()
		for {
			select {
			case <-a.done:
				return
			case <-tick.C:
			}
			a.look(dir)
		}
	}()
	return a
}

// look reads every file once.
func (a *alongside) look(dir testcluster.Dir) {
	files, err := dir.Files()
	if errors.Is(err, fs.ErrNotExist) {
		return // one went away between being listed and read
	}
	if err != nil {
		a.torn = append(a.torn, err.Error())
		return
	}
	for name, text := range files {
		a.reads++
		p, err := definition.ParsePath(name)
		if err == nil {
			var doc definition.Document
			doc, err = definition.Parse(p, []byte(text))
			if err == nil && strings.HasSuffix(name, ".json") && !doc.Complete() {
				err = errors.New("it is not complete")
			}
		}
		if err != nil {
			a.torn = append(a.torn, fmt.Sprintf("%s: %v: %q", name, err, text))
		}
	}
}

// stop ends the reading and fails the test for every file that was not whole.
func (a *alongside) stop(t *testing.T) string {
	t.Helper()
	close(a.done)
	<-a.ended
	for _, torn := range a.torn {
		t.Errorf("a reader saw a part of a file: %s", torn)
	}
	return fmt.Sprintf("%d reads, %d torn", a.reads, len(a.torn))
}

// idleTime is how long nothing may happen.
func idleTime() time.Duration {
	if os.Getenv("STARLING_LONG") != "" {
		return 10 * time.Second
	}
	return 2 * time.Second
}

// idle does nothing.
func idle(t *testing.T) {
	t.Helper()
	end := time.NewTimer(idleTime())
	defer end.Stop()
	select {
	case <-end.C:
	case <-t.Context().Done():
	}
}

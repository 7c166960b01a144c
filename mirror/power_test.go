package mirror_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/internal/powerloss"
	"github.com/starling-sync/starling/mirror"
)

var (
	powerSeed = flag.Uint64("power.seed", 0, "what TestPowerLoss does; 0 takes one by chance")
	powerCuts = flag.Int("power.cuts", 0, "at how many moments TestPowerLoss cuts the power; default 60, with $STARLING_LONG 3000")
)

// TestPowerLoss cuts the power at the failpoints that a mirror passes while people and
// other nodes edit. The directory then holds what was synced, and anything between
// nothing and all of the rest; the records likewise, in their order. Other nodes go on,
// the mirror starts again, and comes to rest unattended with what the view wants: no
// file is torn, and no edit is made but those of people that were not published yet.
func TestPowerLoss(t *testing.T) {
	seed, cuts := *powerSeed, *powerCuts
	if seed == 0 {
		seed = rand.Uint64()
	}
	if cuts == 0 {
		cuts = 60
		if os.Getenv("STARLING_LONG") != "" {
			cuts = 3000
		}
	}
	t.Logf("do it again:\ngo test ./mirror -race -count=1 -timeout=0 -v -run '^TestPowerLoss$' -power.seed=%d -power.cuts=%d", seed, cuts)
	total := make(map[failpoint.Point]int)
	for cut, n := 0, uint64(0); cut < cuts && !t.Failed(); n++ {
		s := newScene(t, rand.New(rand.NewPCG(seed, n)), n%2 == 0)
		s.play()
		for _, b := range s.blackouts {
			total[b.at]++
			cut++
			s.check(b)
		}
		if t.Failed() {
			t.Logf("what was done:\n%s", strings.Join(s.done, "\n"))
		}
	}
	for _, p := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%4d power losses at %s", total[p], p)
	}
}

// TestFlushKeepsNewFolders: a new folder is durable with the file in it, or a power failure
// takes both, and the file would seem to be deleted.
func TestFlushKeepsNewFolders(t *testing.T) {
	s := newScene(t, rand.New(rand.NewPCG(1, 1)), true)
	run(t, s.dir, s.replica, s.options).stop()
	if err := s.disk.AllSynced(); err != nil {
		t.Fatal(err)
	}
	n := run(t, s.dir, s.replica, s.options)
	s.replica.remote(map[string][]byte{"sub/deep/deeper/d.json": []byte(s.text())})
	n.pass()
	failpoint.Set(s.pass)
	defer failpoint.Set(nil)
	n.stop()
	failpoint.Set(nil)
	if last := s.blackouts[len(s.blackouts)-1]; last.at != failpoint.FlushRecorded {
		t.Fatalf("the last moment is %s, want %s", last.at, failpoint.FlushRecorded)
	}
	for _, b := range s.blackouts {
		s.check(b)
	}
	if err := s.disk.Close(); err != nil {
		t.Error(err)
	}
}

// scene is a mirror whose directory can lose its power.
type scene struct {
	t       *testing.T
	rng     *rand.Rand
	founder bool
	dir     string
	aside   string
	disk    *powerloss.Disk
	replica *memReplica
	texts   int

	mu        sync.Mutex // what follows, and the order of edits and moments
	moments   *rand.Rand // of the hook
	blackouts []blackout
	passed    map[failpoint.Point]int
	done      []string
	known     map[string]bool // contents that somebody wrote
	made      map[sceneEdit]int
}

// sceneEdit is an edit by people; the empty content is a deletion.
type sceneEdit struct{ path, content string }

// blackout is one moment at which the power may go.
type blackout struct {
	at      failpoint.Point
	step    int
	disk    powerloss.State
	replica *memReplica
	// made are the edits of people until then, less those that were published.
	made map[sceneEdit]int
}

var sceneNames = []string{"a.json", "b.json", "sub/c.json", "sub/deep/d.json", "new/e.json"}

func newScene(t *testing.T, rng *rand.Rand, founder bool) *scene {
	t.Helper()
	s := &scene{
		t: t, rng: rng, moments: rand.New(rand.NewPCG(rng.Uint64(), 0)), founder: founder, replica: newMemReplica(), aside: t.TempDir(),
		passed: make(map[failpoint.Point]int), known: make(map[string]bool), made: make(map[sceneEdit]int),
	}
	files := make(map[string]string)
	for _, name := range sceneNames[:3] {
		files[name] = s.write(name)
	}
	s.dir = newDir(t, files)
	if !founder {
		s.remote()
		s.remote()
	}
	var err error
	if s.disk, err = powerloss.New(s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) text() string {
	s.texts++
	text := service(s.texts, strings.Repeat("x", s.rng.IntN(200)))
	s.known[text] = true
	return text
}

// write is the text of an edit by people.
func (s *scene) write(name string) string {
	text := s.text()
	s.made[sceneEdit{name, text}]++
	return text
}

func (s *scene) options(o *mirror.Options) {
	quickDeletes(o)
	o.Founder = s.founder
	o.Aside = s.aside
}

// play runs the mirror while things happen.
func (s *scene) play() {
	s.t.Helper()
	failpoint.Set(s.pass)
	defer failpoint.Set(nil)
	defer func() {
		if err := s.disk.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	n := run(s.t, s.dir, s.replica, s.options)
	for range 8 {
		s.step()
		switch s.rng.IntN(6) {
		case 0, 1:
		case 2: // which flushes the directory
			n.stop()
			n = run(s.t, s.dir, s.replica, s.options)
		default:
			n.pass()
		}
	}
	n.pass()
	n.stop()
}

// step is one edit by people or by another node.
func (s *scene) step() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	name := sceneNames[s.rng.IntN(len(sceneNames))]
	file := filepath.Join(s.dir, name)
	var err error
	switch n := s.rng.IntN(10); {
	case n < 3:
		s.note("save %s", name)
		if err = os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
			save(s.t, s.dir, name, s.write(name))
		}
	case n == 3:
		s.note("write %s in place", name)
		write(s.t, s.dir, name, s.write(name))
	case n == 4:
		s.note("remove %s", name)
		s.made[sceneEdit{name, ""}]++
		err = os.Remove(file)
	case n == 5 && s.texts%2 == 0:
		s.remoteMany()
	default:
		s.remote()
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		s.t.Fatal(err)
	}
	if err := s.disk.Look(); err != nil {
		s.t.Fatal(err)
	}
}

// remote is a change of another node.
func (s *scene) remote() {
	name := sceneNames[s.rng.IntN(len(sceneNames))]
	s.note("another node changes %s", name)
	if s.rng.IntN(4) == 0 {
		s.replica.remote(map[string][]byte{name: nil})
		return
	}
	s.replica.remote(map[string][]byte{name: []byte(s.text())})
}

// remoteMany is a change of more files than are synced one by one.
func (s *scene) remoteMany() {
	s.note("another node changes many files")
	files := make(map[string][]byte)
	for i := range 10 {
		files[fmt.Sprintf("many/%d/f-%d.json", i%2, i)] = []byte(s.text())
	}
	s.replica.remote(files)
}

func (s *scene) note(format string, args ...any) {
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

// pass is the hook: it tells the disk what was synced, and may cut the power.
func (s *scene) pass(p failpoint.Point, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch p {
	case failpoint.TempSynced:
		err = s.disk.FileSynced(name)
	case failpoint.FileFlushed: // a file or a folder
		err = errors.Join(s.disk.FileSynced(name), s.disk.FolderSynced(name))
	case failpoint.FileSystemSynced:
		err = s.disk.AllSynced()
	}
	if err != nil {
		s.t.Error(err)
	}
	s.note("    %s %s", p, name)
	s.passed[p]++
	if s.passed[p] > 1 && s.moments.IntN(4) > 0 {
		return
	}
	b := blackout{at: p, step: len(s.done), replica: s.replica.frozen(), made: maps.Clone(s.made)}
	for _, e := range b.replica.edits() {
		b.made[sceneEdit{e.Path.String(), string(e.Content)}]--
	}
	if b.disk, err = s.disk.State(); err != nil {
		s.t.Error(err)
	}
	s.blackouts = append(s.blackouts, b)
}

// check starts the mirror on what a blackout may have left.
func (s *scene) check(b blackout) {
	s.t.Helper()
	left := len(b.replica.unsynced)
	s.recovers(b, "killed", b.disk.Newest(), b.replica.afterCrash(s.rng.IntN(left+1), false))
	s.recovers(b, "all of the directory survived", b.disk.Newest(), b.replica.afterCrash(s.rng.IntN(left+1), true))
	s.recovers(b, "nothing survived that was not synced", b.disk.Oldest(), b.replica.afterCrash(0, true))
	s.recovers(b, "the records survived", b.disk.Oldest(), b.replica.afterCrash(left, true))
	s.recovers(b, "some survived", b.disk.Some(s.rng, false), b.replica.afterCrash(s.rng.IntN(left+1), true))
	s.recovers(b, "some survived, torn", b.disk.Some(s.rng, true), b.replica.afterCrash(s.rng.IntN(left+1), true))
}

func (s *scene) recovers(b blackout, how string, remains powerloss.Remains, r *memReplica) {
	s.t.Helper()
	where := fmt.Sprintf("power loss at %s, after line %d, %s", b.at, b.step, how)
	dir := filepath.Join(s.t.TempDir(), "services")
	if err := errors.Join(os.Mkdir(dir, 0o755), remains.Write(dir)); err != nil {
		s.t.Fatal(err)
	}
	published := make(map[string]bool)
	for _, e := range b.replica.edits() {
		published[string(e.Content)] = true
	}
	// A file that its writer did not sync may be torn; if it was not published, nobody
	// can know what it was meant to be.
	hopeless := make(map[string]bool)
	for name, f := range remains.Files {
		if strings.HasPrefix(filepath.Base(name), ".") || s.known[f.Content] {
			continue
		}
		if _, byPeople := s.made[sceneEdit{name, f.Latest}]; !byPeople {
			s.t.Errorf("%s: the exported %s is torn: %.40q", where, name, f.Content)
		}
		hopeless[name] = !published[f.Latest]
	}
	if s.rng.IntN(2) == 0 { // other nodes go on
		r.remote(map[string][]byte{sceneNames[s.rng.IntN(len(sceneNames))]: []byte(s.text())})
	}
	n := run(s.t, dir, r, s.options)
	n.pass()
	for _, p := range r.Paths() {
		if got, want := read(s.t, dir, p.String()), r.content(p.String()); got != want && !hopeless[p.String()] {
			s.t.Errorf("%s: file %s = %q, view %q", where, p, got, want)
		}
	}
	made := maps.Clone(b.made)
	for _, e := range r.edits() {
		edit := sceneEdit{e.Path.String(), string(e.Content)}
		if made[edit]--; made[edit] < 0 {
			s.t.Errorf("%s: the mirror made an edit of %s that nobody made: deleted %t %.60q", where, e.Path, e.Deleted, e.Content)
		}
	}
	for _, h := range n.Status().Held {
		if !hopeless[h.Path] {
			s.t.Errorf("%s: %s is held: %s", where, h.Path, h.Reason)
		}
	}
	if got := leftovers(s.t, dir); len(got) > 0 {
		s.t.Errorf("%s: temporary files are left: %v", where, got)
	}
	n.stop()
}

package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/starling-sync/starling/crdt/crdttest"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// workload is people and programs that edit at the two nodes of a cluster: the first,
// and one other that is stopped between the kills. It knows who has edited what.
type workload struct {
	t     *testing.T
	c     *testcluster.Cluster
	rng   *rand.Rand
	other int
	done  []string // what was done, for people
	texts int

	// made counts the edits that were made at each node: no node may have made more.
	made map[madeEdit]int
	// moved counts the renames to a path at each node, whatever the file held.
	moved map[madeEdit]int
	// contents are what was written by people.
	contents map[definition.Hash]bool
	// acknowledged are contents whose change a node has called durable, or that were
	// seen on a peer, and where.
	acknowledged map[definition.Hash]string
	changes      int // that were checked
}

// madeEdit is an edit of a path at a node; the zero hash is a deletion.
type madeEdit struct {
	node, path string
	hash       definition.Hash
}

// workNames are the files of a workload.
var workNames = []string{
	"App-1.json", "App-2.json", "App-3.json", "App-4.json", "App-5.json", "App-6.yml",
	"sub/App-7.json", "sub/App-8.json", "sub/App-9.yml", "sub/deep/App-10.json",
}

func newWorkload(t *testing.T, rng *rand.Rand) *workload {
	t.Helper()
	w := &workload{
		t: t, rng: rng,
		made: make(map[madeEdit]int), moved: make(map[madeEdit]int),
		contents: make(map[definition.Hash]bool), acknowledged: make(map[definition.Hash]string),
	}
	files := make(map[string]string)
	for i := range 20 {
		name := fmt.Sprintf("bulk/%d/Bulk-%d.json", i%3, 100+i)
		files[name] = w.text(0, name)
	}
	w.c = testcluster.New(t, 2, testcluster.Options{Files: files})
	w.other = 1
	w.c.Settle()
	w.c.Stop(w.other)
	return w
}

func (w *workload) note(format string, args ...any) {
	w.done = append(w.done, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// text returns a content that nobody else writes, which is about to be written at a node.
func (w *workload) text(i int, name string) string {
	w.texts++
	text := fmt.Sprintf("%d %s", w.texts, strings.Repeat("x", w.rng.IntN(1500)))
	if filepath.Ext(name) == ".yml" {
		text = fmt.Sprintf("--- !<org.apereo.cas.services.CasRegisteredService>\nid: 7\nname: %q\n", text)
	} else {
		text = service(w.rng.IntN(1000), text)
	}
	hash := definition.HashOf([]byte(text))
	w.contents[hash] = true
	w.made[w.edit(i, name, hash)]++
	return text
}

func (w *workload) edit(i int, name string, hash definition.Hash) madeEdit {
	return madeEdit{fmt.Sprintf("node-%d", i), name, hash}
}

func (w *workload) name() string { return workNames[w.rng.IntN(len(workNames))] }

// may lets pass what a file system may say, because a node has just removed the file.
func (w *workload) may(err error) {
	w.t.Helper()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		w.t.Fatal(err)
	}
}

// victimOf returns the node that is to be killed, stopped: a new one if it is to join.
func (w *workload) victimOf(p phase) int {
	w.t.Helper()
	switch p {
	case joining, leaving:
		files := make(map[string]string)
		next := w.c.Len()
		for range 4 {
			name := w.name()
			files[name] = w.text(next, name)
		}
		return w.c.Prepare(files)
	case inviting:
		w.c.Start(w.other)
		w.c.Stop(0)
		return 0
	}
	return w.other
}

// work edits at the victim, whose process has begun, and at the other node, until the
// victim dies or the time is over.
func (w *workload) work(victim int, most time.Duration) {
	w.t.Helper()
	end := time.NewTimer(most)
	defer end.Stop()
	n := w.c.Node(victim)
	for {
		pause := time.NewTimer(time.Duration(w.rng.IntN(12)) * time.Millisecond)
		select {
		case <-n.Dead():
			return
		case <-end.C:
			return
		case <-pause.C:
		}
		open := false
		select {
		case <-n.Opened():
			open = true
		default:
		}
		peer := 0
		if victim == 0 {
			peer = w.other
		}
		if w.rng.IntN(2) == 0 {
			w.step(victim, open)
		} else {
			w.step(peer, true)
		}
	}
}

// saveOne saves one file on a node that has nothing else to flush to its disk, and waits
// until it is imported or the node is dead.
func (w *workload) saveOne(i int) {
	w.t.Helper()
	n := w.c.Node(i)
	select {
	case <-n.Dead():
		return
	case <-time.After(1500 * time.Millisecond): // what came before is flushed after a second
	}
	name := w.name()
	w.note("node %d: write %s", i, name)
	text := w.text(i, name)
	w.may(n.Dir.Write(name, text))
	w.c.Eventually(func() error {
		select {
		case <-n.Dead():
			return nil
		default:
		}
		entries, err := n.List()
		if err != nil {
			w.note("node %d: %v", i, err) // it dies
			return nil
		}
		for _, e := range entries {
			if e.Hash == definition.HashOf([]byte(text)) {
				return nil
			}
		}
		return fmt.Errorf("%s is not imported on node %d", name, i)
	})
}

// goOn edits while the victim is down.
func (w *workload) goOn(victim int) {
	peer := 0
	if victim == 0 {
		peer = w.other
	}
	for range w.rng.IntN(3) {
		w.step(victim, false)
	}
	for range w.rng.IntN(3) {
		w.step(peer, true)
	}
}

// step does one edit at a node; by its own interface only if it is open.
func (w *workload) step(i int, open bool) {
	w.t.Helper()
	dir, name := w.c.Node(i).Dir, w.name()
	kinds := 8
	if open {
		kinds = 13
	}
	switch n := w.rng.IntN(kinds); {
	case n < 3:
		w.note("node %d: write %s", i, name)
		w.may(dir.Write(name, w.text(i, name)))
	case n < 5:
		if filepath.Ext(name) == ".yml" {
			return // the half of it parses, and this machine may make a long pause there
		}
		w.note("node %d: write %s in place", i, name)
		w.may(dir.WriteInPlace(name, w.text(i, name)))
	case n == 5:
		w.note("node %d: remove %s", i, name)
		w.made[w.edit(i, name, definition.Hash{})]++
		w.may(dir.Remove(name))
	case n < 8:
		to := w.name()
		if filepath.Ext(to) != filepath.Ext(name) || to == name {
			return
		}
		w.note("node %d: rename %s to %s", i, name, to)
		w.made[w.edit(i, name, definition.Hash{})]++
		w.moved[w.edit(i, to, definition.Hash{})]++
		w.may(dir.Rename(name, to))
	case n < 11:
		w.put(i, name)
	case n == 11 && w.rng.IntN(2) == 0:
		var many []string
		for j := range 12 {
			many = append(many, fmt.Sprintf("bulk/%d/Bulk-%d.json", j%3, 100+j))
		}
		w.put(i, many...)
	default:
		w.note("node %d: rm %s", i, name)
		w.made[w.edit(i, name, definition.Hash{})]++
		// It may be absent, and the node may die; neither is of interest here.
		_, _ = w.c.Node(i).Edit(definition.Draft{Edits: []definition.Edit{{Path: path(w.t, name), Deleted: true}}})
	}
}

// put writes files by a node's own interface, whose return acknowledges them.
func (w *workload) put(i int, names ...string) {
	w.t.Helper()
	w.note("node %d: put %v", i, names)
	var d definition.Draft
	for _, name := range names {
		d.Edits = append(d.Edits, definition.Edit{Path: path(w.t, name), Content: []byte(w.text(i, name))})
	}
	n := w.c.Node(i)
	if _, err := n.Edit(d); err != nil {
		w.note("node %d: %v", i, err) // it dies, or is no member yet
		return
	}
	for _, e := range d.Edits {
		w.acknowledged[definition.HashOf(e.Content)] = fmt.Sprintf("put %s on %s", e.Path, n.Name)
	}
}

// invite lets the authority, which dies meanwhile, invite somebody who joins.
func (w *workload) invite(authority int) trust.Token {
	w.t.Helper()
	n := w.c.Node(authority)
	w.awaitOpen(authority)
	token, err := n.Invite(node.InviteOptions{Role: trust.RoleWriter})
	if err != nil {
		w.note("invite: %v", err)
		return trust.Token{}
	}
	w.note("join while the inviter dies: %v", w.join(token, "guest"))
	return token
}

// join joins with the key of a guest and does not run it.
func (w *workload) join(token trust.Token, guest string) error {
	w.t.Helper()
	root := filepath.Join(w.t.TempDir(), guest)
	dir, data := filepath.Join(root, "dir"), filepath.Join(root, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	_, err := node.Join(w.t.Context(), node.JoinOptions{
		Data: data, Dir: dir, Name: fmt.Sprintf("%s-%d", guest, w.texts), Listen: "/ip4/127.0.0.1/tcp/0", Token: token,
	})
	return err
}

// awaitOpen waits until a node is open, or dead.
func (w *workload) awaitOpen(i int) {
	w.t.Helper()
	n := w.c.Node(i)
	select {
	case <-n.Opened():
	case <-n.Dead():
	case <-time.After(time.Minute):
		w.t.Fatalf("node %d does not open", i)
	}
}

// awaitDeath waits until a node has ended.
func (w *workload) awaitDeath(i int) {
	w.t.Helper()
	select {
	case <-w.c.Node(i).Dead():
	case <-time.After(time.Minute):
		w.t.Fatalf("node %d does not end", i)
	}
}

// checkCrashed looks at the store that a kill has left.
func (w *workload) checkCrashed(i int) {
	w.t.Helper()
	s, err := crdttest.Read(w.c.Node(i).Data, nil)
	if err == nil {
		err = s.CheckCrashed()
	}
	if err != nil {
		w.t.Errorf("after the kill of node %d: %v", i, err)
	}
}

// recover starts the victim again and checks that nothing is lost, torn or back.
func (w *workload) recover(victim int) {
	w.t.Helper()
	n := w.c.Node(victim)
	onDisk, err := n.Dir.Files()
	if err != nil {
		w.t.Fatal(err)
	}
	w.note("node %d: start", victim)
	w.c.Start(victim)
	w.c.Eventually(func() error {
		for _, n := range w.c.Running() {
			// What was held may be gone by now.
			if err := n.ApproveAll(); err != nil && !strings.Contains(err.Error(), "nothing is held under this id") {
				return err
			}
		}
		return w.c.Settled()
	})
	w.note("all are at rest")
	if err := n.Check(); err != nil { // the others hold the same
		w.t.Errorf("check %s: %v", n.Name, err)
	}
	seen := w.checkLog(n)
	for hash, where := range w.acknowledged {
		if !seen[hash] {
			w.t.Errorf("acknowledged and lost: %s", where)
		}
	}
	for name, content := range onDisk {
		if hash := definition.HashOf([]byte(content)); w.contents[hash] && !seen[hash] {
			w.t.Errorf("%s was on the disk of node %d after the kill and is in no history: %.40q", name, victim, content)
		}
	}
	w.checkData(n)
}

// checkLog returns the contents in a node's history. No node may have made an edit that
// nobody has made there: its own exports, something old, something deleted.
func (w *workload) checkLog(n *testcluster.Node) map[definition.Hash]bool {
	w.t.Helper()
	log, err := n.Log(node.LogQuery{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.changes = len(log)
	seen := make(map[definition.Hash]bool)
	count := make(map[madeEdit]int)
	moved := make(map[madeEdit]int)
	for _, c := range log {
		for _, e := range c.Edits {
			seen[e.Hash] = true
			made := madeEdit{c.Author, e.Path.String(), e.Hash}
			if count[made]++; count[made] <= w.made[made] {
				continue
			}
			made.hash = definition.Hash{}
			if moved[made]++; e.Kind == node.EditDelete || moved[made] > w.moved[made] {
				w.t.Errorf("change %s of %s: %s of %s (%s), which nobody did there", c.ID.Short(), c.Author, e.Kind, e.Path, e.Hash)
			}
		}
	}
	return seen
}

// checkData wants no temporary file in a node's data directory.
func (w *workload) checkData(n *testcluster.Node) {
	w.t.Helper()
	temps, err := testcluster.Dir(n.Data).Temps()
	if err != nil {
		w.t.Fatal(err)
	}
	if len(temps) > 0 {
		w.t.Errorf("temporary files are left in the data of %s: %v", n.Name, temps)
	}
}

// joinAgain joins with a token whose use may have been interrupted. It must be good for
// one key, or none is left.
func (w *workload) joinAgain(token trust.Token) {
	w.t.Helper()
	if len(token.Addrs) == 0 {
		return // the authority died before the token was written
	}
	first := w.join(token, "second")
	if first != nil && !errors.Is(first, trust.ErrTokenUsed) {
		w.t.Errorf("join with a token whose use was interrupted: %v", first)
	}
	if err := w.join(token, "third"); !errors.Is(err, trust.ErrTokenUsed) {
		w.t.Errorf("join with a used token: %v, want it refused", err)
	}
}

// endRound stops the victim, whose store must be left in order, and makes it the other
// node if it is new.
func (w *workload) endRound(victim int) {
	w.t.Helper()
	w.c.Stop(victim)
	s, err := crdttest.Read(w.c.Node(victim).Data, nil)
	if err == nil {
		err = s.CheckClosed()
	}
	if err != nil {
		w.t.Errorf("after the end of node %d: %v", victim, err)
	}
	if victim == 0 {
		w.c.Start(0)
		w.c.Stop(w.other)
		return
	}
	w.other = victim
}

// readAcknowledged reads everything that was acknowledged from the history.
func (w *workload) readAcknowledged() {
	w.t.Helper()
	n := w.c.Node(0)
	log, err := n.Log(node.LogQuery{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range log {
		for _, e := range c.Edits {
			if _, ok := w.acknowledged[e.Hash]; !ok {
				continue
			}
			content, err := n.ReadVersion(definition.Version{Change: c.ID, Path: e.Path})
			if err != nil || definition.HashOf(content) != e.Hash {
				w.t.Errorf("read %s in change %s: %d bytes, %v", e.Path, c.ID.Short(), len(content), err)
			}
		}
	}
}

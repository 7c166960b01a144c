package testcluster_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/node"
)

var (
	seedFlag     = flag.Uint64("seed", 0, "what TestRandomCluster does; 0 takes one by chance")
	durationFlag = flag.Duration("duration", 0, "how long TestRandomCluster does it; default $STARLING_LONG, or 10s")
)

// randomSettle is how long the cluster may take at the end: nodes that were cut off
// again and again back off from each other for up to a minute.
const randomSettle = 3 * time.Minute

func TestRandomCluster(t *testing.T) {
	seed, duration := *seedFlag, *durationFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	if duration == 0 {
		duration = 10 * time.Second
		if text := os.Getenv("STARLING_LONG"); text != "" {
			var err error
			if duration, err = time.ParseDuration(text); err != nil {
				t.Fatalf("read STARLING_LONG: %v", err)
			}
		}
	}
	w := &walk{t: t, rng: rand.New(rand.NewPCG(seed, 0)), acknowledged: make(map[definition.Hash]string)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what was done:\n%s", strings.Join(w.done, "\n"))
			t.Logf("do it again (processes and disks are not bound to the seed, so try more than once):\n"+
				"go test ./internal/testcluster -race -count=1 -timeout=0 -run '^TestRandomCluster$' -seed=%d -duration=%v", seed, duration)
		}
	})
	w.c = testcluster.New(t, 4, testcluster.Options{Cuttable: true, Settle: randomSettle, Log: slog.LevelDebug})
	w.c.Settle()
	for end := time.Now().Add(duration); time.Now().Before(end); {
		w.step()
		w.observe()
		pause := time.NewTimer(time.Duration(w.rng.IntN(20)) * time.Millisecond)
		<-pause.C
	}
	w.finish()
}

// walk is a random walk of a cluster.
type walk struct {
	t    *testing.T
	c    *testcluster.Cluster
	rng  *rand.Rand
	done []string // what was done, for people

	texts, restarts, kills, cuts int
	// acknowledged are the contents that were seen in the history of a running
	// node, and where: no crash may lose them from then on.
	acknowledged map[definition.Hash]string
}

// names are the files of a walk. Among them are case twins and a YAML file.
var names = []string{
	"App-1.json", "App-2.json", "App-3.json", "App-4.json", "App-5.json",
	"Twin-6.json", "twin-6.json", "App-7.yml",
	"sub/App-8.json", "sub/App-9.json", "sub/deep/App-10.json", "Sub/App-8.json",
}

func (w *walk) note(format string, args ...any) {
	w.done = append(w.done, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (w *walk) name() string { return names[w.rng.IntN(len(names))] }

// text returns a content that no other file of the walk has.
func (w *walk) text(name string) string {
	w.texts++
	size := w.rng.IntN(1500)
	if w.rng.IntN(40) == 0 {
		size = 100 << 10
	}
	text := fmt.Sprintf("%d %s", w.texts, strings.Repeat("x", size))
	if filepath.Ext(name) == ".yml" {
		return fmt.Sprintf("--- !<org.apereo.cas.services.CasRegisteredService>\nid: 7\nname: %q\n", text)
	}
	return service(1+w.rng.IntN(20), text)
}

// running returns the number of a node that runs.
func (w *walk) running() int {
	for {
		if i := w.rng.IntN(w.c.Len()); w.c.Node(i).Running() {
			return i
		}
	}
}

// step does one thing.
func (w *walk) step() {
	i, name := w.running(), w.name()
	dir := w.c.Node(i).Dir
	switch n := w.rng.IntN(100); {
	case n < 18:
		w.note("node %d: change a field of %s", i, name)
		w.may(w.changeField(dir, name))
	case n < 36:
		w.note("node %d: write %s", i, name)
		w.may(dir.Write(name, w.text(name)))
	case n < 48:
		w.note("node %d: write %s in place", i, name)
		w.may(dir.WriteInPlace(name, w.text(name)))
	case n < 56:
		w.note("node %d: remove %s", i, name)
		w.may(dir.Remove(name))
	case n < 62:
		to := w.name()
		if filepath.Ext(to) != filepath.Ext(name) {
			return // one syntax in a file of the other is held until somebody mends it
		}
		w.note("node %d: rename %s to %s", i, name, to)
		w.may(dir.Rename(name, to))
	case n < 68:
		w.note("all nodes: write the same %s", name)
		text := w.text(name)
		for j := range w.c.Len() {
			w.may(w.c.Node(j).Dir.Write(name, text))
		}
	case n < 82:
		w.edit(i, name)
	case n < 86:
		w.leave(i, "stop", w.c.Stop, &w.restarts)
	case n < 90:
		w.leave(i, "kill", w.c.Kill, &w.kills)
	case n < 94:
		w.comeBack()
	case n < 97:
		w.part()
	default:
		w.note("heal")
		w.c.Heal()
	}
}

// changeField writes a file anew with another value in one of its fields, so that
// edits apart have something to merge.
func (w *walk) changeField(dir testcluster.Dir, name string) error {
	text, err := dir.Read(name)
	if err != nil {
		return err
	}
	w.texts++
	field := []string{"serviceId", "name", "id"}[w.rng.IntN(3)]
	return dir.Write(name, regexp.MustCompile(`(?m)^(  "`+field+`":) .*?(,?)$`).ReplaceAllString(text, fmt.Sprintf("$1 %d$2", w.texts)))
}

// may lets pass what a file system may say, because a node or this walk has just
// removed the file.
func (w *walk) may(err error) {
	w.t.Helper()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		w.t.Fatal(err)
	}
}

// edit makes an edit by the node's own interface, whose return acknowledges it.
func (w *walk) edit(i int, name string) {
	content := []byte(w.text(name))
	w.note("node %d: put %s", i, name)
	_, err := w.c.Node(i).Edit(definition.Draft{Edits: []definition.Edit{{Path: path(w.t, name), Content: content}}, Note: "random"})
	switch {
	case err == nil:
		w.acknowledged[definition.HashOf(content)] = fmt.Sprintf("put %s on node %d", name, i)
	case !strings.Contains(err.Error(), "not fetched yet"): // it was killed and hears of itself from others first
		w.t.Fatal(err)
	}
}

// leave ends a node, if enough others run.
func (w *walk) leave(i int, how string, end func(int), count *int) {
	if len(w.c.Running()) <= 2 {
		return
	}
	w.note("node %d: %s", i, how)
	end(i)
	*count++
}

// comeBack starts a node that does not run.
func (w *walk) comeBack() {
	for i := range w.c.Len() {
		if !w.c.Node(i).Running() {
			w.note("node %d: start", i)
			w.c.Start(i)
			return
		}
	}
}

// part cuts the cluster in two.
func (w *walk) part() {
	var some []int
	for i := range w.c.Len() {
		if w.rng.IntN(2) == 0 {
			some = append(some, i)
		}
	}
	w.note("cut %v from the others", some)
	w.c.Partition(some)
	w.cuts++
}

// observe notes what a running node shows as imported, and approves what its
// deletion guard holds.
func (w *walk) observe() {
	w.t.Helper()
	n := w.c.Node(w.running())
	log, err := n.Log(node.LogQuery{Limit: 10})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range log {
		for _, e := range c.Edits {
			if e.Kind != node.EditDelete {
				w.acknowledged[e.Hash] = fmt.Sprintf("%s in change %s, seen on %s", e.Path, c.ID.Short(), n.Name)
			}
		}
	}
	w.approve(n)
}

// approve approves what a node holds; that may be gone by then.
func (w *walk) approve(n *testcluster.Node) {
	if err := n.ApproveAll(); err != nil && !strings.Contains(err.Error(), "nothing is held under this id") {
		w.t.Fatal(err)
	}
}

// finish lets the cluster come to rest and looks for everything acknowledged.
func (w *walk) finish() {
	w.note("the end: heal and start all")
	w.c.Heal()
	for i := range w.c.Len() {
		if !w.c.Node(i).Running() {
			w.c.Start(i)
		}
	}
	began := time.Now()
	w.c.Eventually(func() error {
		for _, n := range w.c.Running() {
			w.approve(n)
		}
		return w.c.Settled()
	})
	settled := time.Since(began)
	lost := 0
	for i := range w.c.Len() {
		lost += w.lost(w.c.Node(i))
	}
	w.t.Logf("%d contents written, %d acknowledged, %d lost; %d restarts, %d kills, %d cuts; equal %v after the end",
		w.texts, len(w.acknowledged), lost, w.restarts, w.kills, w.cuts, settled.Round(time.Millisecond))
}

// lost counts the acknowledged contents that cannot be read from a node's history.
func (w *walk) lost(n *testcluster.Node) int {
	w.t.Helper()
	log, err := n.Log(node.LogQuery{})
	if err != nil {
		w.t.Fatal(err)
	}
	readable := make(map[definition.Hash]bool)
	for _, c := range log {
		for _, e := range c.Edits {
			if e.Kind == node.EditDelete || readable[e.Hash] {
				continue
			}
			content, err := n.ReadVersion(definition.Version{Change: c.ID, Path: e.Path})
			if err != nil {
				w.t.Errorf("read %s in change %s on %s: %v", e.Path, c.ID.Short(), n.Name, err)
			}
			readable[definition.HashOf(content)] = true
		}
	}
	var missing []string
	for hash, where := range w.acknowledged {
		if !readable[hash] {
			missing = append(missing, where)
		}
	}
	slices.Sort(missing)
	for _, where := range missing {
		w.t.Errorf("acknowledged and lost on %s: %s", n.Name, where)
	}
	return len(missing)
}

package testcluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/starling-sync/starling/internal/testcluster"
)

// definitionOf returns a definition of about 1 KiB, which is what real ones have.
func definitionOf(id int, text string) string {
	return service(id, text+" "+strings.Repeat("-", 840))
}

// definitions returns n of them by name.
func definitions(n int) map[string]string {
	files := make(map[string]string, n)
	for id := range n {
		files[fmt.Sprintf("App-%d.json", id)] = definitionOf(id, "first")
	}
	return files
}

// BenchmarkSaveToFile measures from the rename that saves a file on one node until
// the same bytes are in the file on all others.
func BenchmarkSaveToFile(b *testing.B) {
	for _, bench := range []struct{ others, files int }{{1, 100}, {4, 100}, {1, 10_000}} {
		b.Run(fmt.Sprintf("others=%d/files=%d", bench.others, bench.files), func(b *testing.B) {
			c := testcluster.New(b, 1+bench.others, testcluster.Options{Files: definitions(bench.files)})
			reached(b, c)
			c.Settle()
			arrivals := watch(b, c)
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				content := definitionOf(1, fmt.Sprint("save ", i))
				start := time.Now()
				c.Write(0, "App-1.json", content)
				for arrivals.missing(content) > 0 {
					arrivals.await()
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			report(b, took, 50)
			report(b, took, 99)
		})
	}
}

// reached waits until every node reaches every other.
func reached(b *testing.B, c *testcluster.Cluster) {
	b.Helper()
	c.Eventually(func() error {
		for _, n := range c.Running() {
			s, err := n.Status()
			if err != nil {
				return err
			}
			if s.Reachable != c.Len() {
				return fmt.Errorf("%s reaches %d of %d", n.Name, s.Reachable, c.Len())
			}
		}
		return nil
	})
}

// report reports a percentile of sorted durations.
func report(b *testing.B, sorted []time.Duration, percent int) {
	b.Helper()
	at := sorted[min(len(sorted)*percent/100, len(sorted)-1)]
	b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
}

// arrival waits for a file in the directories of all nodes but the first. It is told
// of renames, so that waiting takes no time from the nodes.
type arrival struct {
	b       *testing.B
	c       *testcluster.Cluster
	watcher *fsnotify.Watcher
	limit   *time.Timer
}

func watch(b *testing.B, c *testcluster.Cluster) *arrival {
	b.Helper()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { watcher.Close() })
	for i := 1; i < c.Len(); i++ {
		if err := watcher.Add(string(c.Node(i).Dir)); err != nil {
			b.Fatal(err)
		}
	}
	return &arrival{b: b, c: c, watcher: watcher, limit: time.NewTimer(time.Minute)}
}

// missing returns how many nodes lack the content.
func (a *arrival) missing(content string) int {
	a.b.Helper()
	n := 0
	for i := 1; i < a.c.Len(); i++ {
		got, err := a.c.Node(i).Dir.Read("App-1.json")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.b.Fatal(err)
		}
		if got != content {
			n++
		}
	}
	return n
}

// await waits until the file is replaced somewhere.
func (a *arrival) await() {
	a.b.Helper()
	a.limit.Reset(time.Minute)
	for {
		select {
		case e := <-a.watcher.Events:
			if e.Has(fsnotify.Create) && strings.HasSuffix(e.Name, "/App-1.json") {
				return
			}
		case err := <-a.watcher.Errors:
			a.b.Fatal(err)
		case <-a.limit.C:
			a.b.Fatal("the file has not arrived after a minute")
		}
	}
}

// BenchmarkFirstSync measures from the join of an empty node until the cluster's
// 10,000 definitions are in its directory.
func BenchmarkFirstSync(b *testing.B) {
	const files = 10_000
	c := testcluster.New(b, 1, testcluster.Options{Files: definitions(files)})
	c.Settle()
	joined := 0
	for b.Loop() {
		if joined > 0 {
			b.StopTimer()
			c.Stop(joined) // so that each joins one node
			b.StartTimer()
		}
		joined = c.Join(testcluster.JoinOptions{})
		if err := c.Node(joined).AwaitReady(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if got, err := c.Node(joined).Dir.Files(); err != nil || len(got) != files {
		b.Fatalf("node %d has %d files (%v), want %d", joined, len(got), err, files)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/sync")
}

// BenchmarkEditsAtOnce measures from the first of 1,000 renames on one node until
// all bytes are in the files on the other.
func BenchmarkEditsAtOnce(b *testing.B) {
	const edits = 1000
	c := testcluster.New(b, 2, testcluster.Options{Files: definitions(edits)})
	reached(b, c)
	c.Settle()
	for run := 0; b.Loop(); run++ {
		b.StopTimer()
		contents := make(map[string]string, edits)
		var commits []func() error
		for id := range edits {
			name := fmt.Sprintf("App-%d.json", id)
			contents[name] = definitionOf(id, fmt.Sprint("run ", run))
			commit, err := c.Node(0).Dir.Prepare(name, contents[name])
			if err != nil {
				b.Fatal(err)
			}
			commits = append(commits, commit)
		}
		b.StartTimer()
		for _, commit := range commits {
			if err := commit(); err != nil {
				b.Fatal(err)
			}
		}
		for name, want := range contents {
			c.Eventually(func() error {
				got, err := c.Node(1).Dir.Read(name)
				if err == nil && got != want {
					err = fmt.Errorf("%s has not arrived", name)
				}
				return err
			})
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/1000")
}

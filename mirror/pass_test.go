package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/mirror"
)

// TestOwnChangeWakesNobody: the replica marks what the mirror appends. The pass that has
// appended it finds out that nobody else has changed it, and there is no second one.
func TestOwnChangeWakesNobody(t *testing.T) {
	r, m := byHand(t, map[string]string{"a.json": service(1, "mine"), "b.json": service(2, "mine")})
	m.DoPass(t.Context(), true)
	if got := len(r.drafts()); got != 1 {
		t.Fatalf("got %d changes, want 1", got)
	}
	if after, quiet := m.NextPass(); after == 0 || !quiet {
		t.Errorf("the next pass is due after %v, quiet %t; want later, and quiet", after, quiet)
	}
	select {
	case <-r.Wake():
		t.Error("the replica wakes the mirror for its own change")
	default:
	}
	if got := r.TakeDirty(); len(got) > 0 {
		t.Errorf("%v are marked still", got)
	}
}

// TestForeignChangeBesideTheOwnIsNotLost: others change the path that is imported, and
// another one, right after the import.
func TestForeignChangeBesideTheOwnIsNotLost(t *testing.T) {
	for _, name := range []string{"a.json", "b.json"} {
		t.Run(name, func(t *testing.T) {
			r, m := byHand(t, map[string]string{"a.json": service(1, "mine")})
			want := service(1, "theirs")
			failpoint.Set(func(p failpoint.Point, _ string) {
				if p == failpoint.Imported {
					r.remote(map[string][]byte{name: []byte(want)})
				}
			})
			m.DoPass(t.Context(), true)
			failpoint.Set(nil)
			if after, _ := m.NextPass(); after != 0 {
				t.Errorf("the next pass is due after %v, want at once", after)
			}
			m.DoPass(t.Context(), false)
			if got := read(t, r.dir, name); got != want {
				t.Errorf("got %s in %s, want %s", got, name, want)
			}
		})
	}
}

// handReplica is a replica and the directory of the mirror that is driven by hand.
type handReplica struct {
	*memReplica
	dir string
}

// byHand opens a founder's mirror that the test drives by hand.
func byHand(t *testing.T, files map[string]string) (handReplica, *mirror.Mirror) {
	t.Helper()
	r := handReplica{newMemReplica(), newDir(t, files)}
	m, err := mirror.Open(t.Context(), mirror.Options{Dir: r.dir, Cluster: cluster, Founder: true, MinFree: 1}, r.memReplica)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Abandon(); err != nil {
			t.Error(err)
		}
	})
	return r, m
}

// TestOnePassForEachChange counts the passes of a running mirror: one for each file that
// is saved, and one for each that another node changes. The echo of the mirror's own
// rename or removal is no reason for another.
func TestOnePassForEachChange(t *testing.T) {
	dir, r := newDir(t, nil), newMemReplica()
	n := open(t, dir, r, founder)
	var c passCounter
	n.OnPass(c.count)
	n.start()

	tests := []struct {
		name string
		act  func(text string)
		done func(text string) error
	}{
		{"a file is saved", func(text string) { save(t, dir, "a.json", text) }, func(text string) error {
			return equalText(r.content("a.json"), text)
		}},
		{"another node's edit", func(text string) { r.remote(map[string][]byte{"a.json": []byte(text)}) }, func(text string) error {
			return equalText(read(t, dir, "a.json"), text)
		}},
		{"another node's deletion", func(string) { r.remote(map[string][]byte{"a.json": nil}) }, func(string) error {
			if _, err := os.Lstat(filepath.Join(dir, "a.json")); err == nil {
				return fmt.Errorf("a.json is there still")
			}
			return nil
		}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got int
			for try := range 3 { // a machine that is busy may bring a timer's pass in between
				text := service(1, fmt.Sprint(i, try))
				if _, err := os.Lstat(filepath.Join(dir, "a.json")); i > 0 && err != nil { // for a further try
					r.remote(map[string][]byte{"a.json": []byte(text + "\n")})
				}
				c.awaitCalm(t)
				before := c.passes()
				began := time.Now()
				tt.act(text)
				eventually(t, func() error { return tt.done(text) })
				eventually(t, func() error {
					if time.Since(began) < echoTime {
						return fmt.Errorf("too early")
					}
					return nil
				})
				if got = c.passes() - before; got == 1 {
					return
				}
			}
			t.Errorf("got %d passes, want 1", got)
		})
	}
}

// echoTime is how long an event may take.
const echoTime = 300 * time.Millisecond

func equalText(got, want string) error {
	if got != want {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

// passCounter counts passes.
type passCounter struct {
	mu   sync.Mutex
	n    int
	last time.Time
}

func (c *passCounter) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.last = time.Now()
}

func (c *passCounter) passes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// awaitCalm waits until the latest pass was one that has left nothing to flush (that comes
// after a second), and the next pass of an idle mirror (every two seconds) is not near.
func (c *passCounter) awaitCalm(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if since := time.Since(c.last); since < 1100*time.Millisecond || since > 1500*time.Millisecond {
			return fmt.Errorf("the latest pass was %v ago", since)
		}
		return nil
	})
}

package mirror_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	stormSeed = flag.Uint64("storm.seed", 0, "seed of the random edits; 0 takes a new one")
	stormTime = flag.Duration("storm.time", time.Second, "how long the random edits go on")
)

// TestStorm edits the same few files on disk and in the replica at random, restarts the
// mirror, and checks that it comes to rest with directory and view equal, whatever
// happened, and that it then stays so.
func TestStorm(t *testing.T) {
	seed := *stormSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with: go test ./mirror -run TestStorm -storm.seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	r := newMemReplica()
	dir := newDir(t, services(6))
	n := run(t, dir, r, founder, quickDeletes)
	file := func() string {
		return []string{"", "", "sub/"}[rng.IntN(3)] + fmt.Sprintf("service-%d.json", rng.IntN(6))
	}
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	ops, imported, exported := 0, uint64(0), uint64(0)
	count := func() {
		s := n.Status()
		imported, exported = imported+s.Imported+s.Deleted, exported+s.Exported
	}
	for end := time.Now().Add(*stormTime); time.Now().Before(end); ops++ {
		name, text, part := file(), service(ops, "storm"), half
		if rng.IntN(5) == 0 { // the half of a YAML file parses
			name, text, part = "sub/service.yaml", fmt.Sprintf("id: %d\nname: storm\n", ops), fmt.Sprintf("id: %d\n", ops)
		}
		if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		switch rng.IntN(9) {
		case 0, 1:
			save(t, dir, name, text)
		case 2:
			write(t, dir, name, text)
		case 3:
			write(t, dir, name, part) // somebody began to save, and saves in the end
			write(t, dir, name, text)
		case 4:
			_ = os.Remove(filepath.Join(dir, name))
		case 5:
			_ = os.Rename(filepath.Join(dir, name), filepath.Join(dir, file()))
		case 6, 7:
			r.remote(map[string][]byte{name: []byte(text)})
		case 8:
			r.remote(map[string][]byte{name: nil})
		}
		if rng.IntN(100) == 0 {
			count()
			n.stop()
			checkNoHalves(t, r)
			r = r.afterKill()
			n = run(t, dir, r, founder, quickDeletes)
		}
		if rng.IntN(4) == 0 {
			<-tick.C
		}
	}
	eventually(t, func() error {
		for _, set := range n.Approvals() {
			if _, err := n.Approve(t.Context(), set.ID); err != nil {
				return err
			}
		}
		if s := n.Status(); s.Busy || len(s.Held) > 0 {
			return fmt.Errorf("busy %v, held %v", s.Busy, s.Held)
		}
		return equalToView(t, n)
	})
	before := len(r.edits())
	n.pass()
	if err := equalToView(t, n); err != nil {
		t.Error(err)
	}
	if got := r.edits()[before:]; len(got) > 0 {
		t.Errorf("an equal directory made edits: %v", got)
	}
	if got := leftovers(t, dir); len(got) > 0 {
		t.Errorf("temporary files are left: %v", got)
	}
	checkNoHalves(t, r)
	count()
	t.Logf("%d operations, %d edits imported, %d files exported", ops, imported, exported)
}

// checkNoHalves checks that no half of a YAML file was imported.
func checkNoHalves(t *testing.T, r *memReplica) {
	t.Helper()
	for _, e := range r.edits() {
		if e.Path.Ext() == ".yaml" && !e.Deleted && !strings.Contains(string(e.Content), "storm") {
			t.Errorf("half of %s was imported: %q", e.Path, e.Content)
		}
	}
}

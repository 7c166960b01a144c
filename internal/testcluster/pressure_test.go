package testcluster_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
)

// TestWritersOutrunASlowNode: four nodes write four times as much as gets through to
// the fifth. What waits for it waits in the sets of the others, which are on disk:
// no node holds more in memory than it may, the lag is seen, nobody is held up, and
// in the end all are equal.
func TestWritersOutrunASlowNode(t *testing.T) {
	const (
		slow    = 4
		size    = 16 << 10               // of a definition, in bytes
		pause   = 100 * time.Millisecond // between two changes of a writer
		rate    = slow * size * 10 / 4   // of each of the slow node's links, in bytes a second
		most    = 64 << 20               // of the heap, beside what the set takes
		element = 4 << 10                // what the set takes for a change, at the most
	)
	writing, settle := 2*time.Second, time.Minute
	if os.Getenv("STARLING_LONG") != "" {
		writing, settle = time.Minute, 10*time.Minute
	}
	c := testcluster.New(t, slow+1, testcluster.Options{Cuttable: true, Settle: settle})
	c.Settle()
	c.Slow(slow, rate)

	end := time.Now().Add(writing)
	var seen atomic.Bool // the lag
	var wg sync.WaitGroup
	counts, errs := make([]int, slow), make([]error, slow)
	for i := range slow {
		wg.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for ; (time.Now().Before(end) || !seen.Load()) && time.Now().Before(end.Add(settle)) && errs[i] == nil; <-tick.C {
				name := fmt.Sprintf("of-%d/Service-%d.json", i, 1+i*100+counts[i]%100)
				content := fmt.Sprintf(`{"id": %d, "description": "%d %s"}`, 1+i*100+counts[i]%100, counts[i], strings.Repeat("x", size))
				_, errs[i] = c.Node(i).Edit(definition.Draft{Edits: []definition.Edit{{Path: path(t, name), Content: []byte(content)}}})
				counts[i]++
			}
		})
	}
	watched := make(chan struct{})
	go func() { wg.Wait(); close(watched) }()

	peak, elements := make([]uint64, slow+1), make([]int, slow+1)
	lag, behind := 0, 0
	look := func() error {
		for i := range c.Len() {
			heap, err := c.Node(i).Memory()
			if err != nil {
				return err
			}
			status, err := c.Node(i).Status()
			if err != nil {
				return err
			}
			peak[i], elements[i] = max(peak[i], heap), status.Elements
			if bound := uint64(most + element*status.Elements); heap > bound {
				return fmt.Errorf("node %d uses %d bytes at %d elements, want at most %d", i, heap, status.Elements, bound)
			}
			if i == slow {
				behind = max(behind, status.Behind)
			}
		}
		peers, err := c.Node(0).Peers()
		if err != nil {
			return err
		}
		for _, p := range peers {
			if p.ID == c.Node(slow).ID {
				lag = max(lag, p.Behind)
			}
		}
		seen.Store(lag > 0 && behind > 0)
		return nil
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for writes := true; writes; {
		if err := look(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-watched:
			writes = false
		case <-tick.C:
		}
	}
	total := 0
	for i, err := range errs {
		if err != nil {
			t.Fatalf("node %d could not write: %v", i, err)
		}
		total += counts[i]
	}
	if lag == 0 || behind == 0 {
		t.Errorf("of %d changes the slow node seemed to lack at most %d by peers, and %d by its own status; want a lag to be seen", total, lag, behind)
	}
	stopped := time.Now()
	c.Eventually(func() error { // Settled asks for all elements, which takes memory of its own
		if err := look(); err != nil {
			return err
		}
		if got := elements[slow]; got != elements[0] {
			return fmt.Errorf("the slow node has %d elements, want %d", got, elements[0])
		}
		return nil
	})
	c.Settle()
	t.Logf("%d changes of %d KiB; most heap in MiB by node %v; the slow one lacked up to %d changes, and converged %v after the last",
		total, size>>10, mib(peak), lag, time.Since(stopped).Round(100*time.Millisecond))
}

func mib(bytes []uint64) []uint64 {
	out := make([]uint64, len(bytes))
	for i, b := range bytes {
		out[i] = b >> 20
	}
	return out
}

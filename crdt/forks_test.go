package crdt_test

import (
	"fmt"
	"testing"

	"github.com/starling-sync/starling/trust"
)

// BenchmarkForks keeps what one granted writer makes of its key on purpose, and
// reports the memory that each block costs: n changes side by side; those, and an
// honest writer's changes on top of them all; those, and n more of its own, each on
// top of every second one and of all others, again and again.
func BenchmarkForks(b *testing.B) {
	for _, n := range []int{5_000, 20_000} {
		b.Run(fmt.Sprintf("siblings/%d", n), func(b *testing.B) { keepForks(b, newForks(b, n)) })
		b.Run(fmt.Sprintf("merged/%d", n), func(b *testing.B) {
			f := newForks(b, n)
			f.merge(f.honest, f.siblings)
			keepForks(b, f)
		})
		b.Run(fmt.Sprintf("rejoined/%d", n), func(b *testing.B) {
			f := newForks(b, n)
			f.rejoin(n)
			keepForks(b, f)
		})
	}
}

// TestForksCostNoMoreThanTheirBlocks: the clocks of a writer that forks its key grow
// as the number of its changes does, not as its square.
func TestForksCostNoMoreThanTheirBlocks(t *testing.T) {
	const most = 12 // pieces for each block: a root, eight below it, a few that are shared
	for _, n := range []int{250, 1000} {
		f := newForks(t, n)
		f.merge(f.honest, f.siblings)
		f.rejoin(n)
		r := tell(t, f.weaver.c, f.blocks)
		if got := r.ClockPieces() / len(f.blocks); got > most {
			t.Errorf("the clocks of %d forks have %d pieces for each block, want at most %d", n, got, most)
		}
	}
}

// forks is the story of a writer that forks its key.
type forks struct {
	story
	hostile, honest *writer
	siblings        []*woven
}

func newForks(t testing.TB, n int) *forks {
	t.Helper()
	f := &forks{story: story{weaver: &weaver{t: t, c: newCluster(t)}}}
	f.hostile, f.honest = f.writer(), f.writer()
	granted := f.add(f.grant(f.hostile.id, trust.RoleWriter, nil))
	granted = f.add(f.grant(f.honest.id, trust.RoleWriter, nil, granted))
	for i := range n {
		f.hostile.seq, f.hostile.last = 0, nil
		f.siblings = append(f.siblings, f.add(f.write(f.hostile, seconds(1), []*woven{granted}, edit(fmt.Sprintf("f-%d.json", i), "x"))))
	}
	return f
}

// merge makes changes of one writer that have all the others in their ancestry, and
// returns the last.
func (f *forks) merge(by *writer, others []*woven) *woven {
	by.seq, by.last = 0, nil
	for len(others) > 0 {
		n := min(len(others), trust.MaxAfter-1)
		after := others[:n:n]
		if by.last != nil {
			after = append(after, by.last)
		}
		f.add(f.write(by, seconds(2), after, edit(fmt.Sprintf("m-%d.json", len(others)), "x")))
		others = others[n:]
	}
	return by.last
}

// rejoin makes n changes that are each on top of the same two: of one that has every
// second sibling in its ancestry, and of one that has the others.
func (f *forks) rejoin(n int) {
	var halves [2][]*woven
	for i, s := range f.siblings {
		halves[i%2] = append(halves[i%2], s)
	}
	even, odd := f.merge(f.hostile, halves[0]), f.merge(f.hostile, halves[1])
	for i := range n {
		f.hostile.seq, f.hostile.last = 0, nil
		f.add(f.write(f.hostile, seconds(3), []*woven{even, odd}, edit(fmt.Sprintf("j-%d.json", i), "x")))
	}
}

func keepForks(b *testing.B, f *forks) {
	blocks := raws(f.blocks...)
	for b.Loop() {
		b.StopTimer()
		before := liveHeap()
		r := f.weaver.c.open(b, b.TempDir(), newKey(b))
		b.StartTimer()
		if got, err := r.Admit(b.Context(), blocks...); err != nil || got != len(blocks) {
			b.Fatal(got, err)
		}
		b.StopTimer()
		b.ReportMetric(float64(liveHeap()-before)/float64(len(blocks)), "live-B/block")
		closeReplica(b, r)
		b.StartTimer()
	}
}

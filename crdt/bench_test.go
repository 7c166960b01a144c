package crdt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
)

// many makes n changes of one edit each, by one writer, a KiB each.
func many(b *testing.B, n int) *story {
	b.Helper()
	s := newStory(b)
	last := s.start
	for i := range n {
		last = s.add(s.write(s.a, seconds(1), []*woven{last}, edit(fmt.Sprintf("s-%05d.json", i), fmt.Sprintf("%01000d", i))))
	}
	return s
}

// BenchmarkAdmit takes 10,000 elements of another node in, signatures checked.
func BenchmarkAdmit(b *testing.B) {
	const n = 10_000
	s := many(b, n)
	blocks := raws(s.blocks...)
	for b.Loop() {
		b.StopTimer()
		r := s.weaver.c.open(b, b.TempDir(), newKey(b))
		b.StartTimer()
		if _, err := r.Admit(b.Context(), blocks...); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		closeReplica(b, r)
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "elements/s")
}

// BenchmarkFetch brings 10,000 elements to an empty node over loopback.
func BenchmarkFetch(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		replicas, hosts := members(b, 2)
		for i := range n {
			put(b, replicas[0], fmt.Sprintf("s-%05d.json", i), fmt.Sprintf("%01000d", i))
		}
		b.StartTimer()
		connect(b, hosts[1], hosts[0])
		eventually(b, func() error {
			if got, want := replicas[1].Stats().Elements, replicas[0].Stats().Elements; got != want {
				return fmt.Errorf("%d elements came, want %d", got, want)
			}
			return nil
		})
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "elements/s")
}

// BenchmarkOpen starts a replica of 10,000 elements after a clean and after an
// unclean stop.
func BenchmarkOpen(b *testing.B) {
	s := many(b, 10_000)
	dir, key := b.TempDir(), newKey(b)
	r := s.weaver.c.open(b, dir, key)
	if _, err := r.Admit(b.Context(), raws(s.blocks...)...); err != nil {
		b.Fatal(err)
	}
	crashed := func() string { return copyDir(b, dir) }
	unclean := crashed()
	closeReplica(b, r)
	b.Run("clean", func(b *testing.B) {
		for b.Loop() {
			r := s.weaver.c.open(b, dir, key)
			b.StopTimer()
			closeReplica(b, r)
			b.StartTimer()
		}
	})
	b.Run("unclean", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			dir := copyDir(b, unclean)
			b.StartTimer()
			r := s.weaver.c.open(b, dir, key)
			b.StopTimer()
			closeReplica(b, r)
			b.StartTimer()
		}
	})
}

// BenchmarkDigest computes the digest of 10,000 files, of which one is a file in
// the way of a folder that holds the others.
func BenchmarkDigest(b *testing.B) {
	for _, collide := range []bool{false, true} {
		b.Run(fmt.Sprintf("collide=%t", collide), func(b *testing.B) {
			s := newStory(b)
			last := s.start
			for i := range 10 {
				var edits []*crdtpb.Edit
				for j := range 1000 {
					p := fmt.Sprintf("d/s-%d-%03d.json", i, j)
					edits = append(edits, edit(p, p))
				}
				last = s.add(s.write(s.a, seconds(2), []*woven{last}, edits...))
			}
			if collide {
				s.add(s.write(s.a, seconds(1), []*woven{last}, edit("d", "in the way")))
			}
			for b.Loop() {
				b.StopTimer()
				r := s.weaver.c.open(b, b.TempDir(), newKey(b))
				if _, err := r.Admit(b.Context(), raws(s.blocks...)...); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				r.Digest()
				b.StopTimer()
				closeReplica(b, r)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkBlame is blame of a file of 40 fields and 300 versions by three authors, who saw
// each other's edits now and then, in a set of 100,000 changes of other files: "settled" of
// one whose fields were all written lately, "deep" of one that must be followed to its
// first version.
func BenchmarkBlame(b *testing.B) {
	const others, versions, fields = 100_000, 300, 40
	s := many(b, others)
	text := func(changed []int) string {
		out := []string{"id: 1"}
		for i, n := range changed {
			out = append(out, fmt.Sprintf("f%d: \"the value of a field, as of change %d\"", i, n))
		}
		return def(out...)
	}
	authors := []*writer{s.a, s.b, s.c}
	after := s.blocks[len(s.blocks)-1:]
	for _, kind := range []struct {
		name string
		of   int // fields that are ever changed
	}{{"settled", fields}, {"deep", fields - 1}} {
		file := kind.name + ".json"
		state := make([]int, fields)
		first := s.add(s.write(s.a, seconds(2), after, edit(file, text(state))))
		heads := []*woven{first}
		after = append(heads, after...)
		for n := 1; n < versions; n += len(authors) {
			var round []*woven
			now := slices.Clone(state)
			for i, w := range authors {
				edited := slices.Clone(state)
				edited[(n+i)%kind.of] = n + i
				now[(n+i)%kind.of] = n + i
				round = append(round, s.add(s.write(w, seconds(uint64(n+i+2)), after, edit(file, text(edited), heads...))))
			}
			state, heads, after = now, round, round
		}
	}
	r := tell(b, s.weaver.c, s.blocks)
	for _, name := range []string{"settled", "deep"} {
		b.Run(name, func(b *testing.B) {
			at := definition.Version{Path: path(b, name+".json")}
			for b.Loop() {
				if _, err := r.Blame(b.Context(), at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

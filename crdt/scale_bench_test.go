package crdt_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// history makes n changes of one edit each, of a KiB, over so many paths: two of
// five authors at a time write five changes each side by side, and whoever is next
// goes on from both.
func history(t testing.TB, n, paths int) *story {
	t.Helper()
	s := &story{weaver: &weaver{t: t, c: newCluster(t)}}
	var authors []*writer
	var base []*woven
	for range 5 {
		w := s.writer()
		authors = append(authors, w)
		base = []*woven{s.add(s.grant(w.id, trust.RoleWriter, nil, base...))}
	}
	latest := make([]*woven, paths)
	at := seconds(1)
	for round := 0; n > 0; round++ {
		var heads []*woven
		for side := range 2 {
			by, after := authors[(round+side)%len(authors)], base
			for i := range min(n, 5) {
				path := (round*10 + 2*i + side) % paths // of a side: paths is even
				var parents []*woven
				if latest[path] != nil {
					parents = []*woven{latest[path]}
				}
				at += uint64(1) << 16
				b := s.add(s.write(by, at, after, edit(fmt.Sprintf("s-%05d.json", path), fmt.Sprintf(`{"id":%d,"note":"%0980d"}`, path, n), parents...)))
				latest[path], after = b, []*woven{b}
				n--
			}
			heads = append(heads, after...)
		}
		base = heads
	}
	return s
}

// liveHeap returns the bytes of the heap that are in use.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkScale asks a replica of 100,000 changes what people ask.
func BenchmarkScale(b *testing.B) {
	for _, paths := range []int{10_000, 1_000} {
		b.Run(fmt.Sprintf("paths=%d", paths), func(b *testing.B) { benchmarkScale(b, 100_000, paths) })
	}
}

func benchmarkScale(b *testing.B, changes, paths int) {
	dir, key := b.TempDir(), newKey(b)
	cluster, unclean := keep(b, dir, key, changes, paths)
	before := liveHeap()
	b.Run("open/clean", func(b *testing.B) {
		for b.Loop() {
			r := cluster.open(b, dir, key)
			b.StopTimer()
			b.ReportMetric(float64(liveHeap()-before)/(1<<20), "live-MiB")
			closeReplica(b, r)
			b.StartTimer()
		}
	})
	b.Run("open/unclean", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			dir := copyDir(b, unclean)
			b.StartTimer()
			r := cluster.open(b, dir, key)
			b.StopTimer()
			closeReplica(b, r)
			b.StartTimer()
		}
	})
	r := cluster.open(b, dir, key)
	defer closeReplica(b, r)
	page := func(p definition.Path, n int) {
		for e := range r.History(p, definition.ChangeID{}) {
			if n--; n < 0 {
				return
			}
			if _, err := r.Change(b.Context(), e.ID); err != nil {
				b.Fatal(err)
			}
		}
	}
	// The changes are a millisecond apart.
	middle := at(1).Add(time.Duration(changes/2) * time.Millisecond)
	asked := path(b, fmt.Sprintf("s-%05d.json", paths/2))
	var oldest definition.ChangeID
	for e := range r.History(asked, definition.ChangeID{}) {
		oldest = e.ID
	}
	for name, ask := range map[string]func(){
		"log/20":   func() { page(definition.Path{}, 20) },
		"log/1000": func() { page(definition.Path{}, 1000) },
		"log/path": func() { page(asked, changes) },
		"cat":      func() { content(b, r, asked.String()) },
		"cat/old": func() {
			if _, err := r.Edit(b.Context(), definition.Version{Change: oldest, Path: asked}); err != nil {
				b.Fatal(err)
			}
		},
		"log/nothing": func() { // of all changes, by a filter that none passes
			for e := range r.History(definition.Path{}, definition.ChangeID{}) {
				if e.Actor != "" {
					b.Fatal(e)
				}
			}
		},
		"ls/past": func() { r.At(middle).Views() },
		"cat/past": func() {
			if _, _, err := r.At(middle).Read(b.Context(), asked); err != nil {
				b.Fatal(err)
			}
		},
		"rollback": func() {
			if edits, err := r.At(middle).Rollback(b.Context(), everything); err != nil || len(edits) != paths {
				b.Fatal(len(edits), err)
			}
		},
		"resolve": func() {
			if id, err := r.Resolve(oldest.String()[:12]); err != nil || id != oldest {
				b.Fatal(id, err)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask()
			}
		})
	}
}

// keep fills a directory with a history, and returns a copy of it as a crash would
// leave it.
func keep(b *testing.B, dir string, key crypto.PrivKey, changes, paths int) (*testCluster, string) {
	s := history(b, changes, paths)
	r := s.weaver.c.open(b, dir, key)
	if n, err := r.Admit(b.Context(), raws(s.blocks...)...); err != nil || n != len(s.blocks) {
		b.Fatal(n, err)
	}
	unclean := copyDir(b, dir)
	closeReplica(b, r)
	return s.weaver.c, unclean
}

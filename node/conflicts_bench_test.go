package node_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// BenchmarkConflicts is the time to list the conflicts among 10,000 definitions after one
// of them was edited. It also reports the time to list them for the first time after a
// start, when each definition is read.
func BenchmarkConflicts(b *testing.B) {
	const definitions = 10_000
	data := filepath.Join(b.TempDir(), "data")
	if _, err := node.Init(b.Context(), node.InitOptions{Data: data, Dir: b.TempDir(), Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
		b.Fatal(err)
	}
	n, err := node.Open(b.Context(), node.Options{Data: data, Observe: true}) // so that no file is written
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			b.Error(err)
		}
	}()
	write := func(from, to, round int) {
		var d definition.Draft
		for i := from; i < to; i++ {
			p, err := definition.ParsePath(fmt.Sprintf("Service-%d.json", i))
			if err != nil {
				b.Fatal(err)
			}
			text := fmt.Sprintf(`{"@class": "org.apereo.cas.services.CasRegisteredService", "serviceId": "^https://app-%d[.]example[.]org/.*", "name": "app", "id": %d, "description": "%0400d"}`, i, i, round)
			d.Edits = append(d.Edits, definition.Edit{Path: p, Content: []byte(text)})
		}
		if _, err := n.Edit(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
	list := func() {
		if found, err := n.Conflicts(b.Context(), ""); err != nil || len(found) != 0 {
			b.Fatalf("got %v, %v, want no conflict", found, err)
		}
	}
	write(0, definitions, 0)
	begun := time.Now()
	list()
	first := time.Since(begun)
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		write(7, 8, round)
		b.StartTimer()
		list()
	}
	b.ReportMetric(float64(first.Milliseconds()), "ms/first")
}

package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
)

// BenchmarkSave is the time from a rename-in to the change in the replica.
func BenchmarkSave(b *testing.B) {
	n := run(b, newDir(b, services(1000)), newMemReplica(), founder)
	i := 0
	for b.Loop() {
		i++
		p := path(fmt.Sprintf("service-%d.json", i%1000))
		text := service(i%1000, fmt.Sprint("edit ", i))
		save(b, n.dir, p.String(), text)
		want := definition.HashOf([]byte(text))
		for n.replica.View(p).Hash != want {
			runtime.Gosched()
		}
	}
}

// BenchmarkExport is the time from a dirty path to the bytes in the file.
func BenchmarkExport(b *testing.B) {
	n := run(b, newDir(b, services(1000)), newMemReplica(), founder)
	i := 0
	for b.Loop() {
		i++
		name := fmt.Sprintf("service-%d.json", i%1000)
		text := service(i%1000, fmt.Sprint("edit ", i))
		n.replica.remote(map[string][]byte{name: []byte(text)})
		for read(b, n.dir, name) != text {
			runtime.Gosched()
		}
	}
}

// BenchmarkFirstSync writes 10,000 definitions into an empty directory.
func BenchmarkFirstSync(b *testing.B) {
	files := asBytes(services(10_000))
	for b.Loop() {
		b.StopTimer()
		r := newMemReplica()
		r.remote(files)
		n := open(b, newDir(b, nil), r)
		b.StartTimer()
		n.start()
		b.StopTimer()
		if _, err := os.Stat(filepath.Join(n.dir, "service-9999.json")); err != nil {
			b.Fatal(err)
		}
		n.stop()
		b.StartTimer()
	}
}

// BenchmarkFirstImport imports 10,000 definitions of a founder.
func BenchmarkFirstImport(b *testing.B) {
	files := services(10_000)
	for b.Loop() {
		b.StopTimer()
		n := open(b, newDir(b, files), newMemReplica(), founder)
		b.StartTimer()
		n.start()
		b.StopTimer()
		n.stop()
		b.StartTimer()
	}
}

// BenchmarkRescan looks at 10,000 definitions that have not changed.
func BenchmarkRescan(b *testing.B) {
	n := run(b, newDir(b, services(10_000)), newMemReplica(), founder)
	eventually(b, func() error { // until the stamps can be trusted
		start := time.Now()
		n.pass()
		if took := time.Since(start); took > 150*time.Millisecond {
			return fmt.Errorf("a rescan takes %v", took)
		}
		return nil
	})
	for b.Loop() {
		n.pass()
	}
}

package definition_test

import (
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// BenchmarkMerge merges two versions of a definition of 1 KiB that changed a field and a list each.
func BenchmarkMerge(b *testing.B) {
	for _, bench := range []struct{ name, file string }{{"json", "service.json"}, {"yaml", "service.yml"}} {
		b.Run(bench.name, func(b *testing.B) {
			base := string(ownDefinitions(b)[bench.file])
			later := strings.Replace(strings.Replace(base, "An intranet", "The intranet", 1), "\"mail\"", "\"mail\", \"phone\"", 1)
			earlier := strings.Replace(strings.Replace(base, "100", "200", 1), "\"cn\"", "\"commonName\"", 1)
			path := mustPath(b, bench.file)
			content := [][]byte{[]byte(base), []byte(later), []byte(earlier)}
			b.SetBytes(int64(len(base)))
			b.ReportAllocs()
			for b.Loop() {
				merged, err := definition.Merge(path, content[0], content[1], content[2])
				if err != nil || len(merged.Conflicts) > 0 {
					b.Fatal(merged.Conflicts, err)
				}
			}
		})
	}
}

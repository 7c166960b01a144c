package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEmbedRunsTwiceOnTheSameData(t *testing.T) {
	data, dir := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "services")
	for range 2 {
		var out strings.Builder
		if err := run(t.Context(), data, dir, &out); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "Hello-1.json\t33 bytes\tby embedded\n"; got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
}

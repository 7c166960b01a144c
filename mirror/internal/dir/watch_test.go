package dir_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/starling-sync/starling/mirror/internal/dir"
)

// TestWatchLeavesOutWhatWasExpected: the event of the owner's own rename or removal is
// left out, and no other.
func TestWatchLeavesOutWhatWasExpected(t *testing.T) {
	tests := []struct {
		name   string
		expect bool
		act    func(t *testing.T, file string)
		want   bool // that the file is told
	}{
		{"own rename", true, func(t *testing.T, file string) { rename(t, file+".own", file) }, false},
		{"own rename, not expected", false, func(t *testing.T, file string) { rename(t, file+".own", file) }, true},
		{"another's rename instead", true, func(t *testing.T, file string) { rename(t, file+".other", file) }, true},
		{"another's rename after it", true, func(t *testing.T, file string) {
			rename(t, file+".own", file)
			rename(t, file+".other", file)
		}, true},
		{"another's rename before it", true, func(t *testing.T, file string) {
			rename(t, file+".other", file)
			rename(t, file+".own", file)
		}, true},
		{"written to after it", true, func(t *testing.T, file string) {
			rename(t, file+".own", file)
			write(t, file, "more")
		}, true},
		{"removed after it", true, func(t *testing.T, file string) {
			rename(t, file+".own", file)
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"moved away and back", true, func(t *testing.T, file string) {
			rename(t, file+".own", file)
			rename(t, file, file+".own")
			rename(t, file+".own", file)
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "a.json")
			write(t, file+".own", "own")
			write(t, file+".other", "other")
			d, err := dir.Open(folder)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			w := dir.NewWatch(slog.New(slog.DiscardHandler), func() time.Duration { return time.Minute })
			w.Restart(d)
			defer w.Close()
			if tt.expect {
				info, err := d.Lstat("a.json.own")
				if err != nil {
					t.Fatal(err)
				}
				w.Expect("a.json", dir.StatOf(info).Ino)
			}
			tt.act(t, file)
			write(t, filepath.Join(folder, "end"), "") // events come in order
			var told []string
			deadline := time.After(10 * time.Second)
			for !slices.Contains(told, "end") {
				select {
				case <-w.Signal():
				case <-deadline:
					t.Fatalf("got %v, want end", told)
				}
				names, _ := w.Take()
				told = append(told, names...)
			}
			if got := slices.Contains(told, "a.json"); got != tt.want {
				t.Errorf("told of a.json: got %v, want %v", got, tt.want)
			}
		})
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err == nil {
		_, err = fmt.Fprint(f, content)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

package mirror_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/starling-sync/starling/mirror"
)

// TestTornFiles: what a power failure leaves of a file that was published, and that its
// program had not synced, is no edit and needs nobody.
func TestTornFiles(t *testing.T) {
	const yaml = "id: 7\nname: torn\n"
	tests := []struct{ name, file, content, left string }{
		{"empty", "a.json", two, ""},
		{"cut off", "a.json", two, two[:len(two)/2]},
		{"zeros", "a.json", two, strings.Repeat("\x00", len(two))},
		{"cut off, and what is left parses", "a.yaml", yaml, yaml[:6]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newMemReplica()
			dir, aside := newDir(t, nil), filepath.Join(t.TempDir(), "aside")
			putAside := func(o *mirror.Options) { o.Aside = aside }
			n := run(t, dir, r, founder, putAside)
			save(t, dir, tt.file, tt.content)
			n.wantsView(tt.file, tt.content)
			r = r.afterPowerFailure() // before the flush
			n.stop()
			write(t, dir, tt.file, tt.left)
			n = run(t, dir, r, founder, putAside)
			n.pass()
			n.wants(tt.file, tt.content)
			if got := r.edits(); len(got) > 0 {
				t.Errorf("edits: %v", got)
			}
			if got := n.Status().Held; len(got) > 0 {
				t.Errorf("held: %v", got)
			}
			left, err := filepath.Glob(filepath.Join(aside, tt.file+"@*"))
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Trim(tt.left, "\x00"); want == "" {
				if len(left) > 0 {
					t.Errorf("nothing was left, and it was put aside: %v", left)
				}
			} else if len(left) != 1 {
				t.Errorf("put aside: %v, want one file", left)
			} else if got, err := os.ReadFile(left[0]); err != nil || string(got) != tt.left {
				t.Errorf("put aside: %q, %v, want %q", got, err, tt.left)
			}
		})
	}
}

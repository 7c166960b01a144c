package enclosing_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/internal/enclosing"
)

func TestIs(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"dir/sub", "other/deep"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "dir", "other/in": "../dir/sub", "dir/out": "../other", "lost": "dir/none"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "dir/file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		folder, path string
		want         bool
	}{
		{"dir", "dir", true},
		{"dir", "dir/", true},
		{"dir", "dir/sub", true},
		{"dir", "dir/not/there/yet", true},
		{"dir", "dir/file", true},
		{"dir", "dir/file/none", true},
		{"dir", "dirt", false},
		{"dir", ".", false},
		{"dir", "other", false},
		{"dir", "link", true},
		{"link", "dir/sub", true},
		{"dir", "link/none", true},
		{"dir", "other/in/none", true},
		{"dir", "other/in/..", true}, // the folder above the link's target
		{"other", "other/in/..", false},
		{"dir", "dir/out", false},
		{"dir", "dir/out/none", false},
		{"dir", "dir/none/../x", true},
		{"dir", "dir/../dir", true},
		{"dir", "dir/..", false},
		{"none", "dir", false},
		{".", "dir/sub", true},
	} {
		got, err := enclosing.Is(filepath.Join(root, tt.folder), root+"/"+tt.path)
		if err != nil || got != tt.want {
			t.Errorf("%s in %s: got %t, %v, want %t", tt.path, tt.folder, got, err, tt.want)
		}
	}
	t.Chdir(filepath.Join(root, "dir"))
	for path, want := range map[string]bool{"x": true, "../other": false, "../link/x": true, ".": true} {
		got, err := enclosing.Is(".", path)
		if err != nil || got != want {
			t.Errorf("%s in the working directory: got %t, %v, want %t", path, got, err, want)
		}
	}
}

package dir_test

import (
	"io/fs"
	"testing"

	"github.com/starling-sync/starling/mirror/internal/dir"
)

func TestOwnership(t *testing.T) {
	const setgid = fs.ModeSetgid
	tests := []struct {
		name                  string
		euid, uid             int
		mode                  fs.FileMode
		chown, shared, refuse bool
	}{
		{"root", 0, 1000, 0o755, true, false, false},
		{"the owner", 1000, 1000, 0o755, false, false, false},
		{"another user", 1001, 1000, 0o755, false, false, true},
		{"another user, group-writable only", 1001, 1000, 0o775, false, false, true},
		{"another user, setgid only", 1001, 1000, setgid | 0o755, false, false, true},
		{"another user, shared", 1001, 1000, setgid | 0o775, false, true, false},
	}
	for _, tt := range tests {
		chown, shared, reason := dir.Ownership(tt.euid, tt.uid, tt.mode)
		if chown != tt.chown || shared != tt.shared || (reason != "") != tt.refuse {
			t.Errorf("%s: chown %v, shared %v, reason %q; want %v, %v, refused %v",
				tt.name, chown, shared, reason, tt.chown, tt.shared, tt.refuse)
		}
	}
}

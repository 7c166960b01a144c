package dir_test

import (
	"testing"
	"time"

	"github.com/starling-sync/starling/mirror/internal/dir"
)

func TestStatProves(t *testing.T) {
	now := time.Unix(1_700_000_000, 123_456_789)
	const tick = 50 * time.Millisecond // as on a local file system
	tests := []struct {
		name  string
		ctime time.Time
		want  bool
	}{
		{"just written", now, false},
		{"within a tick", now.Add(-10 * time.Millisecond), false},
		{"long ago", now.Add(-time.Second), true},
		{"in the future", now.Add(time.Hour), false},
		{"whole seconds, recent", time.Unix(now.Unix()-1, 0), false},
		{"whole seconds, long ago", time.Unix(now.Unix()-3, 0), true},
	}
	for _, tt := range tests {
		if got := (dir.Stat{Ctime: tt.ctime.UnixNano()}).Proves(now, tick); got != tt.want {
			t.Errorf("%s: proves = %v, want %v", tt.name, got, tt.want)
		}
	}
}

package mirror_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

func TestGuard(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	// Each loss is of one more file; the last is what is asked about.
	tests := []struct {
		name   string
		files  int
		losses []int // how many files are lost at once
		every  time.Duration
		want   bool
	}{
		{"one of one", 1, []int{1}, 0, true},
		{"three of three", 3, []int{3}, 0, true},
		{"four of four", 4, []int{4}, 0, false},
		{"four of twenty", 20, []int{4}, 0, true},
		{"five of twenty", 20, []int{5}, 0, false},
		{"a fifth of a hundred", 100, []int{20}, 0, true},
		{"more than a fifth of a hundred", 100, []int{21}, 0, false},
		{"one by one within the window", 10, []int{1, 1, 1, 1}, 10 * time.Second, false},
		{"one by one slower than the window", 10, []int{1, 1, 1, 1}, 30 * time.Second, true},
		{"the floor after a large loss that is old", 10, []int{9, 1}, 61 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g mirror.Guard
			now, next, got := start, 0, false
			left := tt.files
			for _, n := range tt.losses {
				g.Observe(now, left)
				got = g.Admit(now, numbered(next, n)...)
				next, left = next+n, left-n
				now = now.Add(tt.every)
			}
			if got != tt.want {
				t.Errorf("admit = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestGuardForgets(t *testing.T) {
	var g mirror.Guard
	now := time.Unix(1_700_000_000, 0)
	g.Observe(now, 5)
	g.Admit(now, numbered(0, 3)...)
	if g.Admit(now, numbered(3, 1)...) {
		t.Error("a fourth of five files is admitted")
	}
	g.Forget(numbered(0, 1)[0])
	if !g.Admit(now, numbered(3, 1)...) {
		t.Error("the third file is not admitted after one came back")
	}
}

func TestGuardCountsFromTheMost(t *testing.T) {
	var g mirror.Guard
	now := time.Unix(1_700_000_000, 0)
	g.Observe(now, 100)
	g.Observe(now.Add(time.Second), 10) // 90 left by another node's change
	if !g.Admit(now.Add(2*time.Second), numbered(0, 10)...) {
		t.Error("10 of what were 100 within the window are not admitted")
	}
	if g.Admit(now.Add(2*time.Minute), numbered(10, 5)...) {
		t.Error("5 of 10 are admitted when the 100 are long ago")
	}
}

func numbered(from, n int) []definition.Path {
	var paths []definition.Path
	for i := range n {
		paths = append(paths, path(fmt.Sprintf("f%d.json", from+i)))
	}
	return paths
}

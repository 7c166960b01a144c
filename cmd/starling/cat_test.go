package main

import "testing"

func TestSplitVersion(t *testing.T) {
	for _, tt := range []struct{ in, path, change string }{
		{"a/b.json", "a/b.json", ""},
		{"a.json@abcd", "a.json", "abcd"},
		{"a.json@wgzkq6fqrg22", "a.json", "wgzkq6fqrg22"},
		{"me@example.org.json", "me@example.org.json", ""},
		{"me@example.org.json@abcd", "me@example.org.json", "abcd"},
		{"a.json@abc", "a.json@abc", ""},   // too short for an id
		{"a.json@abc1", "a.json@abc1", ""}, // base32 has no 1
		{"@abcd", "@abcd", ""},
		{"a.json@", "a.json@", ""},
	} {
		if path, change := splitVersion(tt.in); path != tt.path || change != tt.change {
			t.Errorf("%s: got %q at %q, want %q at %q", tt.in, path, change, tt.path, tt.change)
		}
	}
}

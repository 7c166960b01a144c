package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/starling-sync/starling/api"
)

// TestStatusIsNotWellWhileBehind: its first line says what it is instead.
func TestStatusIsNotWellWhileBehind(t *testing.T) {
	problem := []api.StatusProblem{{Code: "held", Text: "a.json\x1b is held", Do: "mend it"}}
	for _, tt := range []struct {
		status api.Status
		want   string
	}{
		{api.Status{Ready: true}, "all is well\nnode"},
		{api.Status{Ready: true, Behind: 312}, "catching up: 312 elements behind\nnode"},
		{api.Status{Behind: 1}, "starting: the first sync is in progress\nnode"},
		{api.Status{Ready: true, Behind: 1, Problems: problem}, "problem: a.json\\x1b is held: mend it\ncatching up: 1 element behind\nnode"},
		{api.Status{Ready: true, Syncing: true}, "busy: the directory and the cluster are being made equal\nnode"},
		{api.Status{Ready: true, Waiting: []api.WaitingFile{{Path: "a.json", Reason: "it is open"}}}, "waiting for the writers of 1 file, the first is a.json: it is open\nnode"},
		{api.Status{Ready: true, Problems: problem, Syncing: true}, "problem: a.json\\x1b is held: mend it\nnode"},
		{api.Status{Ready: true, Problems: problem}, "problem: a.json\\x1b is held: mend it\nnode"},
	} {
		var b bytes.Buffer
		writeStatus(&b, tt.status)
		if !strings.HasPrefix(b.String(), tt.want) {
			t.Errorf("got %q, want it to begin with %q", b.String(), tt.want)
		}
	}
}

func TestStatusTellsOfANetworkFileSystem(t *testing.T) {
	var b bytes.Buffer
	writeStatus(&b, api.Status{Ready: true, NetworkFileSystem: "NFS", RescanSeconds: 10})
	if got, want := b.String(), "on NFS: what other machines change there is found every 10 s\n"; !strings.HasPrefix(got, "all is well\n") || !strings.Contains(got, want) {
		t.Errorf("status is %q, want it well and %q", got, want)
	}
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestStatusTellsOfANetworkFileSystem(t *testing.T) {
	var b bytes.Buffer
	writeStatus(&b, api.Status{Ready: true, NetworkFileSystem: "NFS", RescanSeconds: 10})
	if got, want := b.String(), "on NFS: what other machines change there is found every 10 s\n"; !strings.HasPrefix(got, "all is well\n") || !strings.Contains(got, want) {
		t.Errorf("status is %q, want it well and %q", got, want)
	}
}

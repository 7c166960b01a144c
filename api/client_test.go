package api_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestClientNoNode(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "s.sock")
	if _, err := api.Dial(missing).Status(t.Context()); !errors.Is(err, api.ErrNoNode) {
		t.Errorf("no socket: got %v, want %v", err, api.ErrNoNode)
	}

	dead := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := api.Dial(dead).Status(t.Context()); !errors.Is(err, api.ErrNoNode) {
		t.Errorf("socket of a dead node: got %v, want %v", err, api.ErrNoNode)
	}
}

func TestClientNotAllowed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may open every socket")
	}
	path := filepath.Join(t.TempDir(), "s.sock")
	defer listen(t, path).Close()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Dial(path).Status(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("socket of another user: got %v, want %v", err, fs.ErrPermission)
	}
}

package api_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestListenMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l := listen(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), os.ModeSocket|0o600; got != want {
		t.Errorf("mode of the socket: got %v, want %v", got, want)
	}
	dial(t, path)

	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left after Close: got %v, %v, want nothing", left, err)
	}
}

func TestListenGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	groups, err := os.Getgroups()
	if err != nil || len(groups) == 0 {
		groups = []int{os.Getgid()}
	}
	l, err := api.Listen(t.Context(), path, strconv.Itoa(groups[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o660); got != want {
		t.Errorf("mode of a group's socket: got %v, want %v", got, want)
	}
}

func TestListenUnknownGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	if _, err := api.Listen(t.Context(), path, "no-such-group-here"); err == nil {
		t.Fatal("a socket for a group that does not exist")
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a socket was left behind: %v", err)
	}
}

// TestListenStale replaces the socket of a process that died, and no other.
func TestListenStale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()

	l := listen(t, path)
	defer l.Close()
	if _, err := api.Listen(t.Context(), path, ""); !errors.Is(err, api.ErrSocketInUse) {
		t.Errorf("listen on a live socket: got %v, want %v", err, api.ErrSocketInUse)
	}
	dial(t, path)
}

func TestListenOnFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(t.Context(), path, ""); err == nil {
		t.Fatal("listened in place of a file")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "mine" {
		t.Errorf("the file: got %q, %v, want it untouched", got, err)
	}
}

// TestListenSuccessor leaves the socket alone that another process has put in
// place of ours.
func TestListenSuccessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	first := listen(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := listen(t, path)
	defer second.Close()
	first.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the successor's socket: %v", err)
	}
}

func TestListenLongPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	_, err := api.Listen(t.Context(), path, "")
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("listen on a path of %d bytes: got %v, want that it is too long", len(path), err)
	}
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := api.Listen(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dial fails unless somebody is behind the socket.
func dial(t *testing.T, path string) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatalf("nobody is behind the socket: %v", err)
	}
	conn.Close()
}

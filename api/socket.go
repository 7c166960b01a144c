package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// ErrSocketInUse is returned by Listen when another process answers on the
// socket.
var ErrSocketInUse = errors.New("another process answers on the socket")

// maxSocketPath is the longest path of a socket that Linux (107) and macOS (103)
// both take.
const maxSocketPath = 103

// Listen makes a socket at path that its owner may open (mode 0600), and the
// named group too if there is one (0660). It replaces what a dead process left
// there. Closing the listener removes the socket.
//
// The socket is made under another name and then renamed, so that nobody finds
// it before its mode and group are right.
func Listen(ctx context.Context, path, group string) (net.Listener, error) {
	if err := refuseLive(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // empty by then
	made := filepath.Join(dir, "s")
	if max(len(path), len(made)) > maxSocketPath {
		return nil, fmt.Errorf("listen on %s: the path is too long for a socket, about 90 bytes are possible", path)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", made)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	inner := l.(*net.UnixListener)
	inner.SetUnlinkOnClose(false)
	if err := publish(made, path, group); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), inner.Close())
	}
	own, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), inner.Close())
	}
	return &listener{UnixListener: inner, path: path, own: own}, nil
}

// refuseLive reports an error if path is no socket or somebody answers there.
func refuseLive(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at socket: %w", err)
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("listen on %s: there is something else that is no socket", path)
	}
	dialer := net.Dialer{Timeout: time.Second}
	if conn, err := dialer.DialContext(ctx, "unix", path); err == nil {
		return errors.Join(fmt.Errorf("listen on %s: %w", path, ErrSocketInUse), conn.Close())
	}
	return nil // nobody is behind it
}

// publish gives the socket its mode and group and then its name.
func publish(made, path, group string) error {
	mode := os.FileMode(0o600)
	if group != "" {
		gid, err := groupID(group)
		if err != nil {
			return err
		}
		if err := os.Chown(made, -1, gid); err != nil {
			return fmt.Errorf("give the socket to group %s: %w", group, err)
		}
		mode = 0o660
	}
	if err := os.Chmod(made, mode); err != nil {
		return fmt.Errorf("set mode of socket: %w", err)
	}
	return os.Rename(made, path)
}

// groupID takes a group's name or number.
func groupID(group string) (int, error) {
	if gid, err := strconv.Atoi(group); err == nil {
		return gid, nil
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("look up group of the socket: %w", err)
	}
	return strconv.Atoi(found.Gid)
}

// listener removes its socket when it is closed, unless another process has put
// its own there.
type listener struct {
	*net.UnixListener
	path string
	own  os.FileInfo
}

func (l *listener) Close() error {
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(l.own, now) {
		_ = os.Remove(l.path) // a socket that stays behind is replaced at the next start
	}
	return l.UnixListener.Close()
}

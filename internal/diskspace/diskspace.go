// Package diskspace tells how much room a file system has left.
package diskspace

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Free returns how many bytes an unprivileged process may still write on the
// file system that holds dir.
func Free(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:unconvert // the types differ by system
}

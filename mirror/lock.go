package mirror

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the lock of a directory, of which one process at a time can have one
// (flock(2)). It is given back when dir is closed, also by a crash.
func lock(dir *os.File) error {
	err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return fmt.Errorf("lock directory %s: %w: stop the other node, or give this one its own directory", dir.Name(), ErrLocked)
	default:
		return fmt.Errorf("lock directory %s: %w", dir.Name(), err)
	}
}

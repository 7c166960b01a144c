package dir

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// statOf is the Stat of a file.
func statOf(s *syscall.Stat_t) Stat {
	return Stat{Dev: uint64(s.Dev), Ino: s.Ino, Size: s.Size, Mtime: s.Mtimespec.Nano(), Ctime: s.Ctimespec.Nano(), UID: s.Uid}
}

// syncFileSystem writes everything to disk: macOS cannot do it for one file system.
func syncFileSystem(*os.File) error {
	if err := unix.Sync(); err != nil {
		return fmt.Errorf("sync file systems: %w", err)
	}
	return nil
}

// networkFileSystem returns the name of the network file system that f is on, or
// "" if it is local.
func networkFileSystem(f *os.File) (string, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return "", fmt.Errorf("find file system of %s: %w", f.Name(), err)
	}
	if s.Flags&unix.MNT_LOCAL != 0 {
		return "", nil
	}
	return unix.ByteSliceToString(s.Fstypename[:]), nil
}

// writersOf cannot tell on macOS.
func writersOf(*os.File) Writers { return UnknownWriters }

// BootID names the run of the kernel, or is "" if it cannot be told.
func BootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}

package mirror

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// stampOfStat is the stamp of a file.
func stampOfStat(s *syscall.Stat_t) stamp {
	return stamp{dev: uint64(s.Dev), ino: s.Ino, size: s.Size, mtime: s.Mtimespec.Nano(), ctime: s.Ctimespec.Nano(), uid: s.Uid}
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

// beingWritten cannot be told on macOS.
func beingWritten(*os.File) bool { return false }

// bootID names the run of the kernel, or is "" if it cannot be told.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}

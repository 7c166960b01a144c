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

// mountRoot cannot tell on macOS: the device does.
func mountRoot(*os.File, string) (isRoot bool, id uint64) { return false, 0 }

// MountTable would tell that something was mounted or unmounted. On macOS it may always be so.
type MountTable struct{}

// OpenMountTable does nothing.
func OpenMountTable() *MountTable { return &MountTable{} }

// Changed reports that the table may have changed.
func (*MountTable) Changed() bool { return true }

// Close does nothing.
func (*MountTable) Close() error { return nil }

// BootID names the run of the kernel, or is "" if it cannot be told.
func BootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}

package dir

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// statOf is the Stat of a file.
func statOf(s *syscall.Stat_t) Stat {
	return Stat{Dev: s.Dev, Ino: s.Ino, Size: s.Size, Mtime: s.Mtim.Nano(), Ctime: s.Ctim.Nano(), UID: s.Uid}
}

// syncFileSystem writes everything of the file system that holds f to its disk.
func syncFileSystem(f *os.File) error {
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("sync file system of %s: %w", f.Name(), err)
	}
	return nil
}

// networkMagic are the types of file systems that other machines write to, where
// no events arrive for their writes (statfs(2), linux/magic.h).
var networkMagic = map[uint32]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xfe534d42: "SMB",
	0xff534d42: "CIFS",
	0x65735546: "FUSE",
	0x01021997: "9P",
	0x00c36400: "Ceph",
	0x5346414f: "AFS",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
}

// networkFileSystem returns the name of the network file system that f is on, or
// "" if it is local.
func networkFileSystem(f *os.File) (string, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return "", fmt.Errorf("find file system of %s: %w", f.Name(), err)
	}
	return networkMagic[uint32(s.Type)], nil
}

// writersOf asks for a read lease (fcntl(2), F_SETLEASE), which is granted only where no
// process has the file open for writing, and only to its owner or with CAP_LEASE.
func writersOf(f *os.File) Writers {
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK); errors.Is(err, unix.EAGAIN) {
		return SomeWriter
	} else if err != nil {
		return UnknownWriters
	}
	// Given back at once: while it is held, a writer would have to wait.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
		return SomeWriter
	}
	return NoWriter
}

// BootID names the run of the kernel, or is "" if it cannot be told.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

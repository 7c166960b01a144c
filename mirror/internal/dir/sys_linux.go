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

// mountRoot reports whether something is mounted at a folder, and which mount it is; 0 if the
// system does not tell (statx(2)).
func mountRoot(dir *os.File, name string) (isRoot bool, id uint64) {
	var s unix.Statx_t
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	if err := unix.Statx(int(dir.Fd()), name, flags, unix.STATX_MNT_ID_UNIQUE, &s); err != nil {
		return false, 0
	}
	if s.Mask&unix.STATX_MNT_ID_UNIQUE != 0 { // of earlier kernels an id is soon another's
		id = s.Mnt_id
	}
	return s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, id
}

// MountTable tells that something was mounted or unmounted, anywhere in the system.
// Its descriptor is no os.File: the runtime would take the news for itself.
type MountTable struct{ fd int }

// OpenMountTable begins to listen.
func OpenMountTable() *MountTable {
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	}
	return &MountTable{fd}
}

// Changed reports whether the table may have changed since it was asked last (proc(5)).
func (t *MountTable) Changed() bool {
	if t.fd < 0 {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds, 0)
	return n > 0 || err != nil
}

// Close ends it.
func (t *MountTable) Close() error {
	if t.fd < 0 {
		return nil
	}
	return unix.Close(t.fd)
}

// BootID names the run of the kernel, or is "" if it cannot be told.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

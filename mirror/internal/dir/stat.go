package dir

import (
	"io/fs"
	"syscall"
	"time"
)

// Stat identifies a file and its state without reading it, as the stat cache of git's
// index does: while it stays the same, so does the content, if it proves it (see Proves).
type Stat struct {
	Dev, Ino     uint64
	Size         int64
	Mtime, Ctime int64 // nanoseconds since 1970
	UID          uint32
}

// StatOf takes the Stat out of what Lstat returned.
func StatOf(info fs.FileInfo) Stat {
	return statOf(info.Sys().(*syscall.Stat_t))
}

// OwnerOf returns the user and the group of a file.
func OwnerOf(info fs.FileInfo) (uid, gid int) {
	s := info.Sys().(*syscall.Stat_t)
	return int(s.Uid), int(s.Gid)
}

// localTick is how coarse the change times of local file systems are, with room
// to spare; networkTick adds the distance between the clocks of two machines.
const (
	localTick   = 50 * time.Millisecond
	networkTick = 10 * time.Second
)

// Proves reports whether s, taken before the content was read at the time
// now, proves that content: whether a later write must give another Stat. That is
// so once the change time lies further back than its clock is coarse. Saves of
// equal size within one tick, which rsync's quick check misses, are so found by the
// next rescan at the latest.
func (s Stat) Proves(now time.Time, tick time.Duration) bool {
	if s.Ctime%int64(time.Second) == 0 { // a file system without fractions of a second
		tick = max(tick, 2*time.Second)
	}
	return now.Sub(time.Unix(0, s.Ctime)) > tick
}

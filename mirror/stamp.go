package mirror

import (
	"io/fs"
	"syscall"
	"time"
)

// stamp identifies a file and its state without reading it: while it stays the
// same, so does the content, if the stamp can be trusted (see trusted).
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
	uid          uint32
}

// stampOf takes the stamp out of what Lstat returned.
func stampOf(info fs.FileInfo) stamp {
	return stampOfStat(info.Sys().(*syscall.Stat_t))
}

// ownerOf returns the user and the group of a file.
func ownerOf(info fs.FileInfo) (uid, gid int) {
	s := info.Sys().(*syscall.Stat_t)
	return int(s.Uid), int(s.Gid)
}

// localTick is how coarse the change times of local file systems are, with room
// to spare; networkTick adds the distance between the clocks of two machines.
const (
	localTick   = 50 * time.Millisecond
	networkTick = 10 * time.Second
)

// trusted reports whether the stamp, taken before the content was read at the time
// now, proves that content: whether a later write must give another stamp. That is
// so once the change time lies further back than its clock is coarse. Saves of
// equal size within one tick, which rsync's quick check misses, are so found by the
// next rescan at the latest.
func (s stamp) trusted(now time.Time, tick time.Duration) bool {
	if s.ctime%int64(time.Second) == 0 { // a file system without fractions of a second
		tick = max(tick, 2*time.Second)
	}
	return now.Sub(time.Unix(0, s.ctime)) > tick
}

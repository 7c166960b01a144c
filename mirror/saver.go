package mirror

import (
	"os/user"
	"strconv"
	"unicode/utf8"

	"github.com/starling-sync/starling/mirror/internal/dir"
)

// maxUserName is the longest name of a user that is recorded, in bytes; systems
// allow 32 (useradd(8)), directory services more.
const maxUserName = 128

// users are the names of users by their number, empty for those that have none. Each
// is asked for once: the system may have to ask a directory service.
type users map[uint32]string

func (u users) name(uid uint32) string {
	name, ok := u[uid]
	if !ok {
		found, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
		if err == nil && len(found.Username) <= maxUserName && utf8.ValidString(found.Username) {
			name = found.Username
		}
		u[uid] = name
	}
	return name
}

// saver returns the name of the user who owns the files that are imported together, as
// far as the system tells who saved them: a program that saves by renaming makes the
// file anew and owns it, one that saves in place leaves the owner. It is empty if they
// have several owners or none that has a name; deletions have none.
func (u users) saver(work []finding) string {
	name, found := "", false
	for _, f := range work {
		if f.seen.kind != present || f.stat == (dir.Stat{}) {
			continue
		}
		owner := u.name(f.stat.UID)
		if found && owner != name {
			return ""
		}
		name, found = owner, true
	}
	return name
}

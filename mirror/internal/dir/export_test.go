package dir

import "io/fs"

// Ownership returns whether user euid may mirror a directory of user uid, and how.
func Ownership(euid, uid int, mode fs.FileMode) (chown, shared bool, reason string) {
	own, reason := ownership(euid, uid, mode)
	return own.chown, own.shared, reason
}

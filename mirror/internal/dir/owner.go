package dir

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// owner is how files are to be made in the directory, by who owns it and who runs
// this process.
type owner struct {
	// chown: this process may give files away, so new files get the owner and
	// the group of the folder that they are in, and replaced files keep theirs.
	chown bool
	// shared: this process is another user than the directory's owner. The
	// files that it makes get the directory's group (by its setgid bit), and the
	// mode 0660 so that the owner can go on editing them.
	shared bool
}

// ownerFor finds out how files are to be made, or returns an error that wraps
// ErrPermission and says what to do.
func ownerFor(dir string, info fs.FileInfo) (owner, error) {
	uid, _ := OwnerOf(info)
	own, reason := ownership(os.Geteuid(), uid, info.Mode())
	if reason == "" && unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) != nil {
		reason = "this process may not read and write it: give its user or its group the right (chmod ug+rwx)"
	}
	if reason != "" {
		return owner{}, fmt.Errorf("open directory %s: %w: %s", dir, ErrPermission, reason)
	}
	return own, nil
}

// ownership is the rule by itself: who may run the mirror of a directory of the
// user uid. reason is empty if euid may.
func ownership(euid, uid int, mode fs.FileMode) (own owner, reason string) {
	switch {
	case euid == 0:
		return owner{chown: true}, ""
	case euid == uid:
		return owner{}, ""
	case mode&fs.ModeSetgid != 0 && mode&0o020 != 0:
		return owner{shared: true}, ""
	}
	return owner{}, fmt.Sprintf("it belongs to user %d, and user %d, who runs this, could not keep the owner of its files: "+
		"run as user %d, or share it with a group of user %d (chgrp GROUP and chmod g+rwxs)", uid, euid, uid, euid)
}

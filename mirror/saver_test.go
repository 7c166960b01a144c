package mirror_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// own gives a file to a user.
func own(t *testing.T, dir, name string, u *user.User) {
	t.Helper()
	uid, err := strconv.Atoi(u.Uid)
	if err == nil {
		err = os.Chown(filepath.Join(dir, name), uid, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// actor returns the actor of the last change that was made.
func (n *node) actor() string {
	made := n.replica.drafts()
	return made[len(made)-1].Actor
}

func TestImportNamesTheOwner(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Skip("this user has no name: ", err)
	}
	n := run(t, newDir(t, map[string]string{"a.json": service(1, "found")}), newMemReplica(), founder, quickDeletes)
	if got := n.actor(); got != me.Username {
		t.Errorf("found at the start: got actor %q, want %q", got, me.Username)
	}
	save(t, n.dir, "b.json", service(2, "saved"))
	n.wantsView("b.json", service(2, "saved"))
	if got := n.actor(); got != me.Username {
		t.Errorf("saved: got actor %q, want %q", got, me.Username)
	}
	remove(t, n.dir, "b.json")
	n.wantsView("b.json", "absent")
	if got := n.actor(); got != "" {
		t.Errorf("deleted: got actor %q, want none", got)
	}
}

func TestImportNamesOneOwnerOrNone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	other, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	dir := newDir(t, map[string]string{"a.json": service(1, "one"), "b.json": service(2, "two")})
	own(t, dir, "a.json", other)
	own(t, dir, "b.json", other)
	n := run(t, dir, newMemReplica(), founder)
	if got := n.actor(); got != "nobody" {
		t.Errorf("both are nobody's: got actor %q", got)
	}
	n.stop()

	dir = newDir(t, map[string]string{"a.json": service(1, "one"), "b.json": service(2, "two")})
	own(t, dir, "a.json", other)
	n = run(t, dir, newMemReplica(), founder)
	if got := n.actor(); got != "" {
		t.Errorf("of two owners: got actor %q, want none", got)
	}
	n.stop()

	dir = newDir(t, map[string]string{"a.json": service(1, "one")})
	own(t, dir, "a.json", &user.User{Uid: "54321"})
	n = run(t, dir, newMemReplica(), founder)
	if got := n.actor(); got != "" {
		t.Errorf("of a user without a name: got actor %q, want none", got)
	}
}

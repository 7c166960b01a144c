package mirror_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// unreadableEnv names the directory of TestUnreadableAsUser.
const unreadableEnv = "STARLING_TEST_UNREADABLE"

// TestUnreadableAsUser is what TestUnreadableFolder runs as a user who may not read
// everything.
func TestUnreadableAsUser(t *testing.T) {
	dir := os.Getenv(unreadableEnv)
	if dir == "" {
		t.Skip("for TestUnreadableFolder only")
	}
	files := map[string]string{"b.json": one, "secret/s.json": one, "secret/deep/d.json": one}
	for name, content := range files {
		write(t, dir, name, content)
	}
	mode := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	r := newMemReplica()
	n := run(t, dir, r, founder)
	check := func(held string) {
		t.Helper()
		n.wantsHeld(held, "chmod")
		n.wantsHeld("secret/s.json", "may not read")
		if s := n.Status(); s.Unwatched != "" || s.Rescan != time.Minute {
			t.Errorf("unwatched %q, rescan every %v", s.Unwatched, s.Rescan)
		}
		text := service(1, fmt.Sprint(time.Now()))
		save(t, dir, "b.json", text)
		n.wantsView("b.json", text)
	}
	well := func() {
		t.Helper()
		n.notHeld()
		for name := range files {
			if got := r.content(name); got == "absent" {
				t.Errorf("%s was deleted", name)
			}
		}
	}
	mode("secret", 0) // while it runs
	check("secret")
	n.stop()
	n = run(t, dir, r, founder) // and when it starts
	check("secret")
	mode("secret", 0o755)
	well()
	mode("secret", 0o644) // it can be listed, but not searched
	check("secret")
	mode("secret", 0o755)
	well()
	save(t, dir, "secret/deep/d.json", two) // it is watched again
	n.wantsView("secret/deep/d.json", two)
}

// TestUnreadableFolder: a sub-folder that this user may not read is named with what to do
// about it, and everything else goes on at once.
func TestUnreadableFolder(t *testing.T) {
	dir := newDir(t, nil)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnreadableAsUser$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), unreadableEnv+"="+dir)
	if os.Geteuid() == 0 {
		const user = 12001
		openFolders(t, dir)
		for _, name := range []string{"", ".starling"} {
			if err := os.Chown(filepath.Join(dir, name), user, user); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skipf("the test cannot start itself as another user: %v", err)
	}
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestUnreadableAsUser")) {
		t.Errorf("%v:\n%s", err, out)
	}
}

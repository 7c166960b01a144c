package mirror_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/starling-sync/starling/mirror"
)

// asUserEnv names the directory that a process of another user mirrors.
const asUserEnv = "STARLING_TEST_AS_USER"

// TestAsUser is what asUser runs: it mirrors the directory, writes a file that another
// node made and takes one in, or says why it may not.
func TestAsUser(t *testing.T) {
	dir := os.Getenv(asUserEnv)
	if dir == "" {
		t.Skip("for TestWhoMayRun only")
	}
	r := newMemReplica()
	m, err := mirror.Open(t.Context(), mirror.Options{Dir: dir, Cluster: cluster}, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	n := run(t, dir, r, founder)
	r.remote(map[string][]byte{"made.json": []byte(one), "sub/made.json": []byte(one), "there.json": []byte(two)})
	n.wants("sub/made.json", one)
	n.wants("there.json", two)
	n.wantsView("own.json", three)
}

// asUser runs TestAsUser as another user, with the groups.
func asUser(t *testing.T, dir string, uid uint32, groups ...uint32) (output string, err error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestAsUser$", "-test.v")
	cmd.Dir = "/" // the working directory may be closed to the user
	cmd.Env = append(os.Environ(), asUserEnv+"="+dir, "TMPDIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: groups}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestWhoMayRun: the owner of the directory, or one of the group that it shares; anybody
// else is told what to do.
func TestWhoMayRun(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may run a mirror as other users")
	}
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skipf("the test cannot start itself as another user: %v", err)
	}
	const owner, user, group = 12001, 12002, 12003
	tests := []struct {
		name   string
		mode   fs.FileMode
		uid    uint32
		groups []uint32
		made   fs.FileMode // of a new file; 0 if the user may not run
		gid    uint32      // its group
		refuse string
	}{
		{"owner", 0o755, owner, nil, 0o640, owner, ""},
		{"setgid group", 0o770 | fs.ModeSetgid, user, []uint32{group}, 0o660, group, ""},
		{"a group without setgid", 0o770, user, []uint32{group}, 0, 0, "run as user 12001, or share it with a group of user 12002 (chgrp GROUP and chmod g+rwxs)"},
		{"setgid, of another group", 0o770 | fs.ModeSetgid, user, nil, 0, 0, "give its user or its group the right (chmod ug+rwx)"},
		{"neither", 0o755, user, nil, 0, 0, "run as user 12001, or share it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := newDir(t, map[string]string{"there.json": one, "own.json": three})
			openFolders(t, dir)
			gid := owner
			if len(tt.groups) > 0 || tt.mode&fs.ModeSetgid != 0 {
				gid = group
			}
			for _, name := range []string{"", ".starling", "there.json", "own.json"} {
				if err := os.Chown(filepath.Join(dir, name), owner, gid); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"there.json", "own.json"} {
				if err := os.Chmod(filepath.Join(dir, name), 0o660); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, tt.mode); err != nil {
				t.Fatal(err)
			}
			out, err := asUser(t, dir, tt.uid, tt.groups...)
			if tt.made == 0 {
				if err == nil || !strings.Contains(out, mirror.ErrPermission.Error()) || !strings.Contains(out, tt.refuse) {
					t.Errorf("as user %d: %v: %s\nwant it refused with %q", tt.uid, err, out, tt.refuse)
				}
				return
			}
			if err != nil {
				t.Fatalf("as user %d: %v: %s", tt.uid, err, out)
			}
			for _, name := range []string{"made.json", "sub/made.json"} {
				wantOwner(t, filepath.Join(dir, name), tt.made, tt.uid, tt.gid)
			}
			wantOwner(t, filepath.Join(dir, "there.json"), 0o660, tt.uid, tt.gid)
		})
	}
}

// openFolders lets other users pass the folders above a test's directory.
func openFolders(t *testing.T, dir string) {
	t.Helper()
	for above := filepath.Dir(dir); above != filepath.Clean(os.TempDir()) && above != "/"; above = filepath.Dir(above) {
		if err := os.Chmod(above, 0o711); err != nil {
			t.Fatal(err)
		}
	}
}

// wantOwner checks the mode and the owner of a file.
func wantOwner(t *testing.T, name string, mode fs.FileMode, uid, gid uint32) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	s := info.Sys().(*syscall.Stat_t)
	if info.Mode().Perm() != mode || s.Uid != uid || s.Gid != gid {
		t.Errorf("%s has mode %v and owner %d:%d, want %v and %d:%d", name, info.Mode().Perm(), s.Uid, s.Gid, mode, uid, gid)
	}
}

// acl is an access control list as the kernel takes it (linux/posix_acl_xattr.h): the
// owner may read and write, user 1234 and the group may read.
func acl() []byte {
	var b bytes.Buffer
	for _, part := range []any{
		uint32(2), // version
		[]uint16{0x01, 6}, uint32(1<<32 - 1),
		[]uint16{0x02, 4}, uint32(1234),
		[]uint16{0x04, 4}, uint32(1<<32 - 1),
		[]uint16{0x10, 4}, uint32(1<<32 - 1),
		[]uint16{0x20, 0}, uint32(1<<32 - 1),
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // into memory
	}
	return b.Bytes()
}

// TestAccessListAndLabelAreKept: a replaced file keeps its access control list and its
// SELinux label.
func TestAccessListAndLabelAreKept(t *testing.T) {
	for name, value := range map[string][]byte{
		"system.posix_acl_access": acl(),
		"security.selinux":        []byte("system_u:object_r:etc_t:s0\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			n := run(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
			file := filepath.Join(n.dir, "a.json")
			if err := unix.Setxattr(file, name, value, 0); errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
				t.Skipf("this file system, or this user, has no %s: %v", name, err)
			} else if err != nil {
				t.Fatal(err)
			}
			n.replica.remote(map[string][]byte{"a.json": []byte(two)})
			n.wants("a.json", two)
			got := make([]byte, 200)
			size, err := unix.Getxattr(file, name, got)
			if err != nil || !bytes.Equal(got[:size], value) {
				t.Errorf("%s is %q (%v), want %q", name, got[:max(size, 0)], err, value)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode is %v (%v), want 0640", info.Mode(), err)
			}
		})
	}
}

// TestNetworkFileSystem: where other machines write too, everything is looked at more
// often, and status says so.
func TestNetworkFileSystem(t *testing.T) {
	n := open(t, newDir(t, map[string]string{"a.json": one}), newMemReplica(), founder)
	n.BelieveNetwork("NFS")
	n.start()
	eventually(t, func() error {
		if s := n.Status(); s.Network != "NFS" || s.Rescan.Seconds() != 10 || s.Unwatched != "" {
			return fmt.Errorf("network %q, rescan every %v, unwatched %q", s.Network, s.Rescan, s.Unwatched)
		}
		return nil
	})
}

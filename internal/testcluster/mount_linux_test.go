package testcluster_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/mirror"
)

// mountEnv is set in the process that may mount.
const mountEnv = "STARLING_TEST_MOUNTS"

// inMountNamespace runs a test again in a mount namespace of its own, in which it may
// mount, and reports whether it is there. Where the system has none it skips the test.
func inMountNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(mountEnv) != "" {
		return true
	}
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	probe := exec.Command("true")
	probe.SysProcAttr = attr
	if err := probe.Run(); err != nil {
		t.Skipf("this process may not make a mount namespace: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mountEnv+"=1")
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("in a mount namespace: %v:\n%s", err, out)
	}
	return false
}

// onVolume makes a cluster whose node 1 has its directory on a file system of its own,
// which is mounted at volume too.
func onVolume(t *testing.T) (c *testcluster.Cluster, dir, volume string) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("make mounts private: %v", err)
	}
	volume = t.TempDir()
	mount(t, volume)
	t.Cleanup(func() { // after the cluster's end, before the folders are removed
		for _, at := range []string{dir, dir, volume} {
			_ = unix.Unmount(at, unix.MNT_DETACH)
		}
	})
	c = testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	c.Stop(1)
	dir = string(c.Node(1).Dir)
	if err := copyTree(dir, volume); err != nil {
		t.Fatal(err)
	}
	if err := bind(volume, dir); err != nil {
		t.Fatal(err)
	}
	c.Start(1)
	c.Settle()
	return c, dir, volume
}

// mount mounts an empty file system.
func mount(t *testing.T, at string) {
	t.Helper()
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=0755"); err != nil {
		t.Fatalf("mount a file system at %s: %v", at, err)
	}
}

// bind mounts a folder at another place too.
func bind(from, to string) error { return unix.Mount(from, to, "", unix.MS_BIND, "") }

// TestUnmounted: the directory's file system goes away, and what is below it shows.
func TestUnmounted(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	c, dir, volume := onVolume(t)
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	goesOnAfter(t, c, func() error { return bind(volume, dir) })
}

// TestMountedAfterTheStart: the node was started before its directory was mounted, as it goes at
// boot.
func TestMountedAfterTheStart(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	c, dir, volume := onVolume(t)
	c.Stop(1)
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	c.Start(1)
	goesOnAfter(t, c, func() error { return bind(volume, dir) })
}

// TestEmptyMount: an empty file system is mounted over the directory.
func TestEmptyMount(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	c, dir, _ := onVolume(t)
	mount(t, dir)
	goesOnAfter(t, c, func() error { return unix.Unmount(dir, unix.MNT_DETACH) })
}

// team is a cluster of which node 1 has a folder that is a file system of its own, which is
// mounted at volume too.
func team(t *testing.T) (c *testcluster.Cluster, folder, volume string) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("make mounts private: %v", err)
	}
	volume = t.TempDir()
	mount(t, volume)
	t.Cleanup(func() {
		for _, at := range []string{folder, folder, volume} {
			_ = unix.Unmount(at, unix.MNT_DETACH)
		}
	})
	c = testcluster.New(t, 2, testcluster.Options{Files: definitions(guarded)})
	c.Settle()
	folder = filepath.Join(string(c.Node(1).Dir), "team")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := bind(volume, folder); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		c.Write(1, teamFile(i), service(500+i, "team"))
	}
	c.Settle()
	return c, folder, volume
}

func teamFile(i int) string { return fmt.Sprintf("team/T-%d.json", 500+i) }

// holdsTeam waits until node 1 says that the folder is held for a reason, and has its
// deletions held; nobody else has lost a file.
func holdsTeam(t *testing.T, c *testcluster.Cluster, reason string) {
	t.Helper()
	c.Eventually(func() error {
		s, err := c.Node(1).Status()
		if err != nil {
			return err
		}
		for _, h := range s.Held {
			if h.Path == "team" && strings.Contains(h.Reason, reason) {
				return nil
			}
		}
		return fmt.Errorf("team is not held for %q: %v", reason, s.Held)
	})
	holdsBack(t, c, 1, mirror.Deletion, 3)
	for i := range 3 {
		if got, want := c.Read(0, teamFile(i)), service(500+i, "team"); got != want {
			t.Fatalf("%s on node 0 is %q, want %q", teamFile(i), got, want)
		}
	}
	// The rest goes on, and nothing is written to where it would be hidden.
	c.Write(0, "team/New.json", service(600, "new"))
	c.Write(0, "App-0.json", service(0, reason))
	c.Write(1, "App-1.json", service(1, reason))
	c.Eventually(func() error {
		if a, b := c.Read(1, "App-0.json"), c.Read(0, "App-1.json"); a != service(0, reason) || b != service(1, reason) {
			return fmt.Errorf("beside the folder nothing goes on: %q, %q", a, b)
		}
		return nil
	})
	if got, err := c.Node(1).Dir.Read("team/New.json"); err == nil {
		t.Errorf("team/New.json was written: %q", got)
	}
}

// backAgain waits until all is well, as it must be before the next look at everything.
func backAgain(t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	began := time.Now()
	c.Settle()
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("it took %v", took)
	}
	for i := range c.Len() {
		if got, want := c.Read(i, "team/New.json"), service(600, "new"); got != want {
			t.Errorf("team/New.json on node %d is %q, want %q", i, got, want)
		}
	}
}

// TestFolderUnmounted: the file system of a folder goes away, while the node runs and while
// it does not, and comes back.
func TestFolderUnmounted(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	for _, down := range []bool{false, true} {
		t.Run(fmt.Sprintf("down %t", down), func(t *testing.T) {
			c, folder, volume := team(t)
			if down {
				c.Stop(1)
			}
			if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			if down {
				c.Start(1)
			}
			holdsTeam(t, c, "its file system is gone")
			c.Stop(1)
			c.Start(1)
			holdsTeam(t, c, "its file system is gone")
			if err := bind(volume, folder); err != nil {
				t.Fatal(err)
			}
			backAgain(t, c)
		})
	}
}

// TestFolderMountedOver: another file system is mounted over a folder that was none of its
// own, and over one that was.
func TestFolderMountedOver(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain %t", plain), func(t *testing.T) {
			c, folder, _ := team(t)
			if plain {
				c.Stop(1)
				if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					c.Write(1, teamFile(i), service(500+i, "team"))
				}
				c.Start(1)
				c.Settle()
			}
			mount(t, folder)
			holdsTeam(t, c, "another file system")
			if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			backAgain(t, c)
		})
	}
}

// TestFolderUnmountedForGood: what was in the folder is deleted if somebody says so, and the
// folder is an ordinary one from then on.
func TestFolderUnmountedForGood(t *testing.T) {
	t.Parallel()
	if !inMountNamespace(t) {
		return
	}
	c, folder, _ := team(t)
	if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	holdsTeam(t, c, "its file system is gone")
	if err := c.Node(1).ApproveAll(); err != nil {
		t.Fatal(err)
	}
	backAgain(t, c)
	for i := range 3 {
		absent(t, c.Node(0), teamFile(i))
	}
	c.Remove(1, "team/New.json")
	c.Settle()
	absent(t, c.Node(0), "team/New.json")
}

package testcluster_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/starling-sync/starling/internal/testcluster"
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

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what has to come.
const patience = 20 * time.Second

// TestScripts runs the real program by the scripts in testdata: one verb, or one
// way to use it badly, each. Beside testscript's own commands they know
//
//	code N COMMAND...           run COMMAND, want exit code N
//	until [-out RE] COMMAND...  run COMMAND until it succeeds and prints RE
//	gone PATH, come PATH        wait until there is no such file, or one
//	holds PATH RE               wait until the file matches
//	signal NAME DATA            signal the newest background command with --data DATA
//	past TIME                   wait until the clock has passed TIME
//	port VAR                    set VAR to a free TCP port of 127.0.0.1
//	get VAR RE                  set VAR to what RE's group found in stdout
//
// and the conditions [root] and [userns]: user namespaces can be made here. What a command
// prints as JSON is checked against its schema.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// No terminal, no user and no settings of the machine that runs this.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("USER", "operator")
			env.Setenv("SUDO_USER", "")
			env.Setenv("LOCAL", "/ip4/127.0.0.1/tcp/0")
			// A program with the race detector in it otherwise takes a second to end.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return openToOthers(env.WorkDir)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "userns":
				return exec.Command("unshare", "-Ur", "true").Run() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   code,
			"until":  until,
			"gone":   func(ts *testscript.TestScript, _ bool, args []string) { wait(ts, args, absent) },
			"come":   func(ts *testscript.TestScript, _ bool, args []string) { wait(ts, args, present) },
			"holds":  holds,
			"past":   past,
			"signal": sendSignal,
			"port":   port,
			"get":    get,
		},
	})
}

// openToOthers lets root's scripts run the program as another user: it makes the
// folders above the work directory and the program passable.
func openToOthers(work string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	program, err := exec.LookPath("starling")
	if err != nil {
		return err
	}
	for _, dir := range []string{work, filepath.Dir(program)} {
		for ; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o711); err != nil { // to be passed is the point
				return err
			}
		}
	}
	return nil
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code: got %d, want %d", got, want)
	}
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	out := regexp.MustCompile("")
	if len(args) > 2 && args[0] == "-out" {
		out = regexp.MustCompile("(?m)" + args[1])
		args = args[2:]
	}
	if neg || len(args) < 1 {
		ts.Fatalf("usage: until [-out RE] COMMAND...")
	}
	poll(ts, func() error {
		if err := ts.Exec(args[0], args[1:]...); err != nil {
			return err
		}
		if got := ts.ReadFile("stdout"); !out.MatchString(got) {
			return fmt.Errorf("stdout: got %q, want a match of %v", got, out)
		}
		return nil
	})
}

func past(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: past TIME")
	}
	when, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	poll(ts, func() error {
		if now := time.Now(); !now.After(when) {
			return fmt.Errorf("it is %v, and not yet past %v", now, when)
		}
		return nil
	})
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}
	if neg || len(args) != 2 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal HUP|TERM DATA")
	}
	for _, c := range slices.Backward(ts.BackgroundCmds()) {
		if i := slices.Index(c.Args, "--data"); i > 0 && c.Args[i+1] == args[1] {
			ts.Check(c.Process.Signal(signals[args[0]]))
			return
		}
	}
	ts.Fatalf("nothing runs in the background with --data %s", args[1])
}

func absent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s is there", path)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return nil
}

func present(path string) error {
	_, err := os.Lstat(path)
	return err
}

func wait(ts *testscript.TestScript, args []string, is func(path string) error) {
	for _, path := range args {
		poll(ts, func() error { return is(ts.MkAbs(path)) })
	}
}

func holds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holds PATH RE")
	}
	want := regexp.MustCompile(args[1])
	poll(ts, func() error {
		got, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && !want.Match(got) {
			err = fmt.Errorf("got %q, want a match of %v", got, want)
		}
		return err
	})
}

// poll tries until it works, and fails with the last error.
func poll(ts *testscript.TestScript, try func() error) {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %v: %v", patience, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port VAR")
	}
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	ts.Check(l.Close())
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get VAR RE")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("%s is not in stdout", args[1])
	}
	ts.Setenv(args[0], found[1])
}

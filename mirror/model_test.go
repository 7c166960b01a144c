package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// The model: a few nodes whose users do things to files while elements travel, mirrors
// pass, processes are killed and machines lose power. What a node does is real: the
// mirror with all of its pass, on a real directory, and a crdt.Replica with real
// signatures, admission and views. The rest is the model: who does what and when (one
// step after another, in a synctest bubble, so that time is the model's too), which
// elements a node has got, what a crash leaves of the records and of the directory
// (model_crash_test.go), and what was seen by whom (model_user_test.go). So a run is a
// function of its steps, and rapid finds the fewest that still fail.
//
// A mirror is held to what its users did, known from outside (model_world_test.go):
//
//   - it imports what a user did, once, and nothing else;
//   - the parents of an import are what its user saw: not less, or what was deleted
//     would come back; not more, or the work of others would be lost unseen;
//   - an export never covers what was not imported, and writes whole versions only;
//   - when all is delivered it comes to rest within a few passes, and makes no change
//     then; directories and views are equal, and are what the oracle says.

// modelShards run beside each other, each for -rapid.checks runs.
const modelShards = 2

// TestModel runs the model for -rapid.checks random lists of steps in each of two
// shards. A failure prints the shortest list that it could find, and how to repeat it.
func TestModel(t *testing.T) {
	for shard := range modelShards {
		t.Run(fmt.Sprint("shard-", shard), func(t *testing.T) {
			t.Parallel()
			dir := modelDir(t)
			rapid.Check(t, func(rt *rapid.T) {
				// In groups, because rapid draws short lists.
				groups := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawStep), 1, 6), 1, 12).Draw(rt, "steps")
				steps := slices.Concat(groups...)
				if err := simulate(t, dir, steps); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// modelDir returns a folder for runs, in memory where that is to be had: the model
// decides what a disk keeps, and syncs cost nothing there.
func modelDir(t *testing.T) string {
	t.Helper()
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "starling-model-*") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// simulate runs the steps in a new world and then lets it come to rest. The error says
// what must not be, and what led to it.
func simulate(t *testing.T, parent string, steps []step) error {
	trace, err := traceOf(t, parent, steps)
	if err != nil {
		return fmt.Errorf("%w\nwhat happened:\n  %s", err, strings.Join(trace, "\n  "))
	}
	return nil
}

// traceOf does what simulate does and tells what happened.
func traceOf(t *testing.T, parent string, steps []step) (trace []string, err error) {
	dir, err := os.MkdirTemp(parent, "run-") //nolint:usetesting // it goes with the run, not with the test
	if err != nil {
		return nil, err
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir)
		defer func() {
			if r := recover(); r != nil {
				failure, ok := r.(modelError)
				if !ok {
					failure = modelError(fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
				}
				err = errors.New(string(failure))
			}
			trace, err = w.trace, errors.Join(err, w.close())
		}()
		for _, s := range steps {
			w.do(w.nodes[s.Node%len(w.nodes)], s)
		}
		w.comeToRest()
	})
	return trace, errors.Join(err, os.RemoveAll(dir))
}

// modelError is what must not be. It is thrown, so that a check may be anywhere.
type modelError string

func failModel(format string, args ...any) { panic(modelError(fmt.Sprintf(format, args...))) }

func mustModel(err error) {
	if err != nil {
		failModel("%v", err)
	}
}

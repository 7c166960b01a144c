package mirror_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// step is one thing that happens. Its numbers are taken modulo what there is, so that
// every list of steps can happen.
type step struct {
	Op   op
	Node int
	Path int
	// N is which other node, path or way; see op.
	N int
	// During, if any, happens in the middle of this pass, at the moment At.
	At     int
	During []step
}

type op string

// What users do, with the directory of a node.
const (
	opSave   op = "save"   // change a field of the file, or make it; N: by rename, or in place
	opRemove op = "remove" // delete it
	opRename op = "rename" // to path N
	opSwap   op = "swap"   // with path N
	opResave op = "resave" // write the same bytes again
	opOlder  op = "older"  // write a text that it had, N changes ago
	opBreak  op = "break"  // write half of it
	opFolder op = "folder" // replace it by a folder with a file, or that folder by nothing
	opBegin  op = "begin"  // open it, or the first that is there, to save in place
	opFinish op = "finish" // and write it, or the first that was opened
	opPut    op = "put"    // change it by the API
	opOpen   op = "open"   // open a form of it
	opForm   op = "form"   // save the form with another field, though an export came meanwhile
	opBackup op = "backup" // as older, with the modification time of long ago
	opGut    op = "gut"    // write something else into every file
	opMarker op = "marker" // remove the directory's marker
)

// What happens to nodes.
const (
	opPass    op = "pass"    // a pass of the mirror; N even: over all, else over the path. Starts a node that is down
	opRest    op = "rest"    // passes until nothing waits
	opDeliver op = "deliver" // elements of node N; Path: how many, 0 is all
	opStop    op = "stop"    // end the process in order
	opKill    op = "kill"    // end the process
	opPower   op = "power"   // cut the power: N unsynced writes of the replica are lost, Path says what of the directory
	opDecide  op = "decide"  // approve, or (N odd) restore, what the guard holds
	opWait    op = "wait"    // let time pass; N: how long
)

var userOps = []op{opSave, opSave, opSave, opRemove, opRemove, opRename, opSwap, opResave, opOlder, opBreak, opFolder, opBegin, opBegin, opFinish, opOpen, opForm, opForm, opBackup, opGut, opMarker}

var nodeOps = []op{opPass, opPass, opPass, opPass, opRest, opRest, opDeliver, opDeliver, opDeliver, opPut, opStop, opKill, opPower, opDecide, opWait}

// duringOps happen in the middle of a pass.
var duringOps = []op{opSave, opRemove, opFinish, opKill, opPower, opKill, opPower, opDeliver, opRename, opSwap, opBegin, opFinish, opForm}

// waits are long enough for a file to settle, a deletion to be published, a directory
// to be flushed, the guard to forget.
var waits = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond, 61 * time.Second}

func drawStep(t *rapid.T) step {
	ops := userOps
	if rapid.Bool().Draw(t, "node") {
		ops = nodeOps
	}
	s := drawOne(t, ops)
	if s.Op == opPass && rapid.IntRange(0, 2).Draw(t, "meanwhile") == 0 {
		s.At = rapid.IntRange(1, 24).Draw(t, "at")
		s.During = []step{drawOne(t, duringOps)}
		if rapid.Bool().Draw(t, "more") {
			s.During = append(s.During, drawOne(t, duringOps))
		}
	}
	return s
}

func drawOne(t *rapid.T, ops []op) step {
	return step{
		Op:   rapid.SampledFrom(ops).Draw(t, "op"),
		Node: rapid.IntRange(0, modelNodes-1).Draw(t, "at node"),
		Path: rapid.IntRange(0, len(modelPaths)-1).Draw(t, "path"),
		N:    rapid.IntRange(0, 7).Draw(t, "n"),
	}
}

// GoString writes the step as the named cases have it.
func (s step) GoString() string {
	text := fmt.Sprintf("{Op: %q, Node: %d, Path: %d, N: %d", s.Op, s.Node, s.Path, s.N)
	if len(s.During) > 0 {
		text += fmt.Sprintf(", At: %d, During: []step{", s.At)
		for _, d := range s.During {
			text += d.GoString() + ", "
		}
		text += "}"
	}
	return text + "}"
}

// String is what rapid and the trace print.
func (s step) String() string { return s.GoString() }

package mirror_test

import (
	"os"
	"strings"
	"testing"
)

// modelCases are steps that once went wrong, or are known to be hard. The last step but
// for "after" is also interrupted at each of its moments: by a kill, or by a power failure
// that leaves more, or less, of what was not synced; by each of them in a long test.
var modelCases = []struct {
	name          string
	before, after []step
	interrupt     step
}{
	{
		name:      "an export and a newer value before the restart",
		before:    []step{{Op: opPut, Node: 1}, {Op: opDeliver, Node: 0, N: 1}, {Op: opRest, Node: 0}, {Op: opPut, Node: 1, N: 1}, {Op: opDeliver, Node: 0, N: 1}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opPut, Node: 1}, {Op: opDeliver, Node: 0, N: 1}, {Op: opRest, Node: 0}},
	},
	{
		name:      "an export and an edit before the restart",
		before:    []step{{Op: opPut, Node: 1}, {Op: opDeliver, Node: 0, N: 1}, {Op: opRest, Node: 0}, {Op: opPut, Node: 1, N: 1}, {Op: opDeliver, Node: 0, N: 1}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opSave, Node: 0, N: 2}, {Op: opRest, Node: 0}},
	},
	{
		name:      "an export and a deletion before the restart",
		before:    []step{{Op: opRest, Node: 0}, {Op: opPut, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opRemove, Node: 0}, {Op: opRest, Node: 0}},
	},
	{
		name:      "an export and the text before it again before the restart",
		before:    []step{{Op: opPut, Node: 0}, {Op: opRest, Node: 0}, {Op: opPut, Node: 0, N: 1}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opOlder, Node: 0, N: 1}, {Op: opRest, Node: 0}},
	},
	{
		name:      "an edit in place while an export replaces the file",
		before:    []step{{Op: opPut, Node: 1}, {Op: opDeliver, Node: 0, N: 1}, {Op: opRest, Node: 0}, {Op: opPut, Node: 1, N: 1}, {Op: opDeliver, Node: 0, N: 1}, {Op: opBegin, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opFinish, Node: 0}, {Op: opRest, Node: 0}},
	},
	{
		name:      "deleted and made again",
		before:    []step{{Op: opSave, Node: 0}, {Op: opRest, Node: 0}, {Op: opRemove, Node: 0}, {Op: opRest, Node: 0}, {Op: opSave, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
	},
	{
		name:      "deleted and made again between two passes while another node edits it",
		before:    []step{{Op: opSave, Node: 0}, {Op: opRest, Node: 0}, {Op: opDeliver, Node: 1, N: 0}, {Op: opRemove, Node: 0}, {Op: opSave, Node: 0}, {Op: opPut, Node: 1}},
		interrupt: step{Op: opPass, Node: 0},
	},
	{
		name:      "two files swapped while another node edits one",
		before:    []step{{Op: opSave, Node: 0}, {Op: opSave, Node: 0, Path: 1}, {Op: opRest, Node: 0}, {Op: opDeliver, Node: 1, N: 0}, {Op: opSwap, Node: 0, N: 1}, {Op: opPut, Node: 1}},
		interrupt: step{Op: opPass, Node: 0},
	},
	{
		name:      "a chain of renames",
		before:    []step{{Op: opSave, Node: 0}, {Op: opSave, Node: 0, Path: 1}, {Op: opRest, Node: 0}, {Op: opRename, Node: 0, Path: 1, N: 3}, {Op: opRename, Node: 0, Path: 0, N: 1}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opRename, Node: 0, Path: 1, N: 0}, {Op: opPass, Node: 0}},
	},
	{
		name:      "a file replaced by a folder and back",
		before:    []step{{Op: opSave, Node: 0}, {Op: opRest, Node: 0}, {Op: opFolder, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opRest, Node: 0}, {Op: opFolder, Node: 0}, {Op: opSave, Node: 0}},
	},
	{
		name:      "a file replaced by a folder, made again and deleted",
		before:    []step{{Op: opSave, Node: 0}, {Op: opRest, Node: 0}, {Op: opFolder, Node: 0}, {Op: opRest, Node: 0}, {Op: opFolder, Node: 0}, {Op: opSave, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opRest, Node: 0}, {Op: opRemove, Node: 0}, {Op: opRest, Node: 0}},
	},
	{
		name:      "a folder that holds a file replaced by a file",
		before:    []step{{Op: opFolder, Node: 0}, {Op: opRest, Node: 0}, {Op: opDeliver, Node: 1}, {Op: opRest, Node: 1}, {Op: opFolder, Node: 0}, {Op: opSave, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
	},
	{
		name:      "a file found by a joining node and renamed before the first sync is done",
		before:    []step{{Op: opSave, Node: 1}, {Op: opPass, Node: 1}, {Op: opRename, Node: 1, N: 1}},
		interrupt: step{Op: opPass, Node: 1},
	},
	{
		name: "an edit after a power failure and another power failure that undoes it",
		before: []step{
			{Op: opSave, Node: 0, Path: 3}, {Op: opPass, Node: 0, At: 3, During: []step{{Op: opPower, N: 7}}},
			{Op: opSave, Node: 0, Path: 3, N: 7},
		},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opPower, Node: 0, Path: 3, N: 7}},
	},
	{
		name: "an export a kill an edit and a power failure that undoes the edit",
		before: []step{
			{Op: opSave, Node: 0, Path: 1}, {Op: opRest, Node: 0}, {Op: opWait, N: 3}, {Op: opPass, Node: 0},
			{Op: opPut, Node: 0, Path: 1},
		},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opSave, Node: 0, Path: 1}, {Op: opPass, Node: 0}, {Op: opPower, Node: 0, Path: 2, N: 7}},
	},
	{
		name:      "deleted and made again in pieces when the deletion is due",
		before:    []step{{Op: opSave, Node: 0}, {Op: opRest, Node: 0}, {Op: opRemove, Node: 0}, {Op: opPass, Node: 0}, {Op: opWait, N: 2}, {Op: opBreak, Node: 0}},
		interrupt: step{Op: opPass, Node: 0},
		after:     []step{{Op: opRest, Node: 0}},
	},
	{
		name:      "a reader's file edited while its export is under way",
		before:    []step{{Op: opPut, Node: 1}, {Op: opDeliver, Node: 2, N: 1}, {Op: opRest, Node: 2}, {Op: opPut, Node: 1, N: 1}, {Op: opDeliver, Node: 2, N: 1}, {Op: opSave, Node: 2}},
		interrupt: step{Op: opPass, Node: 2},
	},
}

func TestModelCases(t *testing.T) {
	all := os.Getenv("STARLING_LONG") != ""
	crashes := []step{{Op: opKill}, {Op: opPower, N: 1, Path: 1}, {Op: opPower, N: 7, Path: 3}}
	for _, tt := range modelCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := modelDir(t)
			try := func(interrupt step) {
				t.Helper()
				steps := append(append(append([]step(nil), tt.before...), interrupt), tt.after...)
				if err := simulate(t, dir, steps); err != nil {
					t.Errorf("%#v:\n%v", interrupt, err)
				}
			}
			try(tt.interrupt)
			for at := 1; at <= 12; at++ {
				for i, crash := range crashes {
					if !all && i != at%len(crashes) {
						continue
					}
					interrupt := tt.interrupt
					interrupt.At, interrupt.During = at, []step{crash}
					try(interrupt)
				}
			}
		})
	}
}

// TestModelRepeats runs the same steps twice and wants the same to happen.
func TestModelRepeats(t *testing.T) {
	dir := modelDir(t)
	steps := []step{
		{Op: opSave, Node: 0}, {Op: opSave, Node: 1, Path: 1}, {Op: opPass, Node: 0}, {Op: opPass, Node: 1},
		{Op: opDeliver, Node: 1, N: 0}, {Op: opSwap, Node: 1, N: 1}, {Op: opRest, Node: 1}, {Op: opRename, Node: 1, Path: 1, N: 2}, {Op: opRest, Node: 1},
	}
	run := func() string {
		trace, err := traceOf(t, dir, steps)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(trace, "\n")
	}
	if one, other := run(), run(); one != other {
		t.Errorf("the same steps led to\n%s\nand to\n%s", one, other)
	}
}

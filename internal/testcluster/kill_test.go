package testcluster_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/trust"
)

var (
	killSeed = flag.Uint64("kill.seed", 0, "what TestKills does; 0 takes one by chance")
	killsMax = flag.Int("kills", 0, "how many kills TestKills does; default 20, with $STARLING_LONG 1000")
)

// killsOfOne is how many kills one cluster sees.
const killsOfOne = 10

// aimTime is how long a node may take to come to the failpoint at which it is to die.
const aimTime = 3 * time.Second

// phase is when in the life of a node a failpoint is passed.
type phase int

const (
	joining  phase = iota // by a new node: it joins and does its first sync
	starting              // after a kill
	working
	stopping
	flushing // a single file, when it is stopped
	leaving  // by a new node that is stopped soon
	inviting // by the authority, while a node joins
)

// target is a failpoint at which nodes are killed.
type target struct {
	phase phase
	death testcluster.Death
	// passes is how often the point may be passed before.
	passes int
}

func at(p phase, point failpoint.Point, file string, passes int) target {
	return target{p, testcluster.Death{Point: point, File: file}, passes}
}

// targets are all failpoints, some in several phases.
var targets = []target{
	at(joining, failpoint.SecretSynced, "", 4),
	at(joining, failpoint.SecretPlaced, "node.key", 0),
	at(joining, failpoint.SecretSaved, "network.key", 0),
	at(joining, failpoint.SecretPlaced, "membership.json", 0),
	at(joining, failpoint.SecretSaved, "membership.json", 0),
	at(joining, failpoint.MarkingTemp, "", 0),
	at(joining, failpoint.MarkingPlaced, "", 0),
	at(joining, failpoint.MarkingSynced, "", 0),
	at(joining, failpoint.MarkerMade, "", 0),
	at(joining, failpoint.BlockStored, "", 8),
	at(joining, failpoint.BlockProcessed, "", 8),
	at(joining, failpoint.BlockAdmitted, "", 8),
	at(joining, failpoint.FolderMade, "", 1),
	at(joining, failpoint.TempCreated, "", 30),
	at(joining, failpoint.TempWritten, "", 30),
	at(joining, failpoint.FileSystemSynced, "", 0),
	at(joining, failpoint.IntentsSaved, "", 0),
	at(joining, failpoint.ExportBegins, "", 0),
	at(joining, failpoint.Renaming, "", 30),
	at(joining, failpoint.Renamed, "", 30),
	at(joining, failpoint.ExportPlaced, "", 0),
	at(joining, failpoint.Imported, "", 0),
	at(joining, failpoint.RecordsSaved, "", 1),
	at(joining, failpoint.RecordsSynced, "", 2),
	at(joining, failpoint.FirstSyncEnds, "", 0),
	at(joining, failpoint.FirstSyncRecorded, "", 0),
	at(joining, failpoint.RecoveryEnds, "", 0),
	at(joining, failpoint.RecoveryRecorded, "", 0),

	at(starting, failpoint.MarkerSynced, "", 0),
	at(starting, failpoint.SetDropped, "", 0),
	at(starting, failpoint.SetRebuilding, "", 8),
	at(starting, failpoint.SetRebuilt, "", 0),

	at(working, failpoint.BatchFilled, "", 8),
	at(working, failpoint.BatchCommitted, "", 8),
	at(working, failpoint.BlockPut, "", 2),
	at(working, failpoint.BlockSynced, "", 2),
	at(working, failpoint.BlockStored, "", 2),
	at(working, failpoint.BlockProcessed, "", 4),
	at(working, failpoint.BlockAdmitted, "", 2),
	at(working, failpoint.Imported, "", 2),
	at(working, failpoint.TempCreated, "", 4),
	at(working, failpoint.TempWritten, "", 4),
	at(working, failpoint.TempSynced, "", 4),
	at(working, failpoint.IntentsSaved, "", 2),
	at(working, failpoint.ExportBegins, "", 2),
	at(working, failpoint.Renaming, "", 4),
	at(working, failpoint.Renamed, "", 4),
	at(working, failpoint.Deleting, "", 0),
	at(working, failpoint.Deleted, "", 0),
	at(working, failpoint.ExportPlaced, "", 2),
	at(working, failpoint.RecordsSaved, "", 4),
	at(working, failpoint.RecordsSynced, "", 4),

	at(flushing, failpoint.FileFlushed, "", 1),
	at(stopping, failpoint.Flushed, "", 0),
	at(stopping, failpoint.FlushRecorded, "", 0),
	at(stopping, failpoint.StoreClosed, "", 0),
	at(stopping, failpoint.MarkerRemoved, "", 0),

	at(leaving, failpoint.PeersSynced, "", 0),
	at(leaving, failpoint.PeersPlaced, "", 0),

	at(inviting, failpoint.SecretPlaced, "invitations.json", 1),
	at(inviting, failpoint.SecretSaved, "invitations.json", 1),
}

// TestKills kills nodes at work: a third of them in their first sync, half at a named
// failpoint and half at a moment by chance. After each kill the node is started again,
// and nothing may be lost, come back, be torn or be imported that nobody has edited.
func TestKills(t *testing.T) {
	seed, total, long := *killSeed, *killsMax, os.Getenv("STARLING_LONG") != ""
	if seed == 0 {
		seed = rand.Uint64()
	}
	if total == 0 {
		total = 20
		if long {
			total = 1000
		}
	}
	t.Logf("do it again (the machine's pace is not bound to the seed, so try more than once):\n"+
		"go test ./internal/testcluster -race -count=1 -timeout=0 -v -run '^TestKills$' -kill.seed=%d -kills=%d", seed, total)
	k := &killer{rng: rand.New(rand.NewPCG(seed, 0)), aimed: make(map[failpoint.Point]int), hits: make(map[failpoint.Point]int)}
	began := time.Now()
	for n := 0; k.kills < total && !t.Failed(); n++ {
		t.Run(fmt.Sprintf("cluster-%d", n), func(t *testing.T) { k.cluster(t, min(killsOfOne, total-k.kills)) })
	}
	t.Logf("%d kills in %v: %d in a first sync, %d at failpoints, %d edits acknowledged, %d changes checked",
		k.kills, time.Since(began).Round(time.Millisecond), k.joins, k.atPoints, k.acknowledged, k.changes)
	for _, p := range points() {
		t.Logf("%4d of %4d kills at %s", k.hits[p], k.aimed[p], p)
		if k.hits[p] == 0 && total >= 1000 {
			t.Errorf("nobody was killed at %s", p)
		}
	}
}

// points are the failpoints of the targets.
func points() []failpoint.Point {
	all := make(map[failpoint.Point]bool)
	for _, tg := range targets {
		all[tg.death.Point] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// killer kills the nodes of one cluster after the other.
type killer struct {
	rng         *rand.Rand
	aimed, hits map[failpoint.Point]int
	left        [2][]target // that come next: in first syncs, and elsewhere

	kills, joins, atPoints, acknowledged, changes int
}

// next returns the target of the next kill at a failpoint.
func (k *killer) next(join bool) target {
	which := 1
	if join {
		which = 0
	}
	if len(k.left[which]) == 0 {
		for _, tg := range targets {
			if (tg.phase == joining) == join {
				k.left[which] = append(k.left[which], tg)
			}
		}
		k.rng.Shuffle(len(k.left[which]), func(i, j int) {
			k.left[which][i], k.left[which][j] = k.left[which][j], k.left[which][i]
		})
	}
	tg := k.left[which][0]
	k.left[which] = k.left[which][1:]
	tg.death.After = k.rng.IntN(tg.passes + 1)
	return tg
}

func (k *killer) cluster(t *testing.T, kills int) {
	w := newWorkload(t, k.rng)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what was done:\n%s", strings.Join(w.done, "\n"))
		}
		k.acknowledged += len(w.acknowledged)
		k.changes += w.changes
	})
	for range kills {
		if t.Failed() {
			return
		}
		join := k.kills%3 == 0
		tg := target{phase: working}
		if join {
			tg.phase = joining
			k.joins++
		}
		if k.kills%2 == 0 {
			tg = k.next(join)
		}
		there := k.kill(w, tg)
		if tg.death.Point != "" {
			k.aimed[tg.death.Point]++
			if !there {
				t.Logf("missed: %v", tg.death)
			}
		}
		if there {
			k.atPoints++
			k.hits[tg.death.Point]++
		}
		k.kills++
	}
	w.readAcknowledged()
}

// kill kills one node, at the target or by chance, and returns whether it was there. What
// a cluster must be like after a kill is checked.
func (k *killer) kill(w *workload, tg target) (there bool) {
	victim := w.victimOf(tg.phase)
	w.note("node %d: launch, to die at %v", victim, tg.death)
	if tg.phase == starting {
		w.c.Launch(victim, testcluster.Death{})
		w.awaitOpen(victim)
		w.work(victim, time.Duration(k.rng.IntN(200))*time.Millisecond)
		w.c.Reap(victim)
	}
	w.c.Launch(victim, tg.death)
	var token trust.Token
	switch {
	case tg.death.Point == "":
		w.work(victim, time.Duration(k.rng.IntN(400))*time.Millisecond)
	case tg.phase == stopping, tg.phase == leaving:
		w.awaitOpen(victim)
		w.work(victim, time.Duration(k.rng.IntN(400))*time.Millisecond)
		w.c.Dismiss(victim)
		w.awaitDeath(victim)
	case tg.phase == flushing:
		w.awaitOpen(victim)
		w.saveOne(victim)
		w.c.Dismiss(victim)
		w.awaitDeath(victim)
	case tg.phase == inviting:
		token = w.invite(victim)
		w.work(victim, aimTime)
	default:
		w.work(victim, aimTime)
	}
	there = w.c.Reap(victim)
	w.note("node %d: dead; at the target %t", victim, there)
	w.checkCrashed(victim)
	w.goOn(victim)
	w.recover(victim)
	if tg.phase == inviting {
		w.joinAgain(token)
	}
	w.endRound(victim)
	return there
}

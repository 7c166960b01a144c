package crdt_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdttest"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/trust"
)

var (
	powerSeed = flag.Uint64("power.seed", 0, "what TestPowerLoss does; 0 takes one by chance")
	powerCuts = flag.Int("power.cuts", 0, "at how many moments TestPowerLoss cuts the power; default 60, with $STARLING_LONG 3000")
)

// TestPowerLoss cuts the power of a replica's disk at every failpoint that it passes while
// it works, starts, recovers and stops. The disk then holds what was synced, and of the
// rest nothing, all or some blocks and names. A replica that opens there must hold
// everything that was acknowledged, and no batch in part or out of order.
func TestPowerLoss(t *testing.T) {
	seed, cuts := *powerSeed, *powerCuts
	if seed == 0 {
		seed = rand.Uint64()
	}
	if cuts == 0 {
		cuts = 60
		if os.Getenv("STARLING_LONG") != "" {
			cuts = 3000
		}
	}
	t.Logf("do it again:\ngo test ./crdt -race -count=1 -timeout=0 -v -run '^TestPowerLoss$' -power.seed=%d -power.cuts=%d", seed, cuts)
	total := make(map[failpoint.Point]int)
	for cut := 0; cut < cuts && !t.Failed(); {
		m := newMachine(t, rand.New(rand.NewPCG(seed, uint64(cut))))
		m.run()
		for _, o := range m.outages {
			total[o.at]++
			cut++
			m.check(o)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%4d power losses at %s", total[p], p)
	}
	for _, p := range []failpoint.Point{
		failpoint.MarkerMade, failpoint.MarkerSynced, failpoint.SetDropped, failpoint.SetRebuilding, failpoint.SetRebuilt,
		failpoint.BatchFilled, failpoint.BatchCommitted, failpoint.BlockPut, failpoint.BlockSynced, failpoint.BlockStored,
		failpoint.BlockProcessed, failpoint.BlockAdmitted, failpoint.RecordsSynced, failpoint.StoreClosed, failpoint.MarkerRemoved,
	} {
		if total[p] == 0 {
			t.Errorf("no power loss at %s", p)
		}
	}
}

// machine is a replica on a disk that can lose its power.
type machine struct {
	t     *testing.T
	rng   *rand.Rand
	story *story
	key   crypto.PrivKey
	dir   string
	disk  *vfs.MemFS
	r     *crdt.Replica
	// admitted is how many of the story's blocks were admitted.
	admitted int

	mu      sync.Mutex // what follows is the hook's too
	moments *rand.Rand // of the hook
	outages []outage
	passed  map[failpoint.Point]int
	// batches are the records after each batch that was written, in order; the first
	// is that of an empty store. A batch of an Append has its change.
	batches []batch
	durable int // the last batch that was acknowledged as durable
	acked   map[definition.ChangeID]bool
}

type batch struct {
	records map[string]string
	change  definition.ChangeID
}

// outage is what the disk holds after the power was lost, in three of the ways that it
// can, and what must be there.
type outage struct {
	at      failpoint.Point
	disks   []*vfs.MemFS
	batches []batch
	durable int
	acked   map[definition.ChangeID]bool
}

func newMachine(t *testing.T, rng *rand.Rand) *machine {
	t.Helper()
	m := &machine{
		t: t, rng: rng, moments: rand.New(rand.NewPCG(rng.Uint64(), 0)), story: newStory(t), key: newKey(t), dir: t.TempDir(), disk: vfs.NewCrashableMem(),
		passed: make(map[failpoint.Point]int), batches: []batch{{}}, acked: make(map[definition.ChangeID]bool),
	}
	if err := m.disk.MkdirAll(m.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for dir := m.dir; ; dir = filepath.Dir(dir) { // the data directory is durable
		d, err := m.disk.OpenDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			t.Fatal(err)
		}
		if dir == "/" {
			return m
		}
	}
}

// run works until there were enough moments.
func (m *machine) run() {
	m.t.Helper()
	failpoint.Set(m.cut)
	defer failpoint.Set(nil)
	m.r = m.open(m.disk)
	m.story.weaver.c.grant(m.t, m.r, m.key, "own", trust.RoleWriter)
	for i := range 30 {
		n := m.rng.IntN(12)
		if i < 12 {
			n = i // each once at least
		}
		switch {
		case n < 4:
			m.append(n%2 == 0)
		case n < 7:
			m.save(n%2 == 0)
		case n < 10:
			m.admit()
		case n == 10:
			closeReplica(m.t, m.r)
			m.r = m.open(m.disk)
		case n == 11:
			m.kill()
		}
	}
	closeReplica(m.t, m.r)
}

// admit takes the next block of a peer.
func (m *machine) admit() {
	m.t.Helper()
	s := m.story
	if m.admitted == len(s.blocks) {
		s.add(s.write(s.a, seconds(uint64(len(s.blocks))), s.blocks[len(s.blocks)-1:], edit("peer.json", strconv.Itoa(m.rng.Int()))))
	}
	if _, err := m.r.Admit(m.t.Context(), s.blocks[m.admitted].raw); err != nil {
		m.t.Fatal(err)
	}
	m.admitted++
}

// kill ends the process: everything that it has written is there, but it may have had
// the last batches in its memory still. The peer sends its blocks again.
func (m *machine) kill() {
	m.t.Helper()
	killed := m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: m.rng})
	failpoint.Set(nil)
	closeReplica(m.t, m.r)
	failpoint.Set(m.cut)
	m.disk = killed
	m.r = m.open(m.disk)
	last, err := m.last(m.t.Context(), m.r)
	if err != nil {
		m.t.Fatal(err)
	}
	if last < m.durable {
		m.t.Fatalf("after a kill the records are those after batch %d, and %d was acknowledged", last, m.durable)
	}
	m.admitted = 0
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches = m.batches[:last+1]
}

// last returns which batch was the last that a replica has.
func (m *machine) last(ctx context.Context, r *crdt.Replica) (int, error) {
	stored, err := r.LoadRecords(ctx, "m/batch")
	if err != nil || len(stored) == 0 {
		return 0, err
	}
	return strconv.Atoi(string(stored["m/batch"]))
}

func (m *machine) open(on vfs.FS) *crdt.Replica {
	m.t.Helper()
	r, err := crdt.Open(m.t.Context(), crdt.Options{Dir: m.dir, Cluster: m.story.weaver.c.id, Key: m.key, FS: on})
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

// cut is the hook: it loses the power at some of the moments, the rare ones among them.
func (m *machine) cut(p failpoint.Point, _ string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passed[p]++
	if m.passed[p] > 2 && m.moments.IntN(8) > 0 {
		return
	}
	o := outage{at: p, batches: slices.Clone(m.batches), durable: m.durable, acked: maps.Clone(m.acked)}
	for _, percent := range []int{0, 50, 100} {
		o.disks = append(o.disks, m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: m.moments}))
	}
	m.outages = append(m.outages, o)
}

// batch begins a batch of records: some of a few keys, and the batch's number.
func (m *machine) batch() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	records := map[string][]byte{"m/batch": []byte(strconv.Itoa(len(m.batches)))}
	for range m.rng.IntN(3) {
		key := "m/" + strconv.Itoa(m.rng.IntN(4))
		records[key] = []byte(strconv.Itoa(m.rng.Int()))
		if m.rng.IntN(4) == 0 {
			records[key] = nil
		}
	}
	after := batch{records: maps.Clone(m.batches[len(m.batches)-1].records)}
	if after.records == nil {
		after.records = make(map[string]string)
	}
	for key, value := range records {
		if after.records[key] = string(value); value == nil {
			delete(after.records, key)
		}
	}
	m.batches = append(m.batches, after)
	return records
}

// acknowledged notes that everything until now is durable, and a change.
func (m *machine) acknowledged(change definition.ChangeID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.durable = len(m.batches) - 1
	if change != (definition.ChangeID{}) {
		m.acked[change] = true
	}
}

func (m *machine) save(durable bool) {
	m.t.Helper()
	if err := m.r.SaveRecords(m.t.Context(), m.batch(), durable); err != nil {
		m.t.Fatal(err)
	}
	if durable {
		m.acknowledged(definition.ChangeID{})
	}
}

func (m *machine) append(withRecords bool) {
	m.t.Helper()
	p := path(m.t, fmt.Sprintf("own-%d.json", m.rng.IntN(3)))
	d := definition.Draft{Edits: []definition.Edit{{Path: p, Parents: m.r.View(p).Heads, Content: []byte(strconv.Itoa(m.rng.Int()))}}}
	var records func([]definition.Version) map[string][]byte
	if withRecords {
		records = func(v []definition.Version) map[string][]byte {
			batch := m.batch()
			m.mu.Lock()
			defer m.mu.Unlock()
			m.batches[len(m.batches)-1].change = v[0].Change
			return batch
		}
	}
	versions, err := m.r.Append(m.t.Context(), d, records)
	if err != nil {
		m.t.Fatal(err)
	}
	m.acknowledged(versions[0].Change)
}

// check opens a replica on what an outage has left.
func (m *machine) check(o outage) {
	m.t.Helper()
	for i, disk := range o.disks {
		where := fmt.Sprintf("power loss at %s, disk %d", o.at, i)
		stored, err := crdttest.Read(m.dir, disk)
		if err == nil {
			err = stored.CheckCrashed()
		}
		if err != nil {
			m.t.Errorf("%s: %v", where, err)
		}
		ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
		r, err := crdt.Open(ctx, crdt.Options{Dir: m.dir, Cluster: m.story.weaver.c.id, Key: m.key, FS: disk})
		if err != nil {
			m.t.Errorf("%s: %v", where, err)
			cancel()
			continue
		}
		if err := m.recovered(ctx, r, o); err != nil {
			m.t.Errorf("%s: %v", where, err)
		}
		m.story.weaver.c.grant(m.t, r, m.key, "own", trust.RoleWriter) // the first may be lost
		put(m.t, r, "after.json", "x")
		closeReplica(m.t, r)
		if stored, err = crdttest.Read(m.dir, disk); err == nil {
			err = stored.CheckClosed()
		}
		if err != nil {
			m.t.Errorf("%s: after the next stop: %v", where, err)
		}
		cancel()
	}
}

// recovered returns an error unless the replica holds what must be there.
func (m *machine) recovered(ctx context.Context, r *crdt.Replica, o outage) error {
	have := make(map[definition.ChangeID]bool)
	err := r.Elements(ctx, func(element []byte) error {
		have[definition.ChangeID(definition.HashOf(element))] = true
		return nil
	})
	if err != nil {
		return err
	}
	for change := range o.acked {
		if !have[change] {
			return fmt.Errorf("change %s was acknowledged and is lost", change.Short())
		}
	}
	stored, err := r.LoadRecords(ctx, "m/")
	if err != nil {
		return err
	}
	records := make(map[string]string)
	for key, value := range stored {
		records[key] = string(value)
	}
	last, err := m.last(ctx, r)
	if err != nil {
		return err
	}
	if last < o.durable {
		return fmt.Errorf("the records are those after batch %d, and %d was acknowledged", last, o.durable)
	}
	if want := o.batches[last].records; !maps.Equal(records, want) {
		return fmt.Errorf("the records after batch %d are %v, want %v", last, records, want)
	}
	for i, b := range o.batches {
		if b.change != (definition.ChangeID{}) && have[b.change] != (i <= last) {
			return fmt.Errorf("the records are those after batch %d; change %s of batch %d: there %t", last, b.change.Short(), i, have[b.change])
		}
	}
	return nil
}

package crdt_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdttest"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// Where the records lie that go-ds-crdt keeps. They are part of the format on disk.
const (
	processedKeys = "/0/set/b/"
	headKeys      = "/0/set/h/"
	setKeys       = "/0/set/"
)

// disk is a replica's store, opened beside package crdt.
type disk struct {
	t  testing.TB
	db *pebble.DB
}

// withDisk calls do with the store of a replica that is closed.
func withDisk(t testing.TB, dir string, do func(d *disk)) {
	t.Helper()
	db, err := pebble.Open(filepath.Join(dir, "store"), &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	do(&disk{t: t, db: db})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)         {}
func (quiet) Errorf(string, ...any)        {}
func (quiet) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// keys returns the keys below a prefix.
func (d *disk) keys(prefix string) []string {
	d.t.Helper()
	upper := prefix[:len(prefix)-1] + "0" // '0' follows '/'
	iter, err := d.db.NewIter(&pebble.IterOptions{LowerBound: []byte(prefix), UpperBound: []byte(upper)})
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for iter.First(); iter.Valid(); iter.Next() {
		out = append(out, string(iter.Key()))
	}
	if err := iter.Close(); err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *disk) get(key string) []byte {
	d.t.Helper()
	value, closer, err := d.db.Get([]byte(key))
	if err != nil {
		d.t.Fatal(err)
	}
	value = append([]byte(nil), value...)
	if err := closer.Close(); err != nil {
		d.t.Fatal(err)
	}
	return value
}

func (d *disk) remove(key string) {
	d.t.Helper()
	if err := d.db.Delete([]byte(key), pebble.Sync); err != nil {
		d.t.Fatal(err)
	}
}

// checkClosed fails unless a replica that is closed has left its store in order.
func checkClosed(t testing.TB, dir string) {
	t.Helper()
	s, err := crdttest.Read(dir, nil)
	if err == nil {
		err = s.CheckClosed()
	}
	if err != nil {
		t.Error(err)
	}
}

// copyDir copies a directory as a crash would leave it: again, if the store has
// removed a file of its own meanwhile.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	var to string
	eventually(t, func() error {
		to = t.TempDir()
		return os.CopyFS(to, os.DirFS(from))
	})
	return to
}

// filled opens a replica and puts changes, deletions and concurrent changes of
// others in it.
func filled(t testing.TB, dir string) (*crdt.Replica, *story, crypto.PrivKey) {
	t.Helper()
	s := newStory(t)
	key := newKey(t)
	r := s.weaver.c.open(t, dir, key)
	s.weaver.c.grant(t, r, key, "own", trust.RoleWriter)
	for i := range 10 {
		put(t, r, fmt.Sprintf("own-%d.json", i%4), fmt.Sprint(i))
	}
	s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x.json", "2")))
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	return r, s, key
}

// state is what must survive a stop.
func state(r *crdt.Replica) string {
	return fmt.Sprint(r.Heads(), r.Digest(), r.Stats().Elements, r.Stats().Changes)
}

func TestACopyOfAnOpenStoreReopensFully(t *testing.T) {
	dir := t.TempDir()
	r, s, key := filled(t, dir)
	defer closeReplica(t, r)
	for i := range 5 {
		put(t, r, "last.json", fmt.Sprint(i)) // durable, and so is what was before it
		want := state(r)
		crashed := copyDir(t, dir)
		again := s.weaver.c.open(t, crashed, key)
		if got := state(again); got != want {
			t.Errorf("crash %d: state is\n%s, want\n%s", i, got, want)
		}
		put(t, again, "after.json", "x")
		closeReplica(t, again)
		checkClosed(t, crashed)
	}
}

func TestWhatACrashCutsOffTheLogIsAPrefix(t *testing.T) {
	dir := t.TempDir()
	r, s, key := filled(t, dir)
	defer closeReplica(t, r)
	logs, err := filepath.Glob(filepath.Join(dir, "store", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("there are %d logs: %v", len(logs), err)
	}
	last := filepath.Base(logs[len(logs)-1])
	size := int64(0)
	if info, err := os.Stat(filepath.Join(dir, "store", last)); err != nil {
		t.Fatal(err)
	} else {
		size = info.Size()
	}
	const cuts = 25
	for i := range int64(cuts) {
		crashed := copyDir(t, dir)
		if err := os.Truncate(filepath.Join(crashed, "store", last), size*i/cuts); err != nil {
			t.Fatal(err)
		}
		again, err := crdt.Open(t.Context(), crdt.Options{Dir: crashed, Cluster: s.weaver.c.id, Key: key})
		if err != nil {
			t.Errorf("cut at %d of %d bytes: %v", size*i/cuts, size, err)
			continue
		}
		s.weaver.c.grant(t, again, key, "own", trust.RoleWriter)
		put(t, again, "after.json", "x")
		closeReplica(t, again)
		checkClosed(t, crashed)
	}
}

func TestDamagedRecordsOfGoDSCRDTAreMadeAgain(t *testing.T) {
	tests := []struct {
		name   string
		damage func(d *disk)
	}{
		{"nothing", func(*disk) {}},
		{"all heads", func(d *disk) {
			for _, k := range d.keys(headKeys) {
				d.remove(k)
			}
		}},
		{"one head", func(d *disk) { d.remove(d.keys(headKeys)[0]) }},
		{"a head too many", func(d *disk) {
			heads := d.keys(headKeys)
			for _, k := range d.keys(processedKeys) {
				k = headKeys + strings.TrimPrefix(k, processedKeys)
				if err := d.db.Set([]byte(k), d.get(heads[0]), pebble.Sync); err != nil {
					d.t.Fatal(err)
				}
			}
		}},
		{"some processed keys", func(d *disk) {
			for i, k := range d.keys(processedKeys) {
				if i%2 == 0 {
					d.remove(k)
				}
			}
		}},
		{"processed keys and heads", func(d *disk) {
			d.remove(d.keys(headKeys)[0])
			d.remove(d.keys(processedKeys)[0])
		}},
		{"everything", func(d *disk) {
			for _, k := range d.keys(setKeys) {
				d.remove(k)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			r, s, key := filled(t, dir)
			want := state(r)
			closeReplica(t, r)
			withDisk(t, dir, tt.damage)
			r = s.weaver.c.open(t, dir, key)
			if got := state(r); got != want {
				t.Errorf("state is\n%s, want\n%s", got, want)
			}
			put(t, r, "after.json", "x")
			next := s.write(s.a, seconds(3), s.blocks[len(s.blocks)-2:], edit("x.json", "3", s.blocks[len(s.blocks)-2:]...))
			if _, err := r.Admit(t.Context(), next.raw); err != nil {
				t.Errorf("admit after it: %v", err)
			}
			put(t, r, "x.json", "4")
			closeReplica(t, r)
			checkClosed(t, dir)
		})
	}
}

func TestAFailureIsAnUncleanStop(t *testing.T) {
	dir := t.TempDir()
	r, s, key := filled(t, dir)
	want := state(r)
	r.Fail(errors.New("disk is on fire"))
	select {
	case <-r.Failed():
	default:
		t.Error("Failed is not closed")
	}
	d := definition.Draft{Edits: []definition.Edit{{Path: path(t, "lost.json"), Content: []byte("x")}}}
	if _, err := r.Append(t.Context(), d, nil); err == nil {
		t.Error("append wrote to a failed store")
	}
	if _, err := r.Admit(t.Context(), s.write(s.c, seconds(9), []*woven{s.start}, edit("y.json", "y")).raw); err == nil {
		t.Error("a block was admitted to a failed store")
	}
	closeReplica(t, r)
	if _, err := os.Stat(filepath.Join(dir, "unclean")); err != nil {
		t.Errorf("the marker of an unclean stop is gone: %v", err)
	}
	r = s.weaver.c.open(t, dir, key)
	if got := state(r); got != want {
		t.Errorf("state is\n%s, want\n%s", got, want)
	}
	put(t, r, "after.json", "x")
	closeReplica(t, r)
	checkClosed(t, dir)
}

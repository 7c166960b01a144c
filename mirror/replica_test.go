package mirror_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

var _ mirror.Replica = (*memReplica)(nil)

// memReplica is a replica in memory: the later edit wins, an edit beats a deletion,
// adopted edits lose. It knows which records a power failure would keep.
type memReplica struct {
	wake chan struct{}

	mu       sync.Mutex
	versions map[definition.Path][]memVersion
	dirty    map[definition.Path]bool
	seq      int
	appends  []definition.Draft
	records  map[string][]byte
	durable  map[string][]byte
	unsynced []map[string][]byte // the batches written since
	refuse   map[definition.Path]bool
	fail     error
	// writesLeft is after how many writes every further one fails; negative: never.
	writesLeft int
	onRead     func(definition.Path)
}

type memVersion struct {
	definition.Edit
	id  definition.Version
	seq int
	at  time.Time
}

func newMemReplica() *memReplica {
	return &memReplica{
		wake:     make(chan struct{}, 1),
		versions: make(map[definition.Path][]memVersion),
		dirty:    make(map[definition.Path]bool),
		records:  make(map[string][]byte),
		durable:  make(map[string][]byte),
		refuse:   make(map[definition.Path]bool),

		writesLeft: -1,
	}
}

// afterKill returns the replica as it is when its process was killed and is started
// again.
func (r *memReplica) afterKill() *memReplica {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := newMemReplica()
	next.versions, next.seq = maps.Clone(r.versions), r.seq
	next.records, next.durable = maps.Clone(r.records), maps.Clone(r.records)
	return next
}

// afterPowerFailure returns the replica as it is after the machine was started again:
// records that were not synced are gone.
func (r *memReplica) afterPowerFailure() *memReplica {
	next := r.afterKill()
	next.records, next.durable = maps.Clone(r.durable), maps.Clone(r.durable)
	if _, ok := next.records["boot"]; ok {
		next.records["boot"] = []byte("an earlier run of the machine")
	}
	return next
}

func (r *memReplica) Wake() <-chan struct{} { return r.wake }

func (r *memReplica) TakeDirty() []definition.Path {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := slices.Collect(maps.Keys(r.dirty))
	clear(r.dirty)
	return paths
}

func (r *memReplica) Paths() []definition.Path {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.versions))
}

func (r *memReplica) View(p definition.Path) definition.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, _ := r.view(p)
	return v
}

func (r *memReplica) Read(_ context.Context, p definition.Path) (definition.View, []byte, error) {
	if r.onRead != nil {
		r.onRead(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v, content := r.view(p)
	return v, bytes.Clone(content), nil
}

// Merged implements mirror.Replica: of several the latest.
func (r *memReplica) Merged(_ context.Context, p definition.Path, of ...definition.Version) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range slices.Backward(r.versions[p]) {
		if slices.Contains(of, v.id) {
			return bytes.Clone(v.Content), nil
		}
	}
	return nil, errors.New("no such version")
}

// Superseded implements mirror.Replica.
func (r *memReplica) Superseded(p definition.Path, h definition.Hash) (last time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.versions[p] {
		for _, older := range r.versions[p] {
			if slices.Contains(v.Parents, older.id) && !older.Deleted && definition.HashOf(older.Content) == h {
				last, ok = v.at, true
			}
		}
	}
	return last, ok
}

func (r *memReplica) view(p definition.Path) (definition.View, []byte) {
	covered := make(map[definition.Version]bool)
	all := r.versions[p]
	for _, v := range all {
		for _, parent := range v.Parents {
			covered[parent] = true
		}
	}
	view := definition.View{Path: p}
	var best *memVersion
	for i := len(all) - 1; i >= 0; i-- {
		v := &all[i]
		if covered[v.id] {
			continue
		}
		view.Heads = append(view.Heads, v.id)
		if best == nil || rank(v) > rank(best) || rank(v) == rank(best) && v.seq > best.seq {
			best = v
		}
	}
	if best == nil {
		return view, nil
	}
	view.Winner = best.id
	if best.Deleted {
		return view, nil
	}
	view.Present, view.Hash = true, definition.HashOf(best.Content)
	return view, best.Content
}

func rank(v *memVersion) int {
	switch {
	case v.Adopted:
		return 0
	case v.Deleted:
		return 1
	}
	return 2
}

type refusedError []definition.Path

func (e refusedError) Error() string                   { return "the grant does not allow these paths" }
func (e refusedError) RefusedPaths() []definition.Path { return e }

func (r *memReplica) Append(_ context.Context, d definition.Draft, records func([]definition.Version) map[string][]byte) ([]definition.Version, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.spend(); err != nil {
		return nil, err
	}
	var refused refusedError
	seen := make(map[definition.Path]bool)
	for _, e := range d.Edits {
		if r.refuse[e.Path] {
			refused = append(refused, e.Path)
		}
		if seen[e.Path] {
			return nil, fmt.Errorf("append: %s comes twice", e.Path)
		}
		seen[e.Path] = true
	}
	if refused != nil {
		return nil, refused
	}
	ids := r.insert(d)
	r.write(records(ids), true)
	r.appends = append(r.appends, d)
	return ids, nil
}

// insert adds the edits of one change.
func (r *memReplica) insert(d definition.Draft) []definition.Version {
	r.seq++
	change := definition.ChangeID(sha256.Sum256(fmt.Append(nil, r.seq)))
	ids := make([]definition.Version, len(d.Edits))
	for i, e := range d.Edits {
		e.Content = bytes.Clone(e.Content)
		ids[i] = definition.Version{Change: change, Path: e.Path}
		r.versions[e.Path] = append(slices.Clone(r.versions[e.Path]), memVersion{e, ids[i], r.seq, time.Now()})
		r.dirty[e.Path] = true
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return ids
}

func (r *memReplica) LoadRecords(_ context.Context, prefix string) (map[string][]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make(map[string][]byte)
	for k, v := range r.records {
		if strings.HasPrefix(k, prefix) {
			found[k] = v
		}
	}
	return found, nil
}

func (r *memReplica) SaveRecords(_ context.Context, records map[string][]byte, sync bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.spend(); err != nil {
		return err
	}
	r.write(records, sync)
	return nil
}

// spend takes one of the writes that are left.
func (r *memReplica) spend() error {
	switch {
	case r.fail != nil:
		return r.fail
	case r.writesLeft == 0:
		return errDisk
	case r.writesLeft > 0:
		r.writesLeft--
	}
	return nil
}

// dead reports whether the writes are spent.
func (r *memReplica) dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writesLeft == 0
}

func (r *memReplica) write(records map[string][]byte, sync bool) {
	for k, v := range records {
		if v == nil {
			delete(r.records, k)
		} else {
			r.records[k] = v
		}
	}
	r.unsynced = append(r.unsynced, records)
	if !sync {
		return
	}
	r.survive(len(r.unsynced))
	r.unsynced = nil
}

// survive makes the first batches of those that were not synced durable.
func (r *memReplica) survive(batches int) {
	for _, b := range r.unsynced[:batches] {
		for k, v := range b {
			if v == nil {
				delete(r.durable, k)
			} else {
				r.durable[k] = v
			}
		}
	}
}

// frozen returns a copy, to be what a crash at this moment leaves.
func (r *memReplica) frozen() *memReplica {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := newMemReplica()
	next.versions, next.seq = maps.Clone(r.versions), r.seq
	next.records, next.durable, next.unsynced = maps.Clone(r.records), maps.Clone(r.durable), slices.Clone(r.unsynced)
	next.appends = slices.Clone(r.appends)
	return next
}

// afterCrash returns the replica as it is after a crash that the first batches of those
// that were not synced have survived.
func (r *memReplica) afterCrash(batches int, rebooted bool) *memReplica {
	next := r.frozen()
	next.survive(batches)
	next.unsynced = nil
	if rebooted {
		return next.afterPowerFailure()
	}
	next.records = maps.Clone(next.durable)
	return next.afterKill()
}

// remote makes another node's change on top of the present views; nil content
// deletes.
func (r *memReplica) remote(files map[string][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var d definition.Draft
	for _, name := range slices.Sorted(maps.Keys(files)) {
		p := path(name)
		view, _ := r.view(p)
		d.Edits = append(d.Edits, definition.Edit{
			Path: p, Parents: view.Heads, Content: files[name], Deleted: files[name] == nil,
		})
	}
	r.insert(d)
}

// concurrent makes another node's change that saw nothing of the path.
func (r *memReplica) concurrent(name string, content []byte, parents ...definition.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.insert(definition.Draft{Edits: []definition.Edit{{
		Path: path(name), Content: content, Deleted: content == nil, Parents: parents,
	}}})
}

func (r *memReplica) setFailure(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = err
}

// drafts returns the changes that the mirror has appended.
func (r *memReplica) drafts() []definition.Draft {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.appends)
}

func (r *memReplica) edits() []definition.Edit {
	var all []definition.Edit
	for _, d := range r.drafts() {
		all = append(all, d.Edits...)
	}
	return all
}

// content returns what the view wants of a file, or "absent".
func (r *memReplica) content(name string) string {
	v, b, err := r.Read(context.Background(), path(name))
	if err != nil || !v.Present {
		return "absent"
	}
	return string(b)
}

func path(name string) definition.Path {
	p, err := definition.ParsePath(name)
	if err != nil {
		panic(err)
	}
	return p
}

var errDisk = errors.New("disk on fire")

func TestMemReplica(t *testing.T) {
	r := newMemReplica()
	r.remote(map[string][]byte{"a.json": []byte("1")})
	r.remote(map[string][]byte{"a.json": []byte("2")})
	if got, want := r.content("a.json"), "2"; got != want {
		t.Errorf("content = %q, want %q", got, want)
	}
	if got, want := len(r.View(path("a.json")).Heads), 1; got != want {
		t.Errorf("heads = %d, want %d", got, want)
	}
}

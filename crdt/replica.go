package crdt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	dscrdt "github.com/ipfs/go-ds-crdt"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/diskspace"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/trust"
)

var (
	// ErrDraft is returned by Append for a draft that no node would accept.
	ErrDraft = errors.New("invalid draft")
	// ErrNotMember is returned by Append until this node's own grant is admitted.
	ErrNotMember = errors.New("this node is no member of the cluster yet")
	// ErrNotAllowed is returned by Append for an edit that no grant of this node
	// allows, and by the statements for a key that is not the authority's.
	ErrNotAllowed = errors.New("not allowed by this node's grants")
	// ErrRevoked is returned by Append once this node is revoked, and by Grant for
	// a key that was.
	ErrRevoked = errors.New("the key was revoked")
	// ErrBehind is returned by all that signs while this replica lacks what it held before (see
	// Options.Known), and by Append in the first restoreTime after the start while
	// peers say that they hold changes of this node that it has not got back yet: it
	// was restored from an old copy.
	ErrBehind = errors.New("this node's own last changes are not fetched yet")
	// ErrNotFound is returned for a change or a version that the set does not hold.
	ErrNotFound = errors.New("not in the set")
	// ErrCollision is returned by Past.Rollback if a path cannot come back because
	// another one, which is not to go, cannot stand beside it.
	ErrCollision = errors.New("paths collide")
	// ErrWithheld is returned if this node cannot tell what a file should be, because
	// the cluster merges by rules that it does not know.
	ErrWithheld = errors.New("not known by this node")
	// ErrSpace is returned while the disk has less than MinFree bytes left:
	// nothing is admitted or appended then.
	ErrSpace = errors.New("too little free disk space")
)

// Options configures a replica.
type Options struct {
	// Dir holds the store and the marker of an unclean stop. It must exist; the
	// caller makes sure that no other process uses it.
	Dir string
	// Cluster names the cluster whose elements the replica holds.
	Cluster trust.ClusterID
	// Key signs this node's changes.
	Key crypto.PrivKey
	// MinFree is how many bytes must be free on the store's disk for anything to
	// be written; 0 means 256 MiB.
	MinFree uint64
	// Known are blocks that this replica held before: see Replica.Known. It signs nothing until it holds
	// them again, or GiveUp was called.
	Known []cid.Cid
	// FS is what the store lies on; nil is the disk. It is for tests that want a store
	// in memory, or one that forgets.
	FS vfs.FS
	// OnStatement is called after a grant, revocation or rules statement was
	// admitted, by the goroutine that admitted it; it must not block or append.
	OnStatement func()
	// Logger gets what a human wants to know once; nil discards.
	Logger *slog.Logger
}

// restoreTime bounds how long the word of a peer, which may be false, keeps this
// node from signing.
const restoreTime = 30 * time.Second

// DefaultMinFree is what Options.MinFree is when it is zero.
const DefaultMinFree = 256 << 20

// Replica is one node's copy of the set with its index and views. Its methods
// are safe for concurrent use.
type Replica struct {
	opts  Options
	self  peer.ID
	log   *slog.Logger
	store *store
	dag   *dagService
	feed  *feed
	set   *dscrdt.Datastore

	refused *refusals
	recent  recentChanges
	mirrors *Dirty // what the mirror takes from
	// onAppend is told of each block that this node wrote, once it is on disk.
	onAppend func(*block)

	// appendMu is the append lock: one block at a time enters go-ds-crdt, be it
	// this node's own or an admitted one. It is taken before mu.
	appendMu sync.Mutex
	closed   bool
	failure  error // the store failed: nothing is written any more
	failed   chan struct{}

	summaryMu sync.Mutex // taken before mu
	summary   Summary
	summaryOf chan struct{} // the state of the set (changed) that summary is of

	mu     sync.RWMutex // guards what follows
	index  *index
	dirty  []*Dirty
	opened time.Time
	// changed is closed and replaced with each element.
	changed chan struct{}
	// ownKnown is the highest number of this node's own changes that a peer holds.
	ownKnown uint64
	expected []cid.Cid // see Options.Known
}

// Open opens the replica in a directory and recovers it: the index is computed
// from the blocks, and go-ds-crdt gets all of them again after an unclean stop or
// if its records do not fit the index. It blocks until that is done.
func Open(ctx context.Context, opts Options) (*Replica, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.MinFree == 0 {
		opts.MinFree = DefaultMinFree
	}
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	self, err := peer.IDFromPrivateKey(opts.Key)
	if err != nil {
		return nil, fmt.Errorf("open replica: %w", err)
	}
	s, err := openStore(opts.Dir, opts.FS, opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("open replica: %w", err)
	}
	r := &Replica{
		opts:     opts,
		self:     self,
		log:      opts.Logger,
		store:    s,
		feed:     newFeed(),
		refused:  newRefusals(),
		onAppend: func(*block) {},
		changed:  make(chan struct{}),
		opened:   time.Now(),
		failed:   make(chan struct{}),
		expected: opts.Known,
	}
	r.mirrors = newDirty(r)
	r.dirty = []*Dirty{r.mirrors}
	r.index = newIndex(r.contentOf)
	r.dag = &dagService{store: s, find: r.priority}
	if err := r.recover(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open replica: %w", err), r.shut())
	}
	return r, nil
}

// openSet starts go-ds-crdt.
func (r *Replica) openSet() error {
	opts := dscrdt.DefaultOptions()
	opts.Logger = setLog{r.log}
	opts.NumWorkers = 1                       // blocks come one at a time, oldest first
	opts.RepairInterval = 0                   // recover does what Repair cannot
	opts.RebroadcastInterval = 24 * time.Hour // hellos carry the heads
	opts.MaxBatchDeltaSize = math.MaxInt32    // there are no batches
	set, err := dscrdt.New(r.store, ds.NewKey(setPrefix), r.dag, r.feed, opts)
	if err != nil {
		return fmt.Errorf("open set: %w", err)
	}
	r.set = set
	return nil
}

// Close waits for what is being written, syncs it and closes the store. The
// caller has closed everything that uses the replica.
func (r *Replica) Close() error {
	r.appendMu.Lock()
	if r.closed {
		r.appendMu.Unlock()
		return nil
	}
	r.closed = true
	r.appendMu.Unlock()
	err := r.store.sync(context.Background())
	if err := errors.Join(err, r.shut()); err != nil {
		return fmt.Errorf("close replica: %w", err)
	}
	failpoint.Hit(failpoint.StoreClosed, "")
	if r.failure == nil { // else go-ds-crdt's records may be half written: the marker stays
		if err := r.opts.FS.Remove(filepath.Join(r.opts.Dir, marker)); err != nil {
			return fmt.Errorf("close replica: %w", err)
		}
		failpoint.Hit(failpoint.MarkerRemoved, marker)
	}
	return nil
}

// shut closes the parts in their order: the feed first, so that go-ds-crdt gets
// nothing new, the store last.
func (r *Replica) shut() error {
	r.feed.close()
	var err error
	if r.set != nil {
		err = r.set.Close()
	}
	return errors.Join(err, r.store.Close())
}

// open says why nothing may be written now, or nil. The caller holds the append
// lock.
func (r *Replica) open() error {
	switch {
	case r.closed:
		return errFeedClosed
	case r.failure != nil:
		return r.failure
	}
	return r.Space()
}

// Space returns an error that wraps ErrSpace while nothing is taken in because too
// little of the store's disk is free.
func (r *Replica) Space() error {
	free, err := diskspace.Free(r.opts.Dir)
	if err != nil {
		return err
	}
	if free < r.opts.MinFree {
		return fmt.Errorf("%w: %d MiB are free, %d must be", ErrSpace, free>>20, r.opts.MinFree>>20)
	}
	return nil
}

// fail ends all writing after an error that may have left the store and the
// index apart; the next start computes the index again. The caller holds the
// append lock.
func (r *Replica) fail(err error) error {
	if r.failure == nil {
		r.failure = fmt.Errorf("storage failed, restart the node: %w", err)
		close(r.failed)
	}
	return r.failure
}

// Failed is closed once the store has failed; Err then says how.
func (r *Replica) Failed() <-chan struct{} { return r.failed }

// Err returns how the store failed, or nil.
func (r *Replica) Err() error {
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	return r.failure
}

// addToIndex makes an element that is in the store visible.
func (r *Replica) addToIndex(b *block, e *element) {
	r.mu.Lock()
	paths := r.index.add(b, e)
	for _, d := range r.dirty {
		d.Add(paths)
	}
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	if e.statement != nil && r.opts.OnStatement != nil {
		r.opts.OnStatement()
	}
}

// Wake has a value whenever TakeDirty may have something. It has one receiver; who
// else wants to know has a Dirty of its own.
func (r *Replica) Wake() <-chan struct{} { return r.mirrors.Wake() }

// TakeDirty returns the paths whose view may have changed since the last call.
func (r *Replica) TakeDirty() []definition.Path { return r.mirrors.Take() }

// Await blocks until done reports true or ctx ends. It calls done now and after
// each element that is admitted.
func (r *Replica) Await(ctx context.Context, done func() bool) error {
	for {
		r.mu.RLock()
		changed := r.changed
		r.mu.RUnlock()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// priority returns the priority of an admitted block.
func (r *Replica) priority(c cid.Cid) (uint64, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.index.find(c)
	if e == nil {
		return 0, false
	}
	return e.prio, true
}

// setLog passes on what go-ds-crdt warns of.
type setLog struct{ log *slog.Logger }

func (setLog) Debug(...any)          {}
func (setLog) Debugf(string, ...any) {}
func (setLog) Info(...any)           {}
func (setLog) Infof(string, ...any)  {}

func (l setLog) Warn(args ...any)             { l.log.Debug("set", "err", fmt.Sprint(args...)) }
func (l setLog) Warnf(f string, args ...any)  { l.log.Debug("set", "err", fmt.Sprintf(f, args...)) }
func (l setLog) Error(args ...any)            { l.log.Error("set", "err", fmt.Sprint(args...)) }
func (l setLog) Errorf(f string, args ...any) { l.log.Error("set", "err", fmt.Sprintf(f, args...)) }
func (l setLog) Fatal(args ...any)            { l.Panic(args...) }
func (l setLog) Fatalf(f string, args ...any) { l.Panicf(f, args...) }
func (setLog) Panic(args ...any)              { panic(fmt.Sprint(args...)) }
func (setLog) Panicf(f string, args ...any)   { panic(fmt.Sprintf(f, args...)) }

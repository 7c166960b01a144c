package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// What Open and Mark return if the directory is not there, if this user may not run the
// mirror of it (the error says what to do), if another process mirrors it, or if it belongs to
// another cluster. ErrNoMarker is why a mirror has stopped whose directory has no marker: it was
// emptied, or is not mounted, or a program has removed it.
var (
	ErrNoDirectory   = dir.ErrNoDirectory
	ErrPermission    = dir.ErrPermission
	ErrLocked        = dir.ErrLocked
	ErrNoMarker      = dir.ErrNoMarker
	ErrForeignMarker = dir.ErrForeignMarker
)

var (
	// ErrNotEmpty is returned by Refill, and by Open if Refill is set, if the directory has
	// no marker, but files.
	ErrNotEmpty = errors.New("it has no marker " + dir.MarkerName + " and is not empty, so it cannot be refilled: " +
		"if its files are the right ones, run \"starling mark\", else move them away")
	// ErrEmpty is returned by MarkAgain if the directory holds nothing.
	ErrEmpty = errors.New("it is empty: if it is meant to be, run \"starling refill\"")
	// ErrMarked is returned by Refill if the directory has its marker.
	ErrMarked = errors.New("it has its marker")
	// ErrStopped is returned by Pass, Approve, Restore, Read and Digest while the
	// mirror has stopped because of the state of the directory.
	ErrStopped = errors.New("the mirror has stopped")
	// ErrNoApproval is returned by Approve and Restore for an id that is not, or
	// no longer, held.
	ErrNoApproval = errors.New("nothing is held under this id")
	// ErrObserving is returned by Approve and Restore while the mirror only
	// observes.
	ErrObserving = errors.New("this node only observes")
	// ErrNotRunning is returned by Pass, Approve, Restore, Read and Digest after Run
	// has returned.
	ErrNotRunning = errors.New("the mirror does not run")
)

// Options says what to mirror and how. The zero value of every field but Dir and
// Cluster is its default.
type Options struct {
	// Dir is the directory.
	Dir string
	// Cluster is the cluster's id, which the directory's marker must hold.
	Cluster string
	// Founder: the node that made the cluster. What it has on disk is the
	// cluster's first content, so it has no first sync to wait for.
	Founder bool

	// Extensions are the endings of the files that are mirrored, with their
	// dots. Default .json, .yml, .yaml.
	Extensions []string
	// FileMode is the mode of new files; a replaced file keeps its own.
	// Default 0640.
	FileMode fs.FileMode
	// Aside is a folder outside the directory where a reader's own edits are
	// put before the view is restored. It is made when it is first needed. If
	// it is empty, such files are held instead.
	Aside string
	// ReadOnly reports whether this node is a reader now. It is called by the
	// mirror loop and must not block. Default: a writer.
	ReadOnly func() bool
	// Observe: write and publish nothing; Status says what would be done.
	Observe bool
	// Refill allows a directory that is empty and has no marker: it is marked
	// and filled, and no deletion is published. For volumes that do not last.
	Refill bool
	// MinFree is the free disk space, in bytes, below which nothing is
	// imported. Default 256 MiB.
	MinFree uint64

	// SettleTime is how long size and modification time of a file must have
	// rested before it counts as complete, if its content does not show it.
	// Default 200 ms.
	SettleTime time.Duration
	// DeleteSettle is how long no other file must have gone before deletions are
	// published. Default 500 ms.
	DeleteSettle time.Duration
	// Rescan is the time between two looks at the whole directory. Default
	// 1 minute, or 10 s where the file system reports no changes.
	Rescan time.Duration

	// FormTime is for how long after an export a save may still be an edit of what the
	// export has replaced: a form, or an editor, that was opened before. Default 15 minutes.
	FormTime time.Duration

	// Logger may be nil.
	Logger *slog.Logger
}

const (
	defaultMinFree      = 256 << 20
	defaultSettleTime   = 200 * time.Millisecond
	defaultDeleteSettle = 500 * time.Millisecond
	defaultRescan       = time.Minute
	defaultFormTime     = 15 * time.Minute
	unwatchedRescan     = 10 * time.Second
)

// withDefaults fills the defaults in and makes Dir absolute.
func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" || o.Cluster == "" {
		return o, errors.New("open mirror: directory and cluster must be given")
	}
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("open mirror: %w", err)
	}
	o.Dir = abs
	if len(o.Extensions) == 0 {
		o.Extensions = DefaultExtensions()
	}
	o.Extensions = slices.Clone(o.Extensions)
	for i, ext := range o.Extensions {
		if o.Extensions[i] = strings.ToLower(ext); !strings.HasPrefix(ext, ".") || strings.Contains(ext, "/") {
			return o, fmt.Errorf("open mirror: extension %q: want a dot and an ending, such as .json", ext)
		}
	}
	if o.FileMode == 0 {
		o.FileMode = 0o640
	}
	if o.ReadOnly == nil {
		o.ReadOnly = func() bool { return false }
	}
	if o.MinFree == 0 {
		o.MinFree = defaultMinFree
	}
	if o.SettleTime == 0 {
		o.SettleTime = defaultSettleTime
	}
	if o.DeleteSettle == 0 {
		o.DeleteSettle = defaultDeleteSettle
	}
	if o.FormTime == 0 {
		o.FormTime = defaultFormTime
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Mirror keeps one directory and one replica equal. Its methods are safe for
// concurrent use; Run is called once.
type Mirror struct {
	opts    Options
	replica Replica
	log     *slog.Logger

	startOnce sync.Once
	started   chan struct{}
	ready     chan struct{}
	requests  chan *request
	ended     chan struct{} // closed when Run returns

	report report

	// Everything below belongs to the goroutine of Run.
	dir   *dir.Directory
	watch *dir.Watch
	// watching: Run has begun to watch the directory.
	watching bool
	stopped  error // why nothing may be touched now

	ledger     *ledger
	guard      *lossGuard
	holds      *holds
	moves      *moves
	copies     *copies
	forms      *forms
	quarantine quarantine
	surveyed   survey // the last one of a directory without marker
	settling   settling
	cuts       *cutFiles
	mounts     *mounts
	replaced   *replacedFiles
	again      map[definition.Path]struct{} // to look at in the next pass
	retry      retry
	unsaved    map[string][]byte // records that could not be written
	lowSpace   string            // how little is left; empty if it is enough
	failing    string            // what failed in the last pass; see Status
	failingAll bool              // it was a pass over everything
	nextRescan time.Time
	equal      bool       // directory and view have been equal since Run began
	waiting    []*request // for the end of a later pass
	planned    planned    // by a mirror that observes
	users      users

	// onPlace is called before each rename and removal of an export, onPass before each
	// pass; tests act then.
	onPlace, onPass func()
}

// Open locks the directory, checks that it is the right one and that this user may
// work in it, and loads the mirror's records from the replica. It changes nothing
// in the directory, except that it marks an empty one if Refill is set. A mirror of a
// directory without its marker is stopped (see Status) until it is marked again. The error
// wraps one of the sentinels ErrNoDirectory, ErrPermission, ErrLocked, ErrForeignMarker,
// ErrNotEmpty where that is the cause.
//
// Close releases the directory.
func Open(ctx context.Context, opts Options, replica Replica) (*Mirror, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := dir.Open(opts.Dir)
	if err != nil {
		return nil, err
	}
	m := &Mirror{
		opts:       opts,
		replica:    replica,
		log:        opts.Logger,
		started:    make(chan struct{}),
		ready:      make(chan struct{}),
		requests:   make(chan *request),
		ended:      make(chan struct{}),
		report:     report{log: opts.Logger},
		dir:        d,
		ledger:     &ledger{replica: replica, log: opts.Logger},
		holds:      newHolds(opts.Logger),
		settling:   settling{files: make(map[definition.Path]resting), dir: d, enough: opts.SettleTime},
		cuts:       &cutFiles{replica: replica, files: make(map[definition.Path]cutFile)},
		quarantine: quarantine(opts.Aside),
		again:      make(map[definition.Path]struct{}),
		planned:    make(planned),
		users:      make(users),
		onPlace:    func() {},
		onPass:     func() {},
	}
	m.guard = newLossGuard(m.ledger, m.holds, opts.Logger, opts.DeleteSettle)
	m.moves = &moves{ledger: m.ledger, guard: m.guard, settling: m.settling, dir: d, replica: replica, again: m.again}
	m.copies = newCopies(m.ledger)
	m.forms = &forms{ledger: m.ledger, limit: opts.FormTime, log: opts.Logger}
	m.replaced = &replacedFiles{
		ledger: m.ledger, dir: d, readOnly: opts.ReadOnly, settle: opts.SettleTime, quarantine: m.quarantine, log: opts.Logger,
	}
	m.watch = dir.NewWatch(opts.Logger, m.rescan)
	m.mounts = &mounts{replica: replica, ledger: m.ledger, holds: m.holds, dir: d, table: dir.OpenMountTable()}
	if err := m.open(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Mirror) open(ctx context.Context) error {
	err := m.dir.CheckMarker(m.opts.Cluster)
	switch {
	case errors.Is(err, ErrNoMarker) && m.opts.Refill && !m.opts.Observe:
		if err := m.refill(ctx); err != nil {
			return fmt.Errorf("refill directory %s: %w", m.opts.Dir, err)
		}
		return nil
	case errors.Is(err, ErrNoMarker):
		m.stopped = err // and Run finds out whether it is the same directory
	case err != nil:
		return err
	}
	if err := m.ledger.load(ctx, m.opts.Founder); err != nil {
		return err
	}
	if err := m.cuts.load(ctx); err != nil {
		return err
	}
	if err := m.mounts.load(ctx); err != nil {
		return err
	}
	return m.guard.load(ctx, m.replica)
}

// Close releases the directory. Run must have returned, or never have been called.
func (m *Mirror) Close() error { return errors.Join(m.mounts.table.Close(), m.dir.Close()) }

// StartSync says that the replica holds everything that the first sync needs. Until
// it is called the mirror touches and imports nothing. Further calls do nothing.
func (m *Mirror) StartSync() { m.startOnce.Do(func() { close(m.started) }) }

// Ready is closed once the first sync is done and the directory has been equal to
// the view (but for held files) since Run began.
func (m *Mirror) Ready() <-chan struct{} { return m.ready }

// DefaultExtensions returns the endings of the files that are mirrored unless others are
// configured.
func DefaultExtensions() []string { return []string{".json", ".yml", ".yaml"} }

// mirrors reports whether a name has one of the mirrored endings.
func (o Options) mirrors(name string) bool {
	return slices.Contains(o.Extensions, strings.ToLower(filepath.Ext(name)))
}

// mirrored reports whether a name is one of a file that is mirrored.
func (o Options) mirrored(name string) bool {
	_, err := definition.ParsePath(name)
	return err == nil && o.mirrors(name)
}

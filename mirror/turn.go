package mirror

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// turn is one pass of the loop: over the paths that something happened to, or over
// all of them.
type turn struct {
	now  time.Time
	full bool
	// paths are to be looked at; the value is what lstat says, if the scan has
	// asked already.
	paths   map[definition.Path]fs.FileInfo
	request *request
	// approve and restore are the held set that a request decides about.
	approve, restore *heldSet

	// temps are temporary files that the scan came upon.
	temps []string

	imports []finding
	lost    [2][]finding // by LossKind: those that wait, as they are now
	exports []finding
	// records are written at the end of the turn; synced says whether durably.
	records map[string][]byte
	synced  bool
	// bytes is the content that imports hold.
	bytes int
	// partial: some paths were left to the next turn.
	partial bool
	// err is what failed and will be tried again; refusal is why the turn did
	// nothing.
	err, refusal error
}

// finding is one path that something is to be done about.
type finding struct {
	path  definition.Path
	entry *entry
	// seen and at are what the directory held when it was decided.
	seen    sight
	at      dir.Stat
	view    definition.View
	content []byte // of an import

	adopted bool
	moved   definition.Path // from there
	kept    *kept           // the bytes are no longer in the directory
}

// turnBytes is how much content one change may collect; the paths beyond it are
// left to the next turn.
const turnBytes = 16 << 20

// turn does one pass. Its failures are reported and tried again; none ends the loop.
func (m *Mirror) turn(ctx context.Context, t *turn) {
	m.work(ctx, t)
	m.publishStatus(true) // first: whoever is told next may ask for it
	m.tell(t)
}

func (m *Mirror) work(ctx context.Context, t *turn) {
	t.now = time.Now()
	t.records, t.synced = make(map[string][]byte), len(m.unsaved) > 0
	maps.Copy(t.records, m.unsaved)
	came, err := m.checkDirectory()
	if err != nil {
		m.stop(err)
		t.refusal = stoppedBy(err)
		return
	}
	if came {
		m.nextRescan = t.now // look at everything, now or in the next turn
	}
	if !m.flushAt.IsZero() && !m.flushAt.After(t.now) {
		m.flush(ctx)
	}
	if t.refusal = m.admit(t); t.refusal != nil {
		return
	}
	m.gather(t)
	for _, p := range slices.SortedFunc(maps.Keys(t.paths), definition.Path.Compare) {
		if ctx.Err() != nil {
			t.refusal = ErrNotRunning
			return // the paths are found again by the next start
		}
		if t.bytes > turnBytes && t.approve == nil {
			m.lookAgain(t, p)
			continue
		}
		m.examine(ctx, t, p, t.paths[p])
	}
	if !m.opts.Observe {
		m.examineKept(t)
		m.publishImports(ctx, t)
		m.saveRecords(ctx, t)
		m.sweep(t)
		m.export(ctx, t)
	}
	m.finish(ctx, t)
}

// stop touches nothing until the directory is right again.
func (m *Mirror) stop(err error) {
	if m.stopped == nil || m.stopped.Error() != err.Error() {
		m.log.Error("mirror stops: nothing is published or written", "err", err)
	}
	m.stopped = err
}

// finish does what follows the work: the first sync may be complete.
func (m *Mirror) finish(ctx context.Context, t *turn) {
	for _, p := range m.replica.TakeDirty() { // our own change, at the least
		m.again[p] = struct{}{}
	}
	if t.err != nil {
		m.failed(t.err)
	}
	m.retry.calm()
	if t.full && !t.partial && t.err == nil && !m.opts.Observe {
		if err := m.finishRecovery(ctx); err != nil {
			m.failed(err)
		}
	}
	if m.calm() && t.err == nil && m.lowSpace == "" && ctx.Err() == nil {
		m.becomeEqual(ctx)
	}
}

// tell answers who waits for what the turn has done.
func (m *Mirror) tell(t *turn) {
	if m.equal && !isClosed(m.ready) {
		close(m.ready)
	}
	switch {
	case t.request == nil:
	case t.refusal != nil:
		t.request.reply <- reply{err: t.refusal}
	default:
		m.reply(t)
	}
	switch {
	case t.refusal != nil && m.stopped != nil:
		m.answer(t.refusal)
	case t.refusal == nil && m.calm():
		m.answer(t.err)
	}
}

// becomeEqual notes that directory and view are equal, and ends the first sync once.
func (m *Mirror) becomeEqual(ctx context.Context) {
	if m.equal {
		return
	}
	if !m.opts.Observe && !m.syncStored {
		if err := m.finishFirstSync(ctx); err != nil {
			m.failed(err)
			m.nextRescan = time.Now().Add(firstRetry)
			return
		}
	}
	m.equal = true
}

// gather collects the paths to look at.
func (m *Mirror) gather(t *turn) {
	t.paths = make(map[definition.Path]fs.FileInfo)
	names, lost := m.watch.Take()
	if lost || !t.now.Before(m.nextRescan) {
		t.full = true
	}
	for _, name := range names {
		m.visitTouched(t, name)
	}
	if t.full {
		m.scan(t)
	}
	for _, p := range m.replica.TakeDirty() {
		t.look(p)
	}
	due, _ := m.settling.due(t.now, m.opts.SettleTime)
	for _, p := range due {
		t.look(p)
	}
	for kind := range m.losses {
		l := &m.losses[kind]
		if at := l.due(m.opts.DeleteSettle); !at.IsZero() && !at.After(t.now) {
			for p := range l.pending {
				t.look(p)
			}
		}
	}
	for p := range m.again {
		t.look(p)
	}
	clear(m.again)
	for p := range m.retry.take(t.now) {
		t.look(p)
	}
	for _, s := range []*heldSet{t.approve, t.restore} {
		if s != nil {
			for p := range s.files {
				t.look(p)
			}
		}
	}
}

// lookAgain leaves a path to the next turn.
func (m *Mirror) lookAgain(t *turn, p definition.Path) {
	m.again[p] = struct{}{}
	t.partial = true
}

// look adds a path to the turn.
func (t *turn) look(p definition.Path) {
	if _, ok := t.paths[p]; !ok {
		t.paths[p] = nil
	}
}

// saveRecords writes what the turn has remembered.
func (m *Mirror) saveRecords(ctx context.Context, t *turn) {
	if len(t.records) == 0 {
		return
	}
	if err := m.replica.SaveRecords(ctx, t.records, t.synced); err != nil {
		t.err = errors.Join(t.err, err)
		m.unsaved = t.records // in memory they hold; the next turn writes them
		m.nextRescan = sooner(m.nextRescan, t.now.Add(firstRetry))
		return
	}
	failpoint.Hit(failpoint.RecordsSaved, "")
	m.unsaved = nil
	t.records, t.synced = make(map[string][]byte), false
}

package mirror

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/starling-sync/starling/definition"
)

// Status is what the mirror has to say about itself.
type Status struct {
	// Started: StartSync was called and Run runs.
	Started bool
	// Synced: this node's first complete sync was done, in this run or before.
	Synced bool
	// Ready: directory and view have been equal since Run began.
	Ready bool
	// Busy: files are settling, deletions are waiting for more, or work failed and
	// will be tried again.
	Busy bool
	// Stopped says why the mirror touches nothing now: the marker or the
	// directory is gone, or is another. Empty if it runs.
	Stopped string
	// LowSpace says how little is left on disk while nothing is imported because of
	// it. Empty if there is enough.
	LowSpace string
	// Unwatched says why changes are found by rescans only, which somebody can mend:
	// a limit of the system was reached. Empty if they are noticed at once.
	Unwatched string
	// Network names the network file system that the directory is on: what other
	// machines change there is found by rescans only. Empty if it is local.
	Network string
	// Rescan is the time between two looks at the whole directory.
	Rescan time.Duration
	// Files is how many files are in sync.
	Files int
	// Held are the files that are left alone, in order of path.
	Held []HeldFile
	// Waiting are the files that have waited for longer than 10 s to be complete, in
	// order of path: somebody has them open for writing, or writes to them all the time.
	Waiting []WaitingFile
	// Planned is what a mirror that only observes would do, in order of path.
	Planned []PlannedAction
	// Imported, Deleted and Exported count edits, deletions that went into the
	// set, and files that were written or removed, since Run began. Aside counts
	// the edits of a reader that were put aside.
	Imported, Deleted, Exported, Aside uint64
	// Failing is what failed in the last pass and will be tried again, of one over
	// everything until one over everything has succeeded. Empty if nothing has.
	Failing string
	// LastError is the latest failure of a whole pass, and when it was. It is
	// kept after the work was done at another try.
	LastError   string
	LastErrorAt time.Time
}

// WaitingFile is a file that is not taken in yet, because it may be half of a file.
type WaitingFile struct {
	Path   definition.Path
	Reason string
	Since  time.Time
}

// PlannedAction is what a mirror that only observes would do about a file.
type PlannedAction struct {
	Path   definition.Path
	Action string
}

// report is the status as others read it.
type report struct {
	log *slog.Logger

	mu        sync.Mutex
	status    Status
	approvals []Approval
}

// Approvals returns the sets of losses that are held, oldest first, as of the last
// pass. It never blocks.
func (m *Mirror) Approvals() []Approval {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	list := slices.Clone(m.report.approvals)
	for i := range list {
		list[i].Paths = slices.Clone(list[i].Paths)
	}
	return list
}

// Status returns the mirror's state as of its last pass. It never blocks.
func (m *Mirror) Status() Status {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	s := m.report.status
	s.Held = slices.Clone(s.Held)
	s.Waiting = slices.Clone(s.Waiting)
	s.Planned = slices.Clone(s.Planned)
	return s
}

// publishStatus makes the state after a pass visible.
func (m *Mirror) publishStatus(started bool) {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	s := &m.report.status
	s.Started = started
	s.Synced = m.ledger.synced
	s.Ready = m.equal
	s.Busy = !m.calm() || m.retry.waiting()
	s.Stopped = ""
	if m.stopped != nil {
		s.Stopped = m.stopped.Error()
	}
	s.LowSpace = m.lowSpace
	s.Failing = m.failing
	s.Unwatched, s.Network, s.Rescan = m.watch.Blind(), m.dir.Network, m.rescan()
	s.Files = m.ledger.inSync
	if m.holds.changed {
		m.holds.changed = false
		s.Held = m.holds.list()
	}
	now := time.Now()
	s.Waiting = append(m.settling.waiting(now), m.replaced.waiting(now)...)
	slices.SortStableFunc(s.Waiting, func(a, b WaitingFile) int { return a.Path.Compare(b.Path) })
	if m.opts.Observe {
		s.Planned = s.Planned[:0:0]
		for p, a := range m.planned {
			s.Planned = append(s.Planned, PlannedAction{p, a.String()})
		}
		slices.SortFunc(s.Planned, func(a, b PlannedAction) int { return a.Path.Compare(b.Path) })
	}
	if m.guard.changed {
		m.guard.changed = false
		m.report.approvals = m.guard.list()
	}
}

// count adds to the status' counters.
func (r *report) count(add func(*Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add(&r.status)
}

// failed notes the failure of a pass.
func (r *report) failed(err error) {
	r.log.Warn("mirror will try again", "err", err)
	r.count(func(s *Status) { s.LastError, s.LastErrorAt = err.Error(), time.Now() })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

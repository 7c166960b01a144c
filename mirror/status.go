package mirror

import (
	"slices"
	"strings"
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
	// Planned is what a mirror that only observes would do, in order of path.
	Planned []PlannedAction
	// Imported, Deleted and Exported count edits, deletions that went into the
	// set, and files that were written or removed, since Run began. Aside counts
	// the edits of a reader that were put aside.
	Imported, Deleted, Exported, Aside uint64
	// LastError is the latest failure of a whole turn, and when it was. It is
	// kept after the work was done at another try.
	LastError   string
	LastErrorAt time.Time
}

// HeldFile is a file that is left alone until somebody acts.
type HeldFile struct {
	// Path is the file's name relative to the directory. It is no definition.Path
	// because the name itself may be the reason.
	Path   string
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
	mu        sync.Mutex
	status    Status
	approvals []Approval
}

// Status returns the mirror's state as of its last turn. It never blocks.
func (m *Mirror) Status() Status {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	s := m.report.status
	s.Held = slices.Clone(s.Held)
	s.Planned = slices.Clone(s.Planned)
	return s
}

// publishStatus makes the state after a turn visible.
func (m *Mirror) publishStatus(started bool) {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	s := &m.report.status
	s.Started = started
	s.Synced = m.synced
	s.Ready = m.equal
	s.Busy = !m.calm() || m.retry.waiting()
	s.Stopped = ""
	if m.stopped != nil {
		s.Stopped = m.stopped.Error()
	}
	s.LowSpace = m.lowSpace
	s.Unwatched, s.Network, s.Rescan = m.watch.Blind(), m.dir.Network, m.rescan()
	s.Files = m.inSync
	if m.heldChanged {
		m.heldChanged = false
		s.Held = make([]HeldFile, 0, len(m.held))
		for _, h := range m.held {
			s.Held = append(s.Held, h)
		}
		slices.SortFunc(s.Held, func(a, b HeldFile) int { return strings.Compare(a.Path, b.Path) })
	}
	if m.opts.Observe {
		s.Planned = s.Planned[:0:0]
		for p, a := range m.planned {
			s.Planned = append(s.Planned, PlannedAction{p, a.String()})
		}
		slices.SortFunc(s.Planned, func(a, b PlannedAction) int { return a.Path.Compare(b.Path) })
	}
	if m.approvals.changed {
		m.approvals.changed = false
		m.report.approvals = m.approvals.list()
	}
}

// counted adds to the status' counters.
func (m *Mirror) counted(add func(*Status)) {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	add(&m.report.status)
}

// failed notes the failure of a turn.
func (m *Mirror) failed(err error) {
	m.log.Warn("mirror will try again", "err", err)
	m.counted(func(s *Status) { s.LastError, s.LastErrorAt = err.Error(), time.Now() })
}

// hold leaves a file alone and reports why.
func (m *Mirror) hold(name, reason string) {
	if m.noteHeld(name, reason) {
		m.log.Warn("file is held", "path", name, "reason", reason)
	}
}

// noteHeld is hold for a file of many, of which one line in the log says all. It reports
// whether this is new.
func (m *Mirror) noteHeld(name, reason string) bool {
	was, ok := m.held[name]
	if ok && was.Reason == reason {
		return false
	}
	since := time.Now()
	if ok {
		since = was.Since
	}
	m.heldChanged = true
	m.held[name] = HeldFile{Path: name, Reason: reason, Since: since}
	return true
}

// unhold ends what hold began.
func (m *Mirror) unhold(name string) {
	if _, ok := m.held[name]; ok {
		delete(m.held, name)
		m.heldChanged = true
		m.log.Info("file is no longer held", "path", name)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

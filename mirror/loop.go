package mirror

import (
	"context"
	"fmt"
	"time"
)

// Run is the mirror loop: the one goroutine that touches the directory. It returns
// nil when ctx ends, after what is under way was finished; until then the replica must
// stay open. While the directory is
// not to be touched (its marker is gone, or the directory itself, or another one is
// in its place), Run waits for it to come back; see Status.
func (m *Mirror) Run(ctx context.Context) error {
	defer close(m.ended)
	defer m.leave(ctx)
	m.watch.Restart(m.dir)
	m.publishStatus(false)
	select {
	case <-ctx.Done():
		return nil
	case <-m.started:
	}
	m.turn(ctx, &turn{full: true})
	timer := time.NewTimer(m.untilNextTurn())
	defer timer.Stop()
	for {
		t := new(turn)
		select {
		case <-ctx.Done():
			return nil
		case <-m.watch.Signal():
		case <-m.replica.Wake():
		case <-timer.C:
		case r := <-m.requests:
			t.request = &r
		}
		m.turn(ctx, t)
		timer.Reset(m.untilNextTurn())
	}
}

// leave ends what Run began.
func (m *Mirror) leave(ctx context.Context) {
	m.watch.Close()
	for _, k := range m.kept {
		k.file.Close()
	}
	m.answer(fmt.Errorf("%w any more", ErrNotRunning))
	if m.stopped == nil {
		// The owner of ctx ended it; the flush is a few writes, and saves a
		// comparison at the next start.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		m.flush(ctx)
	}
	m.publishStatus(false)
}

// untilNextTurn returns how long the loop may sleep if nothing happens.
func (m *Mirror) untilNextTurn() time.Duration {
	now := time.Now()
	if m.stopped != nil {
		return stoppedPoll
	}
	if len(m.again) > 0 {
		return 0
	}
	next := sooner(m.nextRescan, now.Add(directoryPoll))
	rested, settled := m.settling.due(now, m.opts.SettleTime)
	if len(rested) > 0 { // meanwhile: the turn was long
		return 0
	}
	next = sooner(next, settled)
	for kind := range m.losses {
		if l := &m.losses[kind]; !m.settles(l) { // else the turn comes when it has settled
			next = sooner(next, l.due(m.opts.DeleteSettle))
		}
	}
	next = sooner(next, m.flushAt)
	if m.retry.waiting() {
		next = sooner(next, m.retry.at)
	}
	if len(m.kept) > 0 {
		next = sooner(next, now.Add(keptPoll))
	}
	return max(0, next.Sub(now))
}

// directoryPoll is how often an idle mirror looks whether its directory is the right one
// still: the system tells of no unmount.
const directoryPoll = 2 * time.Second

// settles reports whether one of the losses is being written to.
func (m *Mirror) settles(l *losses) bool {
	for p := range l.pending {
		if _, ok := m.settling[p]; ok {
			return true
		}
	}
	return false
}

// stoppedPoll is how often a stopped mirror looks whether its directory is back.
const stoppedPoll = time.Second

// calm reports whether no file waits for anything: nothing settles, no loss waits for
// more, nothing must be looked at again.
func (m *Mirror) calm() bool {
	return len(m.settling) == 0 && len(m.again) == 0 && len(m.kept) == 0 &&
		len(m.losses[Deletion].pending) == 0 && len(m.losses[Reversion].pending) == 0
}

// rescan returns the time between two looks at the whole directory.
func (m *Mirror) rescan() time.Duration {
	switch {
	case m.opts.Rescan != 0:
		return m.opts.Rescan
	case m.watch.Blind() != "", m.dir.Network != "":
		return unwatchedRescan
	}
	return defaultRescan
}

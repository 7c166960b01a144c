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
	m.watching = true
	m.watch.Restart(m.dir)
	m.publishStatus(false)
	select {
	case <-ctx.Done():
		return nil
	case <-m.started:
	}
	m.doPass(ctx, &pass{full: true})
	timer := time.NewTimer(m.untilNextPass())
	defer timer.Stop()
	for {
		ps := new(pass)
		select {
		case <-ctx.Done():
			return nil
		case <-m.watch.Signal():
		case <-m.replica.Wake():
		case <-timer.C:
		case ps.request = <-m.requests:
		}
		m.doPass(ctx, ps)
		timer.Reset(m.untilNextPass())
	}
}

// leave ends what Run began.
func (m *Mirror) leave(ctx context.Context) {
	m.watch.Close()
	m.replaced.close()
	for _, r := range m.waiting {
		r.reply <- fmt.Errorf("%w any more", ErrNotRunning)
	}
	m.waiting = nil
	if m.stopped == nil {
		// The owner of ctx ended it; the flush is a few writes, and saves a
		// comparison at the next start.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		m.flush(ctx)
	}
	m.publishStatus(false)
}

// stoppedPoll is how often a stopped mirror looks whether its directory is back.
const stoppedPoll = time.Second

// directoryPoll is how often an idle mirror looks whether its directory is the right one
// still: the system tells of no unmount.
const directoryPoll = 2 * time.Second

// untilNextPass returns how long the loop may sleep if nothing happens.
func (m *Mirror) untilNextPass() time.Duration {
	now := time.Now()
	if m.stopped != nil {
		return stoppedPoll
	}
	if len(m.again) > 0 {
		return 0
	}
	next := sooner(m.nextRescan, now.Add(directoryPoll))
	rested, settled := m.settling.due(now)
	if len(rested) > 0 { // meanwhile: the pass was long
		return 0
	}
	next = sooner(next, settled)
	next = sooner(next, m.guard.next(m.settling))
	next = sooner(next, m.ledger.flushAt)
	if m.retry.waiting() {
		next = sooner(next, m.retry.at)
	}
	next = sooner(next, m.replaced.next())
	return max(0, next.Sub(now))
}

// calm reports whether no file waits for anything: nothing settles (but what status
// names as waiting), no loss waits for more, nothing must be looked at again.
func (m *Mirror) calm() bool {
	now := time.Now()
	return !m.settling.brief(now) && len(m.again) == 0 && !m.replaced.brief(now) && !m.guard.waiting()
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

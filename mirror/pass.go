package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/starling-sync/starling/definition"
)

// pass is one run of the pipeline: over the paths that something happened to, or over
// all of them.
type pass struct {
	now  time.Time
	full bool
	// request is the request that the pass was begun for, if any.
	request *request
	// again are the paths that the next pass looks at; partial says that some of them
	// were left to it.
	again   map[definition.Path]struct{}
	partial bool
	// imported are the paths that the pass has imported. The replica marks them, but unless
	// somebody else has changed them too, directory and view are equal already.
	imported map[definition.Path]*entry
	// batch are the records that the pass has yet to write.
	batch batch
	// err is what failed and will be tried again; refusal is why the pass did
	// nothing.
	err, refusal error
}

// doPass does one pass. Its failures are reported and tried again; none ends the loop.
func (m *Mirror) doPass(ctx context.Context, ps *pass) {
	m.onPass()
	if m.begin(ctx, ps) {
		m.run(ctx, ps)
	}
	m.publishStatus(true) // first: whoever is told next may ask for it
	m.tell(ps)
}

// begin does what comes before the pipeline. It returns false if nothing may be touched,
// or the request is refused.
func (m *Mirror) begin(ctx context.Context, ps *pass) bool {
	ps.now = time.Now()
	ps.batch = newBatch(m.unsaved)
	ps.again = m.again
	ps.imported = make(map[definition.Path]*entry)
	m.guard.begin()
	if r := ps.request; r != nil && r.first != nil {
		if ps.refusal = r.first(ctx, ps); ps.refusal != nil {
			return false
		}
	}
	came, err := m.checkDirectory()
	if errors.Is(err, ErrNoMarker) && m.markSame(ps.now) {
		came, err = m.checkDirectory()
	}
	if err != nil {
		if m.stopped == nil || m.stopped.Error() != err.Error() {
			m.log.Error("mirror stops: nothing is published or written", "err", err)
		}
		m.stopped = err
		ps.refusal = stoppedBy(err)
		return false
	}
	if id := m.dir.ID(); id != m.ledger.directory && !m.opts.Observe {
		m.ledger.directory = id
		ps.batch.records[keyDirectory] = []byte(id)
	}
	if came {
		m.nextRescan = ps.now // look at everything, now or in the next pass
	}
	if at := m.ledger.flushAt; !at.IsZero() && !at.After(ps.now) {
		m.flush(ctx)
	}
	if ps.request != nil && ps.request.before != nil {
		ps.refusal = ps.request.before(ps)
	}
	return ps.refusal == nil
}

// run is the pipeline. Each phase does what the one before it has found to be done, and
// every path that a phase is done with ends in settle.
func (m *Mirror) run(ctx context.Context, ps *pass) {
	found := m.scan(ps)
	do := m.reconcile(ctx, ps, found)
	if ps.refusal != nil {
		return
	}
	if !m.opts.Observe {
		m.importAll(ctx, ps, do)
		m.save(ctx, ps)
		if m.unsaved == nil { // else a temp that is gone would tell the next start a lie
			found.sweep(m.ledger, m.log)
		}
		m.export(ctx, ps, do.exports)
	}
	m.finish(ctx, ps)
}

// finish does what follows the work: the first sync may be complete.
func (m *Mirror) finish(ctx context.Context, ps *pass) {
	if !m.opts.Observe {
		if m.mounts.settle(&ps.batch, func(p definition.Path) { m.again[p] = struct{}{} }) {
			m.nextRescan = ps.now // what waits in such a folder is held too
		}
		m.save(ctx, ps)
	}
	for _, p := range takeDirty(m.replica) {
		if e := ps.imported[p]; e == nil || !e.is(m.replica.View(p)) {
			m.again[p] = struct{}{}
		}
	}
	switch {
	case ps.err != nil:
		m.report.failed(ps.err)
		m.failing, m.failingAll = ps.err.Error(), m.failingAll || ps.full
	case ps.full || !m.failingAll:
		m.failing, m.failingAll = "", false
	}
	m.retry.calm()
	if ps.full && !ps.partial && ps.err == nil && !m.opts.Observe {
		if err := m.ledger.finishRecovery(ctx); err != nil {
			m.report.failed(err)
		}
	}
	if m.equal || !m.calm() || ps.err != nil || m.lowSpace != "" || ctx.Err() != nil {
		return
	}
	if !m.opts.Observe && !m.ledger.syncStored {
		if err := m.ledger.finishFirstSync(ctx); err != nil {
			m.report.failed(err)
			m.nextRescan = time.Now().Add(firstRetry)
			return
		}
	}
	m.equal = true // and the first sync is done
}

// tell answers who waits for what the pass has done.
func (m *Mirror) tell(ps *pass) {
	if m.equal && !isClosed(m.ready) {
		close(m.ready)
	}
	if r := ps.request; r != nil {
		if ps.refusal != nil {
			r.reply <- ps.refusal
		} else {
			m.waiting = append(m.waiting, r)
		}
	}
	var waiting []*request
	for _, r := range m.waiting {
		done, err := ps.refusal != nil && m.stopped != nil, ps.refusal
		if ps.refusal == nil {
			done, err = r.after(ps)
		}
		if done {
			r.reply <- err
		} else {
			waiting = append(waiting, r)
		}
	}
	m.waiting = waiting
}

// leave leaves a path to the next pass.
func (ps *pass) leave(p definition.Path) {
	ps.again[p] = struct{}{}
	ps.partial = true
}

// checkDirectory makes sure that the directory is the right one; it comes before every
// pass and before every publication of a deletion. came reports that the mirror goes on
// after it had stopped, in another directory than before, or with another folder in the place
// of one: then nothing that was seen counts any more. The error says why nothing may be touched.
func (m *Mirror) checkDirectory() (came bool, err error) {
	came, err = m.dir.Check(m.opts.Cluster, m.log)
	if err != nil {
		return false, err
	}
	if m.stopped != nil {
		m.log.Info("mirror goes on: the directory is back", "path", m.opts.Dir)
		m.stopped = nil
		came = true
	}
	if came {
		if m.watching {
			m.watch.Restart(m.dir)
		}
		m.ledger.distrust()
		m.guard.restart()
	}
	if m.mounts.table.Changed() && m.mounts.changed(m.watch) {
		came = true // a folder is another
	}
	return came, nil
}

// stoppedBy is the error of a request while the mirror has stopped.
func stoppedBy(reason error) error { return fmt.Errorf("%w: %w", ErrStopped, reason) }

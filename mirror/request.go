package mirror

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/starling-sync/starling/definition"
)

// request is what another goroutine wants of the loop. The loop runs its functions; they
// may write to variables of the goroutine that asks, which reads them after a nil error.
type request struct {
	// first is called before the directory is checked, for what is about the directory
	// itself; nil if there is nothing to do then. Its error is that of the request, and the
	// pass does nothing.
	first func(context.Context, *pass) error
	// before prepares the pass; nil if there is nothing to prepare. Its error is that
	// of the request, and the pass does nothing.
	before func(*pass) error
	// after is called at the end of the pass, and of every later one until it reports
	// that the request is done, with the request's outcome.
	after func(*pass) (done bool, err error)
	reply chan error // one slot, so that the loop never waits
}

func newRequest(before func(*pass) error, after func(*pass) (done bool, err error)) *request {
	return &request{before: before, after: after, reply: make(chan error, 1)}
}

// ask hands a request to the loop and waits until it is done.
func (m *Mirror) ask(ctx context.Context, r *request) error {
	select {
	case m.requests <- r:
	case <-m.ended:
		return ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.reply:
		return err
	case <-m.ended:
		return ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
}

// overAll makes a pass one over the whole directory.
func overAll(ps *pass) error {
	ps.full = true
	return nil
}

// Pass looks at the whole directory now and returns when it is equal to the view as
// far as possible: nothing settles or waits any more; held files stay as they are. The
// error is that of the last pass. It blocks until StartSync was called.
func (m *Mirror) Pass(ctx context.Context) error {
	err := m.ask(ctx, newRequest(overAll, func(ps *pass) (bool, error) { return m.calm(), ps.err }))
	if err != nil {
		return fmt.Errorf("pass over directory: %w", err)
	}
	return nil
}

// Digest looks at the whole directory now and returns the hash of every mirrored file
// in it, whatever the view says; names and files that cannot be read are left out.
// quiet reports that nothing was waiting or about to change: if it is false, the same
// question may soon have another answer. It blocks until StartSync was called.
func (m *Mirror) Digest(ctx context.Context) (entries map[definition.Path]definition.Hash, quiet bool, err error) {
	var digest struct {
		entries map[definition.Path]definition.Hash
		quiet   bool
	}
	err = m.ask(ctx, newRequest(overAll, func(ps *pass) (bool, error) {
		digest.entries = m.ledger.present()
		digest.quiet = m.quiet() && ps.err == nil
		return true, nil
	}))
	if err != nil {
		return nil, false, fmt.Errorf("digest directory: %w", err)
	}
	return digest.entries, digest.quiet, nil
}

// Read returns the bytes that the directory holds for a path now, whatever the view
// says. The error wraps fs.ErrNotExist if there is no file that is mirrored, or says why
// it cannot be read. It blocks until StartSync was called.
func (m *Mirror) Read(ctx context.Context, p definition.Path) ([]byte, error) {
	var content []byte
	err := m.ask(ctx, newRequest(nil, func(*pass) (bool, error) {
		if !m.opts.mirrors(p.String()) { // what else lies there is nobody's business
			return true, fs.ErrNotExist
		}
		var err error
		content, err = m.dir.Content(p)
		return true, err
	}))
	if err != nil {
		return nil, fmt.Errorf("read %s in the directory: %w", p, err)
	}
	return content, nil
}

// Decided is what came of a decision about a held set.
type Decided struct {
	// Paths are its files, in order.
	Paths []definition.Path
	// Stay are the files whose deletion was published and that are there all the same: an
	// edit that another node made meanwhile wins against it.
	Stay []definition.Path
}

// Approve publishes exactly the set of losses that is held under id, but for files
// that came back meanwhile. When it returns nil, the change is durable. The error wraps
// ErrNoApproval, ErrStopped or ErrObserving where that is the cause.
func (m *Mirror) Approve(ctx context.Context, id string) (Decided, error) {
	var decided Decided
	if err := m.ask(ctx, m.guard.request(m.opts.Observe, id, true, &decided)); err != nil {
		return Decided{}, fmt.Errorf("approve %s: %w", id, err)
	}
	return decided, nil
}

// Restore puts the files of the set that is held under id back as the view wants them; what
// they held, and nobody else has, is put aside first. The error is as Approve's.
func (m *Mirror) Restore(ctx context.Context, id string) (Decided, error) {
	var decided Decided
	if err := m.ask(ctx, m.guard.request(m.opts.Observe, id, false, &decided)); err != nil {
		return Decided{}, fmt.Errorf("restore %s: %w", id, err)
	}
	return decided, nil
}

// request is that to publish a held set, or to undo it.
func (g *lossGuard) request(observe bool, id string, publish bool, decided *Decided) *request {
	return newRequest(func(*pass) error {
		if observe {
			return ErrObserving
		}
		set, err := g.decide(id, publish)
		if err == nil {
			decided.Paths = set.paths()
		}
		return err
	}, func(ps *pass) (bool, error) {
		if publish && g.decided.set.kind == Deletion {
			for _, p := range decided.Paths {
				if g.ledger.replica.View(p).Present {
					decided.Stay = append(decided.Stay, p)
				}
			}
		}
		return true, g.outcome(ps.err)
	})
}

// quiet reports that directory and view are equal but for files that are held.
func (m *Mirror) quiet() bool {
	return m.ledger.synced && m.calm() && !m.retry.waiting() && m.lowSpace == ""
}

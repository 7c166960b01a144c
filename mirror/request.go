package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// request is what another goroutine wants of the loop. Exactly one reply is sent.
type request struct {
	kind  requestKind
	id    string          // of a held set
	path  definition.Path // to read
	reply chan<- reply
}

type requestKind uint8

const (
	pass requestKind = iota
	digest
	read
	approve
	restore
)

type reply struct {
	entries map[definition.Path]definition.Hash
	quiet   bool
	content []byte
	err     error
}

// ask hands a request to the loop and waits for the reply.
func (m *Mirror) ask(ctx context.Context, r request) (reply, error) {
	answer := make(chan reply, 1) // so that the loop never waits
	r.reply = answer
	select {
	case m.requests <- r:
	case <-m.ended:
		return reply{}, ErrNotRunning
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	select {
	case r := <-answer:
		return r, r.err
	case <-m.ended:
		return reply{}, ErrNotRunning
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// Pass looks at the whole directory now and returns when it is equal to the view as
// far as possible: nothing settles or waits any more; held files stay as they are. The
// error is that of the last turn. It blocks until StartSync was called.
func (m *Mirror) Pass(ctx context.Context) error {
	if _, err := m.ask(ctx, request{kind: pass}); err != nil {
		return fmt.Errorf("pass over directory: %w", err)
	}
	return nil
}

// Digest looks at the whole directory now and returns the hash of every mirrored file
// in it, whatever the view says; names and files that cannot be read are left out.
// quiet reports that nothing was waiting or about to change: if it is false, the same
// question may soon have another answer. It blocks until StartSync was called.
func (m *Mirror) Digest(ctx context.Context) (entries map[definition.Path]definition.Hash, quiet bool, err error) {
	r, err := m.ask(ctx, request{kind: digest})
	if err != nil {
		return nil, false, fmt.Errorf("digest directory: %w", err)
	}
	return r.entries, r.quiet, nil
}

// Read returns the bytes that the directory holds for a path now, whatever the view
// says. The error wraps fs.ErrNotExist if there is no file that is mirrored, or says why
// it cannot be read. It blocks until StartSync was called.
func (m *Mirror) Read(ctx context.Context, p definition.Path) ([]byte, error) {
	r, err := m.ask(ctx, request{kind: read, path: p})
	if err != nil {
		return nil, fmt.Errorf("read %s in the directory: %w", p, err)
	}
	return r.content, nil
}

// Approve publishes exactly the set of losses that is held under id, but for files
// that came back meanwhile. When it returns nil, the change is durable. The error wraps
// ErrNoApproval, ErrStopped or ErrObserving where that is the cause.
func (m *Mirror) Approve(ctx context.Context, id string) error {
	if _, err := m.ask(ctx, request{kind: approve, id: id}); err != nil {
		return fmt.Errorf("approve %s: %w", id, err)
	}
	return nil
}

// Restore puts the files of the set that is held under id back as the view wants them.
// The error is as Approve's.
func (m *Mirror) Restore(ctx context.Context, id string) error {
	if _, err := m.ask(ctx, request{kind: restore, id: id}); err != nil {
		return fmt.Errorf("restore %s: %w", id, err)
	}
	return nil
}

// admit prepares the turn for its request. The error says why it cannot be done.
func (m *Mirror) admit(t *turn) error {
	if t.request == nil {
		return nil
	}
	switch t.request.kind {
	case pass, digest:
		t.full = true
		return nil
	case read:
		return nil
	}
	set := m.approvals.sets[t.request.id]
	switch {
	case m.opts.Observe:
		return ErrObserving
	case set == nil:
		return ErrNoApproval
	case t.request.kind == approve:
		t.approve = set
	default:
		t.restore = set
	}
	for p := range set.files {
		m.losses[set.kind].guard.forget(p)
	}
	return nil
}

// reply answers the turn's request, or lets it wait for a later turn.
func (m *Mirror) reply(t *turn) {
	if t.request == nil {
		return
	}
	switch t.request.kind {
	case pass:
		m.waiters = append(m.waiters, t.request.reply)
	case digest:
		entries := make(map[definition.Path]definition.Hash, m.inSync)
		for p, e := range m.entries {
			if e.seen.kind == present {
				entries[p] = e.seen.hash
			}
		}
		t.request.reply <- reply{entries: entries, quiet: m.quiet() && t.err == nil}
	case read:
		var content []byte
		err := fs.ErrNotExist
		if m.mirrors(t.request.path.String()) { // what else lies there is nobody's business
			content, err = m.dir.Content(t.request.path)
		}
		t.request.reply <- reply{content: content, err: err}
	case approve, restore:
		t.request.reply <- reply{err: m.decided(t)}
	}
}

// decided is the outcome of an approval: an error if some of its files are as they were.
func (m *Mirror) decided(t *turn) error {
	set := t.approve
	if set == nil {
		set = t.restore
	}
	left := slices.SortedFunc(maps.Keys(set.files), definition.Path.Compare)
	if len(left) == 0 {
		return t.err
	}
	reason := m.held[left[0].String()].Reason
	return errors.Join(t.err, fmt.Errorf("%d of its files are left as they are, the first is %s: %s", len(left), left[0], reason))
}

// quiet reports that directory and view are equal but for files that are held.
func (m *Mirror) quiet() bool {
	return m.synced && m.calm() && !m.retry.waiting() && m.lowSpace == ""
}

// answer sends the outcome to all who wait for the end of a pass.
func (m *Mirror) answer(err error) {
	for _, w := range m.waiters {
		w <- reply{err: err}
	}
	m.waiters = nil
}

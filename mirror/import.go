package mirror

import (
	"context"
	"errors"
	"fmt"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// refusal is the error of an Append that a rule of the cluster refuses for some of
// its paths (see Replica).
type refusal interface {
	error
	RefusedPaths() []definition.Path
}

// publishImports appends the turn's edits and deletions, all as one change.
func (m *Mirror) publishImports(ctx context.Context, t *turn) {
	m.losses[Deletion].guard.observe(t.now, m.inSync)
	m.losses[Reversion].guard.observe(t.now, m.inSync)
	m.addMoves(ctx, t)
	for _, kind := range []LossKind{Deletion, Reversion} {
		m.addLosses(t, kind)
	}
	if len(t.imports) == 0 {
		if m.lowSpace != "" && m.checkSpace() == nil {
			m.lowSpace = ""
		}
		return
	}
	m.lowSpace = ""
	err := m.checkSpace()
	if err != nil {
		m.lowSpace = err.Error()
		m.postpone(t, err)
		return
	}
	err = m.append(ctx, t, t.imports)
	if refused := (refusal)(nil); errors.As(err, &refused) {
		err = m.appendRest(ctx, t, refused)
	}
	if err != nil {
		m.postpone(t, err)
	}
}

// postpone tries the imports again later.
func (m *Mirror) postpone(t *turn, err error) {
	for _, f := range t.imports {
		m.retry.add(f.path, t.now)
		m.dropLoss(f.path)
		if f.kept != nil {
			f.kept.taken = false
		}
	}
	t.err = errors.Join(t.err, fmt.Errorf("import %d files: %w", len(t.imports), err))
}

// appendRest holds what the replica refuses and appends the rest.
func (m *Mirror) appendRest(ctx context.Context, t *turn, refused refusal) error {
	no := make(map[definition.Path]bool)
	for _, p := range refused.RefusedPaths() {
		no[p] = true
	}
	var rest []finding
	for _, f := range t.imports {
		if no[f.path] {
			m.dropLoss(f.path)
			m.hold(f.path.String(), refused.Error())
			continue
		}
		if no[f.moved] {
			f.moved = definition.Path{}
		}
		rest = append(rest, f)
	}
	if len(rest) == len(t.imports) {
		return refused
	}
	t.imports = rest
	if len(rest) == 0 {
		return nil
	}
	return m.append(ctx, t, rest)
}

// append makes one change of the findings.
func (m *Mirror) append(ctx context.Context, t *turn, work []finding) error {
	draft := definition.Draft{Actor: m.saver(work)}
	for _, f := range work {
		draft.Edits = append(draft.Edits, m.edit(f))
	}
	next := make([]record, len(work))
	_, err := m.replica.Append(ctx, draft, func(versions []definition.Version) map[string][]byte {
		records := make(map[string][]byte, len(work))
		for i, f := range work {
			if f.kept != nil {
				continue // the directory holds something else
			}
			next[i] = f.entry.advance(base{heads: versions[i : i+1 : i+1], hash: f.seen.hash})
			records[recordKey(f.path)] = next[i].encode(f.path)
		}
		return records
	})
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.Imported, "")
	var edits, deletions uint64
	for i, f := range work {
		if f.seen.kind == absent {
			deletions++
		} else {
			edits++
		}
		if f.kept != nil {
			m.dropKept(f.kept)
			continue
		}
		m.setRecord(f.entry, next[i])
		delete(t.records, recordKey(f.path)) // it is older
		m.dropLoss(f.path)
		m.releaseApproval(t, f.path)
		m.unhold(f.path.String())
		m.log.Debug("imported", "path", f.path, "deleted", f.seen.kind == absent)
	}
	m.counted(func(s *Status) { s.Imported += edits; s.Deleted += deletions })
	return nil
}

// edit is the edit that a finding becomes.
func (m *Mirror) edit(f finding) definition.Edit {
	parents := f.entry.base.heads
	if f.kept != nil {
		parents = f.kept.parents
	}
	e := definition.Edit{
		Path:      f.path,
		Parents:   parents,
		Content:   f.content,
		Deleted:   f.seen.kind == absent,
		Adopted:   f.adopted,
		MovedFrom: f.moved,
	}
	if !f.moved.IsZero() {
		from := m.entry(f.moved).base.heads
		e.Parents = append(append([]definition.Version(nil), parents...), from...)
	}
	return e
}

// lostAll reports whether several losses have left no file as it was.
func (m *Mirror) lostAll(l *losses) bool {
	if len(l.guard.losses) < guardAll {
		return false
	}
	for p, e := range m.entries {
		if _, lost := l.guard.losses[p]; !lost && e.seen.kind != absent {
			return false
		}
	}
	return true
}

// addLosses publishes the losses that have waited long enough, or holds them.
func (m *Mirror) addLosses(t *turn, kind LossKind) {
	l := &m.losses[kind]
	at := l.due(m.opts.DeleteSettle)
	if at.IsZero() || at.After(t.now) || t.partial {
		return // not yet, or not all of them are known to be lost still
	}
	var paths []definition.Path
	var due []finding
	for _, f := range t.lost[kind] {
		if _, ok := l.pending[f.path]; ok {
			paths, due = append(paths, f.path), append(due, f)
		}
	}
	if len(due) == 0 {
		return
	}
	// Nothing may have happened to the directory while the files were looked at.
	if came, err := m.checkDirectory(); err != nil || came {
		m.nextRescan = t.now // the next turn looks at everything
		return
	}
	if l.guard.admit(t.now, paths) && !m.lostAll(l) {
		for _, f := range due {
			t.imports = append(t.imports, f)
			t.bytes += len(f.content)
		}
		return
	}
	files := make(map[definition.Path]definition.Hash, len(due))
	for _, f := range due {
		files[f.path] = f.seen.hash
		l.drop(f.path)
	}
	set := newHeldSet(kind, t.now, files)
	m.approvals.add(set)
	for _, p := range paths {
		m.noteHeld(p.String(), heldBy(set))
	}
	m.saveSet(t, set)
	m.log.Warn("the guard holds losses until they are approved", "kind", kind, "id", set.id, "files", len(files))
}

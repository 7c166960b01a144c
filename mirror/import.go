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

// importAll appends what the directory has of its own to the set, all as one change:
// edits, moves, what was saved into replaced files, and the losses that the guard admits.
func (m *Mirror) importAll(ctx context.Context, ps *pass, do *todo) {
	imports := append(do.imports, m.replaced.check(ps.now, do.imports)...)
	m.guard.count(ps.now)
	imports = m.moves.add(ctx, ps.now, do, imports) // before they are taken for losses
	imports, copied := m.copies.without(ctx, ps.now, imports)
	for _, f := range copied {
		m.actOnLoss(ps, do, f, Copying)
	}
	for kind, lost := range do.lost {
		imports = append(imports, m.admitLosses(ps, LossKind(kind), lost)...)
	}
	m.forms.find(ctx, ps.now, imports)
	if len(imports) == 0 {
		if m.lowSpace != "" && m.opts.checkSpace() == nil {
			m.lowSpace = ""
		}
		return
	}
	m.lowSpace = ""
	err := m.opts.checkSpace()
	if err != nil {
		m.lowSpace = err.Error()
	} else {
		err = m.append(ctx, ps, imports)
		if refused := (refusal)(nil); errors.As(err, &refused) {
			imports, err = m.appendRest(ctx, ps, imports, refused)
		}
	}
	if err == nil {
		return
	}
	for _, f := range imports {
		m.settle(ps, f.path, f.entry, outcome{kind: postponed})
		if f.replaced != nil {
			f.replaced.taken = false
		}
	}
	ps.err = errors.Join(ps.err, fmt.Errorf("import %d files: %w", len(imports), err))
}

// admitLosses returns the losses that have waited long enough and may be published.
func (m *Mirror) admitLosses(ps *pass, kind LossKind, lost []finding) []finding {
	due := m.guard.due(kind, lost, ps.now)
	if len(due) == 0 || ps.partial { // else not all of them are known to be lost still
		return nil
	}
	// Nothing may have happened to the directory while the files were looked at.
	if came, err := m.checkDirectory(); err != nil || came {
		m.nextRescan = ps.now // the next pass looks at everything
		return nil
	}
	var elsewhere []finding
	if kind == Overwriting {
		elsewhere, due = m.ledger.elsewhere(due)
	}
	admitted := m.guard.admit(&ps.batch, kind, due, ps.now)
	if len(admitted) < len(due) {
		m.nextRescan = ps.now // what has taken the place of one that is held is held too
	}
	return append(elsewhere, admitted...)
}

// appendRest holds what the replica refuses and appends the rest, which it returns.
func (m *Mirror) appendRest(ctx context.Context, ps *pass, imports []finding, refused refusal) ([]finding, error) {
	no := make(map[definition.Path]bool)
	for _, p := range refused.RefusedPaths() {
		no[p] = true
	}
	var rest []finding
	for _, f := range imports {
		if no[f.path] {
			m.settle(ps, f.path, f.entry, outcome{kind: leftAlone, reason: refused.Error()})
			continue
		}
		if no[f.moved] {
			f.moved = definition.Path{}
		}
		rest = append(rest, f)
	}
	switch len(rest) {
	case len(imports):
		return imports, refused
	case 0:
		return nil, nil
	}
	return rest, m.append(ctx, ps, rest)
}

// append makes one change of the imports, with the records that go with it.
func (m *Mirror) append(ctx context.Context, ps *pass, imports []finding) error {
	draft := definition.Draft{Actor: m.users.saver(imports)}
	for _, f := range imports {
		draft.Edits = append(draft.Edits, f.edit(m.ledger))
	}
	next := make([]record, len(imports))
	_, err := m.replica.Append(ctx, draft, func(versions []definition.Version) map[string][]byte {
		records := make(map[string][]byte, len(imports))
		for i, f := range imports {
			if f.replaced != nil {
				continue // the directory holds something else
			}
			next[i] = f.entry.advance(base{heads: versions[i : i+1 : i+1], hash: f.seen.hash}, ps.now)
			records[recordKey(f.path)] = next[i].encode(f.path)
		}
		return records
	})
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.Imported, "")
	var edits, deletions uint64
	for i, f := range imports {
		if f.seen.kind == absent {
			deletions++
		} else {
			edits++
		}
		if f.replaced != nil {
			m.replaced.drop(f.replaced)
			continue
		}
		m.settle(ps, f.path, f.entry, outcome{kind: imported, record: next[i]})
		m.log.Debug("imported", "path", f.path, "deleted", f.seen.kind == absent)
	}
	m.report.count(func(s *Status) { s.Imported += edits; s.Deleted += deletions })
	return nil
}

// edit is the edit that a finding becomes: on top of what the file had in common with the
// view last, of the older version that it is an edit of, or of what the replaced file was.
func (f finding) edit(l *ledger) definition.Edit {
	parents := f.entry.base.heads
	if f.parents != nil {
		parents = f.parents
	}
	if f.replaced != nil {
		parents = f.replaced.parents
	}
	e := definition.Edit{
		Path:      f.path,
		Parents:   parents,
		Content:   f.content,
		Deleted:   f.seen.kind == absent,
		Adopted:   f.adopted,
		MovedFrom: f.moved,
		Returned:  f.returned && len(parents) > 0,
	}
	if !f.moved.IsZero() {
		from := l.entry(f.moved).base.heads
		e.Parents = append(append([]definition.Version(nil), parents...), from...)
	}
	return e
}

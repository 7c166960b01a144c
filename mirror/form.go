package mirror

import (
	"context"
	"log/slog"
	"time"

	"github.com/starling-sync/starling/definition"
)

// forms knows of the saves that were begun before an export: in a form of a program, or in an
// editor.
type forms struct {
	ledger *ledger
	limit  time.Duration // how old the export may be
	log    *slog.Logger
}

// find finds for each import what its author had read. Programs and editors save whole
// documents that they have read some time before, and meanwhile an export may have replaced the
// file: what it brought would be undone by the save, unseen. So the text is compared with
// what recent exports have replaced, the oldest first (see definition.BasisOf). An edit of
// one of these has its heads as parents, and is merged with what came since. One that is all of
// it again undoes what came since, and is marked.
//
// An edit that was made on purpose to undo another, together with a further one, looks
// the same: it is merged too, which puts back what it undid. Saved once more, it is on top of
// that, and undoes.
func (s *forms) find(ctx context.Context, now time.Time, imports []finding) {
	for i := range imports {
		f := &imports[i]
		if f.seen.kind == present && !f.adopted && !f.approved && f.replaced == nil && f.moved.IsZero() {
			s.findOne(ctx, f, now)
		}
	}
}

func (s *forms) findOne(ctx context.Context, f *finding, now time.Time) {
	f.entry.expire(now, s.limit)
	for i, o := range f.entry.outdated { // what one of them held, byte for byte, is no edit of another
		if o.base.hash == f.seen.hash {
			f.returned = s.takesBack(ctx, f, f.entry.outdated[i:])
			return
		}
	}
	for i, o := range f.entry.outdated {
		switch s.basis(ctx, f, o.base, f.entry.base) {
		case definition.OnOlder:
			if s.takesBack(ctx, f, f.entry.outdated[i:]) {
				f.parents = o.base.heads
				s.log.Info("a save was made on an older version and is merged with what came since", "path", f.path)
				return
			}
		case definition.Returned:
			if s.takesBack(ctx, f, f.entry.outdated[i:]) {
				f.returned = true
				return
			}
		case definition.OnCurrent:
		}
	}
}

// takesBack reports whether an edit takes back what one of the exports has brought. Others than
// exports may have changed the file since: whoever undoes an edit that was made here has most
// likely seen it.
func (s *forms) takesBack(ctx context.Context, f *finding, exports []outdated) bool {
	for _, o := range exports {
		if s.basis(ctx, f, o.base, o.by) != definition.OnCurrent {
			return true
		}
	}
	return false
}

// basis compares an edit with an older base and a newer one.
func (s *forms) basis(ctx context.Context, f *finding, older, newer base) definition.Basis {
	if older.hash == newer.hash {
		return definition.OnCurrent
	}
	was, ok := s.ledger.content(ctx, f.path, older)
	is, ok2 := s.ledger.content(ctx, f.path, newer)
	if !ok || !ok2 || was == nil {
		return definition.OnCurrent
	}
	return definition.BasisOf(f.path, was, is, f.content)
}

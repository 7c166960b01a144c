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
	var newer []byte
	for i, o := range f.entry.outdated {
		if i == 0 {
			var ok bool
			if newer, ok = s.ledger.content(ctx, f.path, f.entry.base); !ok {
				return
			}
		}
		older, ok := s.ledger.content(ctx, f.path, o.base)
		if !ok || older == nil || o.base.hash == f.entry.base.hash {
			continue
		}
		switch definition.BasisOf(f.path, older, newer, f.content) {
		case definition.OnOlder:
			f.parents = o.base.heads
			s.log.Info("a save was made on an older version and is merged with what came since", "path", f.path)
			return
		case definition.Returned:
			f.returned = true
			return
		case definition.OnCurrent:
		}
	}
}

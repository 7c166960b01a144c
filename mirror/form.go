package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
)

// findBases finds for each import what its author had read. Programs and editors save whole
// documents that they have read some time before, and meanwhile an export may have replaced the
// file: what it brought would be undone by the save, unseen. So the text is compared with
// what recent exports have replaced, the oldest first (see definition.BasisOf). An edit of
// one of these has its heads as parents, and is merged with what came since. One that is all of
// it again undoes what came since, and is marked.
//
// An edit that was made on purpose to undo another, together with a further one, looks
// the same: it is merged too, which puts back what it undid. Saved once more, it is on top of
// that, and undoes.
func (m *Mirror) findBases(ctx context.Context, ps *pass, imports []finding) {
	for i := range imports {
		f := &imports[i]
		if f.seen.kind == present && !f.adopted && !f.approved && f.replaced == nil && f.moved.IsZero() {
			m.findBase(ctx, f, ps.now)
		}
	}
}

func (m *Mirror) findBase(ctx context.Context, f *finding, now time.Time) {
	f.entry.expire(now, m.opts.FormTime)
	var newer []byte
	for i, o := range f.entry.outdated {
		if i == 0 {
			var ok bool
			if newer, ok = m.contentOf(ctx, f.path, f.entry.base); !ok {
				return
			}
		}
		older, ok := m.contentOf(ctx, f.path, o.base)
		if !ok || older == nil || o.base.hash == f.entry.base.hash {
			continue
		}
		switch definition.BasisOf(f.path, older, newer, f.content) {
		case definition.OnOlder:
			f.parents = o.base.heads
			m.log.Info("a save was made on an older version and is merged with what came since", "path", f.path)
			return
		case definition.Returned:
			f.returned = true
			return
		case definition.OnCurrent:
		}
	}
}

// contentOf returns the bytes of a base, nil if it is absent. It reports false if they cannot
// be told any more.
func (m *Mirror) contentOf(ctx context.Context, p definition.Path, b base) ([]byte, bool) {
	if b.hash == (definition.Hash{}) {
		return nil, true
	}
	content, err := m.replica.Merged(ctx, p, b.heads...)
	return content, err == nil && definition.HashOf(content) == b.hash
}

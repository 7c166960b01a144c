package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
)

// suspect reports whether an edit may be an accident, and of which kind: the guard then waits
// whether there are more of them. Copies, of which only many are suspicious, are found later
// (see copies.go). tick is how coarse the times of files are.
func (g *lossGuard) suspect(ctx context.Context, f *finding, now time.Time, tick time.Duration) (LossKind, bool) {
	if replaced, ok := g.replacedAt(f); ok {
		if replaced.After(now) {
			replaced = now // by the clock of another node
		}
		// It was not written again, but came with its time: by cp -a, rsync -a, tar.
		f.old = time.Unix(0, f.stat.Mtime).Before(replaced.Add(-tick))
		return Reversion, true
	}
	if kind, ok := g.knows(f.path, f.seen.hash); ok {
		return kind, true
	}
	if f.entry.base.hash == (definition.Hash{}) {
		return 0, false
	}
	was, ok := g.ledger.content(ctx, f.path, f.entry.base)
	return Overwriting, ok && definition.Overwritten(f.path, was, f.content)
}

// replacedAt reports whether a file has bytes again that it had before, and when they were
// replaced last: here, or, if this mirror does not remember that, anywhere.
func (g *lossGuard) replacedAt(f *finding) (time.Time, bool) {
	if at, ok := f.entry.returns(f.seen.hash); ok {
		return at, true
	}
	return g.ledger.replica.Superseded(f.path, f.seen.hash)
}

// knows returns as which kind of loss a file waits or is held already, if it is still as it
// was then.
func (g *lossGuard) knows(p definition.Path, h definition.Hash) (LossKind, bool) {
	if s := g.byPath[p]; s != nil && s.files[p] == h {
		return s.kind, true
	}
	for kind := range g.losses {
		if l := g.losses[kind].pending[p]; l != nil && l.hash == h {
			return LossKind(kind), true
		}
	}
	return 0, false
}

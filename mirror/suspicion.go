package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
)

// suspicion reports whether an edit may be an accident, and of which kind: the guard then waits
// whether there are more of them. Copies, of which only many are suspicious, are found later
// (see copies.go).
func (m *Mirror) suspicion(ctx context.Context, f *finding, now time.Time) (LossKind, bool) {
	if replaced, ok := m.replacedAt(f); ok {
		f.old = isOlder(f, min(replaced.UnixNano(), now.UnixNano()), m.dir.Tick())
		return Reversion, true
	}
	if kind, ok := m.guard.suspects(f.path, f.seen.hash); ok {
		return kind, true
	}
	if f.entry.base.hash == (definition.Hash{}) {
		return 0, false
	}
	was, ok := m.contentOf(ctx, f.path, f.entry.base)
	return Overwriting, ok && definition.Overwritten(f.path, was, f.content)
}

// replacedAt reports whether a file has bytes again that it had before, and when they were
// replaced last: here, or, if this mirror does not remember that, anywhere.
func (m *Mirror) replacedAt(f *finding) (time.Time, bool) {
	if at, ok := f.entry.returns(f.seen.hash); ok {
		return at, true
	}
	return m.replica.Superseded(f.path, f.seen.hash)
}

// isOlder reports whether a file was written before a time, as its modification time says: it
// was not written again, but came from a backup that keeps the times (cp -a, rsync -a, tar).
func isOlder(f *finding, nanoseconds int64, tick time.Duration) bool {
	return f.stat.Mtime < nanoseconds-tick.Nanoseconds()
}

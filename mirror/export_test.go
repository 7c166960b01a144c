package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// What the tests see of the pure parts.
type (
	DiskState = diskState
	Base      = base
	Record    = record
	Guard     = lossWindow
)

const (
	Absent     = absent
	Present    = present
	Unreadable = unreadable
)

func NewDiskState(kind diskKind, hash definition.Hash, parses bool) DiskState {
	return diskState{kind: kind, hash: hash, parses: parses}
}

func NewBase(hash definition.Hash, unknown bool, heads ...definition.Version) Base {
	return base{heads: heads, hash: hash, unknown: unknown}
}

func NewRecord(b Base) Record { return record{base: b} }

func (r record) WithIntent(b Base, inode uint64) Record {
	r.intent = &intent{base: b, inode: inode}
	return r
}

func (r record) Base() Base                           { return r.base }
func (r record) Advance(b Base) Record                { return r.advance(b, time.UnixMilli(1)) }
func (r record) Exported(b Base, at time.Time) Record { return r.exported(b, at) }
func (r record) Flushed() Record                      { return r.flushed() }
func (r record) Returns(h definition.Hash) bool {
	_, ok := r.returns(h)
	return ok
}
func (r record) Encode(p definition.Path) []byte { return r.encode(p) }
func (r record) Recover(d DiskState, ino uint64, rebooted, placed bool) Record {
	return r.recover(d, dir.Stat{Ino: ino}, rebooted, placed, time.UnixMilli(2))
}

func DecodeRecord(p definition.Path, data []byte) (Record, error) { return decodeRecord(p, data) }

func (b base) Equal(c Base) bool { return b.equal(c) }
func (b base) Unknown() bool     { return b.unknown }

func (b base) Hash() definition.Hash       { return b.hash }
func (b base) Heads() []definition.Version { return b.heads }

func Plan(d DiskState, b Base, v definition.View) string { return plan(d, b, v).String() }
func ReaderPlan(d DiskState, b Base, v definition.View) string {
	return plan(d, b, v).forReader(d, v).String()
}

func (w *lossWindow) Observe(now time.Time, files int)                  { w.observe(now, files) }
func (w *lossWindow) Admit(now time.Time, lost ...definition.Path) bool { return w.admit(now, lost) }
func (w *lossWindow) Forget(p definition.Path)                          { w.forget(p) }

// What the model drives by hand in the place of Run.

// DoPass does one pass: over the whole directory, or over the paths that were touched and
// whatever is due.
func (m *Mirror) DoPass(ctx context.Context, full bool, touched ...definition.Path) {
	for _, p := range touched {
		m.again[p] = struct{}{}
	}
	m.doPass(ctx, &pass{full: full})
}

// Decide does the pass of Approve, or of Restore.
func (m *Mirror) Decide(ctx context.Context, id string, publish bool) error {
	r := m.guard.request(m.opts.Observe, id, publish, new(Decided))
	m.doPass(ctx, &pass{request: r})
	return <-r.reply
}

// NextPass returns when the next pass is due, and whether nothing waits for it.
func (m *Mirror) NextPass() (after time.Duration, quiet bool) { return m.untilNextPass(), m.quiet() }

// OnPlace makes the mirror call f before each rename and removal of an export.
func (m *Mirror) OnPlace(f func()) { m.onPlace = f }

// OnPass makes a mirror that does not run yet call f before each pass.
func (m *Mirror) OnPass(f func()) { m.onPass = f }

// Leave ends what Run would have ended, and releases the directory.
func (m *Mirror) Leave(ctx context.Context) error {
	m.leave(ctx)
	return m.Close()
}

// Abandon gives the mirror's descriptors back as the end of its process does.
func (m *Mirror) Abandon() error {
	m.replaced.close()
	return m.Close()
}

// MarkNow does the pass of MarkAgain.
func (m *Mirror) MarkNow(ctx context.Context) error {
	r := m.markRequest(new(Marked))
	m.doPass(ctx, &pass{request: r})
	return <-r.reply
}

// Outdated returns the bases that exports have replaced.
func (r record) Outdated() []Base {
	var bases []Base
	for _, o := range r.outdated {
		bases = append(bases, o.base)
	}
	return bases
}

// Stale returns how many earlier bases a power failure could bring back.
func (r record) Stale() int { return len(r.stale) }

// Begun reports whether an export was begun of which no more is known.
func (r record) Begun() bool { return r.intent != nil }

// IsPlaced reports whether a file shows that the export that was begun has taken place.
func (r record) IsPlaced(h definition.Hash, inode uint64) bool {
	return r.Begun() && (h == r.intent.base.hash || r.intent.inode != 0 && inode == r.intent.inode)
}

// BelieveNetwork makes a mirror that does not run yet believe that its directory is on a
// network file system.
func (m *Mirror) BelieveNetwork(name string) { m.dir.Network = name }

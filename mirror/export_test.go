package mirror

import (
	"io/fs"
	"time"

	"github.com/starling-sync/starling/definition"
)

// What the tests see of the pure parts.
type (
	Sight  = sight
	Base   = base
	Record = record
	Guard  = guard
)

const (
	Absent     = absent
	Present    = present
	Unreadable = unreadable
)

func NewSight(kind sightKind, hash definition.Hash, parses bool) Sight {
	return sight{kind: kind, hash: hash, parses: parses}
}

func NewBase(hash definition.Hash, unknown bool, heads ...definition.Version) Base {
	return base{heads: heads, hash: hash, unknown: unknown}
}

func NewRecord(b Base) Record { return record{base: b} }

func (r record) WithIntent(b Base, inode uint64) Record {
	r.intent = &intent{base: b, inode: inode}
	return r
}

func (r record) Base() Base                                 { return r.base }
func (r record) Advance(b Base) Record                      { return r.advance(b) }
func (r record) Flushed() Record                            { return r.flushed() }
func (r record) Returns(h definition.Hash) bool             { return r.returns(h) }
func (r record) Encode(p definition.Path) []byte            { return r.encode(p) }
func (r record) Recover(d Sight, ino uint64, b bool) Record { return r.recover(d, stamp{ino: ino}, b) }

func DecodeRecord(p definition.Path, data []byte) (Record, error) { return decodeRecord(p, data) }

func (b base) Equal(c Base) bool { return b.equal(c) }

func Plan(d Sight, b Base, v definition.View) string { return plan(d, b, v).String() }
func ReaderPlan(d Sight, b Base, v definition.View) string {
	return plan(d, b, v).forReader(d).String()
}

func (g *guard) Observe(now time.Time, files int)                  { g.observe(now, files) }
func (g *guard) Admit(now time.Time, lost ...definition.Path) bool { return g.admit(now, lost) }
func (g *guard) Forget(p definition.Path)                          { g.forget(p) }

// Ownership returns whether user euid may mirror a directory of user uid, and how.
func Ownership(euid, uid int, mode fs.FileMode) (chown, shared bool, reason string) {
	own, reason := ownership(euid, uid, mode)
	return own.chown, own.shared, reason
}

// Trusted reports whether a change time of a local file proves its content.
func Trusted(ctime, now time.Time) bool {
	return stamp{ctime: ctime.UnixNano()}.trusted(now, localTick)
}

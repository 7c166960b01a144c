package mirror

import (
	"context"
	"maps"
	"time"

	"github.com/starling-sync/starling/definition"
)

// copies watches new files for copies of those that are there: files with their ids, or with
// their bytes. A few new files are never suspicious, and cost nothing.
type copies struct {
	ledger *ledger
	// recent are the new files of the last guardWindow, and when each came.
	recent map[definition.Path]time.Time
	// The files that were there before, by id and by bytes, as of the time read. They are
	// read when there are more than a few new files, once in a guardWindow.
	byID   map[string]origin
	byHash map[definition.Hash]definition.Path
	read   time.Time
}

// origin is a file that has an id, with its bytes' hash at that time.
type origin struct {
	path definition.Path
	hash definition.Hash
}

func newCopies(l *ledger) *copies {
	return &copies{ledger: l, recent: make(map[definition.Path]time.Time)}
}

// without takes out of the imports what may be copies, if there are more new files than a
// few. Of the first content of a cluster nothing is a copy.
func (c *copies) without(ctx context.Context, now time.Time, imports []finding) (rest, copied []finding) {
	maps.DeleteFunc(c.recent, func(_ definition.Path, at time.Time) bool { return now.Sub(at) >= guardWindow })
	if len(c.recent) == 0 {
		c.byID, c.byHash = nil, nil
	}
	created := 0
	for _, f := range imports {
		if f.isNew() {
			created++
		}
	}
	if created == 0 || !c.ledger.syncStored {
		return imports, nil
	}
	many := len(c.recent)+created > guardFloor
	if many && (c.byID == nil || now.Sub(c.read) >= guardWindow) {
		c.readOrigins(ctx, now)
	}
	for _, f := range imports {
		if !f.isNew() {
			rest = append(rest, f)
			continue
		}
		id := ""
		if c.byID != nil {
			id, _ = serviceID(f.path, f.content)
		}
		if many && c.isCopy(f, id) {
			copied = append(copied, f)
			continue
		}
		c.recent[f.path] = now
		c.note(f.path, f.seen.hash, id)
		rest = append(rest, f)
	}
	return rest, copied
}

// note notes a file that is there, or is about to be in sync.
func (c *copies) note(p definition.Path, h definition.Hash, id string) {
	if c.byID == nil {
		return
	}
	c.byHash[h] = p
	if id != "" {
		c.byID[id] = origin{p, h}
	}
}

// isNew reports whether an import makes a file, of which nobody has said that it is meant.
func (f finding) isNew() bool {
	return f.seen.kind == present && f.entry.base.hash == (definition.Hash{}) && f.moved.IsZero() &&
		!f.adopted && !f.approved && f.replaced == nil
}

// isCopy reports whether a new file has the id, or the bytes, of one that is there.
func (c *copies) isCopy(f finding, id string) bool {
	if p, ok := c.byHash[f.seen.hash]; ok && p != f.path && c.isAt(p, f.seen.hash) {
		return true
	}
	o, ok := c.byID[id]
	return ok && o.path != f.path && c.isAt(o.path, o.hash)
}

// isAt reports whether a file is in sync with these bytes.
func (c *copies) isAt(p definition.Path, h definition.Hash) bool {
	e := c.ledger.entries[p]
	return e != nil && e.base.hash == h
}

// readOrigins reads which files are there.
func (c *copies) readOrigins(ctx context.Context, now time.Time) {
	c.byID, c.byHash, c.read = make(map[string]origin), make(map[definition.Hash]definition.Path), now
	for p, e := range c.ledger.entries {
		if e.base.hash == (definition.Hash{}) {
			continue
		}
		id := ""
		if content, ok := c.ledger.content(ctx, p, e.base); ok {
			id, _ = serviceID(p, content)
		}
		c.note(p, e.base.hash, id)
	}
}

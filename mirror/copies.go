package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
)

// copies watches new files for copies of those that are there: files with their ids, or with
// their bytes. A few new files are never suspicious, and cost nothing.
type copies struct {
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

// withoutCopies takes out of the imports what the guard suspects of being copies, if there are
// more new files than a few. Of the first content of a cluster nothing is a copy.
func (m *Mirror) withoutCopies(ctx context.Context, ps *pass, do *todo, imports []finding) []finding {
	c := &m.copies
	for p, at := range c.recent {
		if ps.now.Sub(at) >= guardWindow {
			delete(c.recent, p)
		}
	}
	if len(c.recent) == 0 {
		c.byID, c.byHash = nil, nil
	}
	var created []int
	for i, f := range imports {
		if f.isNew() {
			created = append(created, i)
		}
	}
	if len(created) == 0 || !m.ledger.syncStored {
		return imports
	}
	if c.recent == nil {
		c.recent = make(map[definition.Path]time.Time)
	}
	many := len(c.recent)+len(created) > guardFloor
	if many && (c.byID == nil || ps.now.Sub(c.read) >= guardWindow) {
		m.readOrigins(ctx, ps.now)
	}
	suspect := make(map[int]bool)
	for _, i := range created {
		if many && m.isCopy(imports[i]) {
			suspect[i] = true
		} else {
			c.recent[imports[i].path] = ps.now
		}
	}
	var rest []finding
	for i, f := range imports {
		if !suspect[i] {
			rest = append(rest, f)
			continue
		}
		m.actOnLoss(ps, do, f, Copying)
	}
	return rest
}

// isNew reports whether an import makes a file, of which nobody has said that it is meant.
func (f finding) isNew() bool {
	return f.seen.kind == present && f.entry.base.hash == (definition.Hash{}) && f.moved.IsZero() &&
		!f.adopted && !f.approved && f.replaced == nil
}

// isCopy reports whether a new file has the id, or the bytes, of one that is there.
func (m *Mirror) isCopy(f finding) bool {
	if p, ok := m.copies.byHash[f.seen.hash]; ok && p != f.path && m.isAt(p, f.seen.hash) {
		return true
	}
	id, ok := serviceID(f.path, f.content)
	if !ok {
		return false
	}
	o, ok := m.copies.byID[id]
	return ok && o.path != f.path && m.isAt(o.path, o.hash)
}

// isAt reports whether a file is in sync with these bytes.
func (m *Mirror) isAt(p definition.Path, h definition.Hash) bool {
	e := m.ledger.entries[p]
	return e != nil && e.base.hash == h
}

// readOrigins reads which files are there.
func (m *Mirror) readOrigins(ctx context.Context, now time.Time) {
	c := &m.copies
	c.byID, c.byHash, c.read = make(map[string]origin), make(map[definition.Hash]definition.Path), now
	for p, e := range m.ledger.entries {
		if e.base.hash == (definition.Hash{}) {
			continue
		}
		c.byHash[e.base.hash] = p
		content, ok := m.contentOf(ctx, p, e.base)
		if !ok {
			continue
		}
		if id, ok := serviceID(p, content); ok {
			c.byID[id] = origin{p, e.base.hash}
		}
	}
}

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
	// copied are the ids, or the bytes of files that have none, that came twice in the last
	// guardWindow, and when. One that comes many times, as of a template, counts once: what
	// an accident copies is many definitions, not one.
	copied map[string]time.Time
	// idOfOther are the recent files that came with the id of another, and that id.
	idOfOther map[definition.Path]string
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
	return &copies{ledger: l, recent: make(map[definition.Path]time.Time), copied: make(map[string]time.Time), idOfOther: make(map[definition.Path]string)}
}

// without takes out of the imports what may be copies, if there are more new files than a
// few, and they copy more definitions than a few. Of the first content of a cluster nothing
// is a copy.
func (c *copies) without(ctx context.Context, now time.Time, imports []finding) (rest, copied []finding) {
	old := func(at time.Time) bool { return now.Sub(at) >= guardWindow }
	maps.DeleteFunc(c.recent, func(_ definition.Path, at time.Time) bool { return old(at) })
	maps.DeleteFunc(c.copied, func(_ string, at time.Time) bool { return old(at) })
	maps.DeleteFunc(c.idOfOther, func(p definition.Path, _ string) bool { return c.recent[p].IsZero() })
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
	if many && (c.byID == nil || old(c.read)) {
		c.readOrigins(ctx, now)
	}
	for _, f := range imports {
		if f.isNew() && many && c.isCopy(newFile{f.path, f.seen.hash, c.idOf(f)}, now) {
			copied = append(copied, f)
		} else {
			rest = append(rest, f)
		}
	}
	if len(c.copied) <= guardFloor {
		rest, copied = imports, nil
	}
	for _, f := range rest {
		if f.isNew() {
			c.recent[f.path] = now
			c.note(newFile{f.path, f.seen.hash, c.idOf(f)})
		}
	}
	return rest, copied
}

// idOf returns the id of a new file, once there are origins to compare it with.
func (c *copies) idOf(f finding) string {
	if c.byID == nil {
		return ""
	}
	id, _ := serviceID(f.path, f.content)
	return id
}

// newFile is a file that is there, or is about to be in sync. It has no id as long as there is
// nothing to compare it with.
type newFile struct {
	path definition.Path
	hash definition.Hash
	id   string
}

// note notes an origin of later copies.
func (c *copies) note(f newFile) {
	if c.byID == nil {
		return
	}
	if p, ok := c.byHash[f.hash]; !ok || !c.isAt(p, f.hash) {
		c.byHash[f.hash] = f.path
	}
	if o, ok := c.byID[f.id]; f.id != "" && (!ok || !c.isAt(o.path, o.hash)) {
		c.byID[f.id] = origin{f.path, f.hash}
	}
}

// isNew reports whether an import makes a file, of which nobody has said that it is meant.
func (f finding) isNew() bool {
	return f.seen.kind == present && f.entry.base.hash == (definition.Hash{}) && f.moved.IsZero() &&
		!f.adopted && !f.approved && f.replaced == nil
}

// isCopy reports whether a new file has the id, or the bytes, of one that is there, and counts
// what was copied, at the time at.
func (c *copies) isCopy(f newFile, at time.Time) bool {
	what := f.id
	if what == "" {
		what = f.hash.String()
	}
	p, ok := c.byHash[f.hash]
	isCopy := ok && p != f.path && c.isAt(p, f.hash)
	if o, ok := c.byID[f.id]; !isCopy && ok {
		isCopy = o.path != f.path && c.isAt(o.path, o.hash)
	}
	if isCopy {
		c.copied[what] = at
		c.idOfOther[f.path] = f.id
	}
	return isCopy
}

// hasOwnID reports whether a file that came as a copy a moment ago has another id now: that is
// how definitions are made of a template, and nothing is overwritten by it.
func (c *copies) hasOwnID(f finding) bool {
	was, ok := c.idOfOther[f.path]
	id, has := serviceID(f.path, f.content)
	return ok && has && id != was
}

// isAt reports whether a file is in sync with these bytes.
func (c *copies) isAt(p definition.Path, h definition.Hash) bool {
	e := c.ledger.entries[p]
	return e != nil && e.base.hash == h
}

// readOrigins reads which files are there. The new ones among them, the first few, were
// compared with nothing when they came.
func (c *copies) readOrigins(ctx context.Context, now time.Time) {
	c.byID, c.byHash, c.read = make(map[string]origin), make(map[definition.Hash]definition.Path), now
	var recent []newFile
	for p, e := range c.ledger.entries {
		if e.base.hash == (definition.Hash{}) {
			continue
		}
		f := newFile{path: p, hash: e.base.hash}
		if content, ok := c.ledger.content(ctx, p, e.base); ok {
			f.id, _ = serviceID(p, content)
		}
		if _, ok := c.recent[p]; ok {
			recent = append(recent, f)
		} else {
			c.note(f)
		}
	}
	for _, f := range recent {
		c.isCopy(f, c.recent[f.path])
	}
	for _, f := range recent {
		c.note(f)
	}
}

package mirror

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// moves finds files that are there again under another name.
type moves struct {
	ledger  *ledger
	guard   *lossGuard
	dir     *dir.Directory
	replica Replica
	// again takes a path that must be looked at again in the next pass.
	again map[definition.Path]struct{}
}

// add adds to the imports, at once, the deletions of files that are there again under
// another name: with the same bytes, or with the same CAS id. Both go into one
// change, so that every node deletes the old name first and then makes the new one.
// If the old name went later, CAS would unload the id that the new file defines.
// A move is no loss, and the guard does not count it.
func (m *moves) add(ctx context.Context, now time.Time, imports []finding) []finding {
	m.notice(now, imports)
	pending := m.guard.gone()
	if len(pending) == 0 || len(imports) == 0 {
		return imports
	}
	byHash := make(map[definition.Hash][]definition.Path)
	for p := range pending {
		h := m.ledger.entry(p).base.hash
		byHash[h] = append(byHash[h], p)
	}
	for _, paths := range byHash {
		slices.SortFunc(paths, definition.Path.Compare)
	}
	var byID map[string][]definition.Path // found when it is needed
	all := imports
	for i := range imports {
		f := &all[i]
		if f.seen.kind != present || f.replaced != nil || len(pending) == 0 {
			continue
		}
		gone, ok := m.from(f, byHash[f.seen.hash])
		if !ok {
			id, isService := serviceID(f.path, f.content)
			if !isService {
				continue
			}
			if byID == nil {
				byID = m.lostIDs(ctx)
			}
			gone, ok = m.from(f, byID[id])
		}
		if ok {
			all = append(all, gone)
		}
	}
	return all
}

// notice looks whether files are gone whose bytes have come under a new name: the
// event of a file that was moved into a new folder may come after the folder was read.
func (m *moves) notice(now time.Time, imports []finding) {
	came := make(map[definition.Hash]bool)
	for _, f := range imports {
		if f.entry.base.hash == (definition.Hash{}) && f.replaced == nil {
			came[f.seen.hash] = true
		}
	}
	if len(came) == 0 {
		return
	}
	var moved []definition.Path
	for p, e := range m.ledger.entries {
		if came[e.base.hash] && e.seen.kind == present {
			moved = append(moved, p)
		}
	}
	slices.SortFunc(moved, definition.Path.Compare)
	for _, p := range moved {
		e := m.ledger.entries[p]
		if _, err := e.look(m.dir, p, nil); err != nil {
			m.again[p] = struct{}{}
			continue
		}
		if e.seen.kind == absent && plan(e.seen, e.base, m.replica.View(p)) == importDeletion {
			m.guard.lost(p, now)
		}
	}
}

// from takes the first of the lost paths that is still gone as the place that f
// came from, and returns its deletion.
func (m *moves) from(f *finding, lost []definition.Path) (finding, bool) {
	for _, p := range lost {
		if _, ok := m.guard.gone()[p]; !ok {
			continue // another file came from there
		}
		e := m.ledger.entry(p)
		if _, err := e.look(m.dir, p, nil); err != nil || e.seen.kind != absent {
			continue
		}
		if f.entry.base.hash == (definition.Hash{}) && !f.adopted { // an adopted file comes from nowhere
			f.moved = p
		}
		m.guard.drop(p)
		return finding{path: p, entry: e, seen: e.seen, view: m.replica.View(p)}, true
	}
	return finding{}, false
}

// lostIDs finds the lost files by the CAS id that they had.
func (m *moves) lostIDs(ctx context.Context) map[string][]definition.Path {
	byID := make(map[string][]definition.Path)
	gone := m.guard.gone()
	for _, p := range slices.SortedFunc(maps.Keys(gone), definition.Path.Compare) {
		l := gone[p]
		if !l.sought {
			l.sought = true
			view, content, err := m.replica.Read(ctx, p)
			if err == nil && view.Hash == m.ledger.entry(p).base.hash {
				l.id, _ = serviceID(p, content)
			}
		}
		if l.id != "" {
			byID[l.id] = append(byID[l.id], p)
		}
	}
	return byID
}

// serviceID returns the CAS id in a definition's content.
func serviceID(p definition.Path, content []byte) (string, bool) {
	doc, err := definition.Parse(p, content)
	if err != nil {
		return "", false
	}
	return doc.Service().ID()
}

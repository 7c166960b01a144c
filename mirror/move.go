package mirror

import (
	"context"
	"maps"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// addMoves publishes at once the deletions of files that are there again under
// another name: with the same bytes, or with the same CAS id. Both go into one
// change, so that every node deletes the old name first and then makes the new one.
// If the old name went later, CAS would unload the id that the new file defines.
// A move is no loss, and the guard does not count it.
func (m *Mirror) addMoves(ctx context.Context, t *turn) {
	m.noticeMoved(t)
	gone := &m.losses[Deletion]
	if len(gone.pending) == 0 || len(t.imports) == 0 {
		return
	}
	byHash := make(map[definition.Hash][]definition.Path)
	for p := range gone.pending {
		h := m.entry(p).base.hash
		byHash[h] = append(byHash[h], p)
	}
	for _, paths := range byHash {
		slices.SortFunc(paths, definition.Path.Compare)
	}
	var byID map[string][]definition.Path // found when it is needed
	for i := range t.imports {
		f := &t.imports[i]
		if f.seen.kind != present || f.kept != nil || len(gone.pending) == 0 {
			continue
		}
		if m.moveFrom(t, f, byHash[f.seen.hash]) {
			continue
		}
		id, ok := serviceID(f.path, f.content)
		if !ok {
			continue
		}
		if byID == nil {
			byID = m.lostIDs(ctx)
		}
		m.moveFrom(t, &t.imports[i], byID[id])
	}
}

// noticeMoved looks whether files are gone whose bytes have come under a new name: the
// event of a file that was moved into a new folder may come after the folder was read.
func (m *Mirror) noticeMoved(t *turn) {
	came := make(map[definition.Hash]bool)
	for _, f := range t.imports {
		if f.entry.base.hash == (definition.Hash{}) && f.kept == nil {
			came[f.seen.hash] = true
		}
	}
	if len(came) == 0 {
		return
	}
	var moved []definition.Path
	for p, e := range m.entries {
		if came[e.base.hash] && e.seen.kind == present {
			moved = append(moved, p)
		}
	}
	slices.SortFunc(moved, definition.Path.Compare)
	for _, p := range moved {
		e := m.entries[p]
		if _, err := m.look(p, e, nil); err != nil {
			m.again[p] = struct{}{}
			continue
		}
		if e.seen.kind == absent && plan(e.seen, e.base, m.replica.View(p)) == importDeletion {
			m.losses[Deletion].add(p, e.seen.hash, t.now)
		}
	}
}

// moveFrom takes the first of the lost paths that is still gone as the place that f
// came from.
func (m *Mirror) moveFrom(t *turn, f *finding, lost []definition.Path) bool {
	for _, p := range lost {
		if _, ok := m.losses[Deletion].pending[p]; !ok {
			continue // another file came from there
		}
		e := m.entry(p)
		if _, err := m.look(p, e, nil); err != nil || e.seen.kind != absent {
			continue
		}
		if f.entry.base.hash == (definition.Hash{}) && !f.adopted { // an adopted file comes from nowhere
			f.moved = p
		}
		m.losses[Deletion].drop(p)
		t.imports = append(t.imports, finding{path: p, entry: e, seen: e.seen, view: m.replica.View(p)})
		return true
	}
	return false
}

// lostIDs finds the lost files by the CAS id that they had.
func (m *Mirror) lostIDs(ctx context.Context) map[string][]definition.Path {
	byID := make(map[string][]definition.Path)
	pending := m.losses[Deletion].pending
	for _, p := range slices.SortedFunc(maps.Keys(pending), definition.Path.Compare) {
		l := pending[p]
		if !l.sought {
			l.sought = true
			view, content, err := m.replica.Read(ctx, p)
			if err == nil && view.Hash == m.entry(p).base.hash {
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

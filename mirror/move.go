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
	ledger   *ledger
	guard    *lossGuard
	settling settling
	dir      *dir.Directory
	replica  Replica
	// again takes a path that must be looked at again in the next pass.
	again map[definition.Path]struct{}
}

// add adds to the imports, at once, the deletions of files that are there again under
// another name: with the same bytes, or with the same CAS id. Both go into one
// change, so that every node deletes the old name first and then makes the new one.
// If the old name went later, CAS would unload the id that the new file defines.
// A move is no loss, and the guard does not count it: also if the new file waits, or is held,
// because it is one that was there before (a rename that is undone) or a copy (a folder that is
// copied elsewhere and then removed), or if the deletion is held.
func (m *moves) add(ctx context.Context, now time.Time, do *todo, imports []finding) []finding {
	came := slices.Clone(imports)
	for kind, lost := range do.lost {
		if LossKind(kind) != Deletion {
			came = append(came, lost...)
		}
	}
	m.notice(now, came)
	gone := m.guard.gone()
	if len(gone) == 0 || len(came) == 0 && len(do.lost[Deletion]) == 0 {
		return imports
	}
	came = append(came, m.arrived(now, came)...)
	mv := mover{moves: m, gone: gone, byHash: make(map[definition.Hash][]definition.Path)}
	for p := range gone {
		h := m.ledger.entry(p).base.hash
		mv.byHash[h] = append(mv.byHash[h], p)
	}
	for _, paths := range mv.byHash {
		slices.SortFunc(paths, definition.Path.Compare)
	}
	edits := len(imports)
	for i := range came {
		f := &came[i]
		if f.seen.kind != present || f.replaced != nil || len(gone) == 0 {
			continue
		}
		from, ok := mv.origin(ctx, f)
		switch {
		case !ok:
		case i < edits:
			imports[i] = *f
			imports = append(imports, from)
		default: // it need not wait any more
			m.guard.drop(f.path)
			imports = append(imports, *f, from)
		}
	}
	return imports
}

// arrived returns what is there now of the files that wait, or are held, and of which the pass
// knows nothing yet.
func (m *moves) arrived(now time.Time, known []finding) []finding {
	looked := make(map[definition.Path]bool, len(known))
	for _, f := range known {
		looked[f.path] = true
	}
	var came []finding
	for _, p := range m.guard.arrived() {
		if looked[p] {
			continue
		}
		e := m.ledger.entry(p)
		content, err := e.read(m.dir, p)
		if err != nil || e.seen.kind != present {
			m.again[p] = struct{}{}
			continue
		}
		view := m.replica.View(p)
		how, done, err := m.settling.complete(p, e, content, now)
		if err == nil && !done {
			continue // it is due by itself
		}
		if _, ok := m.guard.knows(p, e.seen.hash); err != nil || !ok || view.Withheld != "" || plan(e.seen, e.base, view) != importFile {
			m.again[p] = struct{}{}
			continue
		}
		came = append(came, finding{path: p, entry: e, seen: e.seen, stat: e.stat, view: view, content: content, saved: how})
	}
	return came
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

// mover finds where files came from.
type mover struct {
	*moves
	gone   map[definition.Path]*loss
	byHash map[definition.Hash][]definition.Path
	byID   map[string][]definition.Path // found when it is needed
}

// origin returns the deletion of the file that f came from: of one with the same bytes, or with
// the same CAS id.
func (mv *mover) origin(ctx context.Context, f *finding) (finding, bool) {
	if from, ok := mv.from(f, mv.byHash[f.seen.hash]); ok {
		return from, true
	}
	id, ok := serviceID(f.path, f.content)
	if !ok {
		return finding{}, false
	}
	if mv.byID == nil {
		mv.byID = mv.lostIDs(ctx)
	}
	return mv.from(f, mv.byID[id])
}

// from takes the first of the lost paths that is still gone as the place that f
// came from, and returns its deletion.
func (mv *mover) from(f *finding, lost []definition.Path) (finding, bool) {
	for _, p := range lost {
		if _, ok := mv.gone[p]; !ok {
			continue // another file came from there
		}
		e := mv.ledger.entry(p)
		if _, err := e.look(mv.dir, p, nil); err != nil || e.seen.kind != absent {
			continue
		}
		view := mv.replica.View(p)
		if plan(e.seen, e.base, view) != importDeletion {
			continue
		}
		if f.entry.base.hash == (definition.Hash{}) && !f.adopted { // an adopted file comes from nowhere
			f.moved = p
		}
		delete(mv.gone, p)
		mv.guard.drop(p)
		return finding{path: p, entry: e, seen: e.seen, view: view}, true
	}
	return finding{}, false
}

// lostIDs finds the lost files by the CAS id that they had.
func (mv *mover) lostIDs(ctx context.Context) map[string][]definition.Path {
	byID := make(map[string][]definition.Path)
	for _, p := range slices.SortedFunc(maps.Keys(mv.gone), definition.Path.Compare) {
		l := mv.gone[p]
		if !l.sought {
			l.sought = true
			if content, ok := mv.ledger.content(ctx, p, mv.ledger.entry(p).base); ok && content != nil {
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

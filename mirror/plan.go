package mirror

import "github.com/starling-sync/starling/definition"

// action is what a pass does about one path.
type action uint8

const (
	// noop: disk, base and view agree, or nobody knows the path.
	noop action = iota
	// recordBase: disk and view agree, the base does not: only remember.
	recordBase
	// hold: touch nothing and report.
	hold
	// exportFile: write the view's bytes.
	exportFile
	// exportDeletion: the view wants the file gone.
	exportDeletion
	// importFile: the file is an edit on top of the base.
	importFile
	// adoptFile: the file was here before the node's first complete sync and
	// differs from the view; it is imported so that it loses to whatever the
	// cluster holds.
	adoptFile
	// importDeletion: the file was deleted here; subject to the guard.
	importDeletion
	// quarantineFile: a reader's file differs; keep its bytes outside the directory
	// and restore the view.
	quarantineFile
)

// String returns the action's name as Status shows it.
func (a action) String() string {
	return [...]string{"noop", "record", "hold", "export", "delete", "import", "adopt", "import deletion", "set aside"}[a]
}

// plan decides what to do about one path, from what is on disk, what disk and
// view last had in common, and what the directory should hold. It is total and
// pure; the whole behaviour of the mirror is this table.
func plan(d diskState, b base, v definition.View) action {
	switch {
	case d.kind == unreadable:
		return hold
	case d.kind == absent && displacedBy(v) != (definition.Path{}) && !b.unknown && b.hash != (definition.Hash{}):
		// The view is absent only as long as another path is in the way. The mirror
		// records what it removes, so it was the user who deleted it.
		return importDeletion
	case d.hash == v.Hash: // both may be absent
		if b.equal(baseOf(v)) || d.kind == absent && len(v.Heads) == 0 && b.hash == (definition.Hash{}) {
			return noop
		}
		return recordBase
	case b.unknown && d.kind == absent:
		return exportFile
	case b.unknown && d.parses:
		return adoptFile
	case b.unknown:
		return hold
	case d.hash == b.hash: // only the view changed
		if v.Present {
			return exportFile
		}
		return exportDeletion
	case d.kind == absent:
		return importDeletion
	case d.parses:
		return importFile
	default:
		return hold
	}
}

// displacedBy returns the path that keeps the view's file out of the directory; zero if none
// does.
func displacedBy(v definition.View) definition.Path {
	if !v.Present {
		for _, c := range v.Conflicts {
			if c.Kind == definition.ConflictPath {
				return c.Stands.Path
			}
		}
	}
	return definition.Path{}
}

// forReader changes the plan of a node that may not write: whatever the disk has
// of its own gives way to the view, and bytes that would go are kept elsewhere.
func (a action) forReader(d diskState, v definition.View) action {
	switch a {
	case importFile, adoptFile:
		return quarantineFile
	case importDeletion:
		if d.hash == v.Hash {
			return recordBase
		}
		return exportFile
	case hold:
		if d.kind == present {
			return quarantineFile
		}
	}
	return a
}

// planned is what a mirror that only observes would do.
type planned map[definition.Path]action

// note notes what would be done about a path.
func (pl planned) note(f finding, a action, h *holds) {
	if a == hold {
		h.hold(f.path.String(), f.seen.fault)
	} else {
		h.release(f.path.String())
	}
	if a == noop || a == recordBase || a == hold {
		delete(pl, f.path)
		return
	}
	pl[f.path] = a
}

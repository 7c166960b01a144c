package mirror

import (
	"slices"

	"github.com/starling-sync/starling/definition"
)

// sight is what one look at a path on disk found.
type sight struct {
	kind sightKind
	// hash is the content's hash; zero unless the file is present.
	hash definition.Hash
	// parses says that the content is a definition; it is set only where it
	// matters, for content that is neither the base's nor the view's.
	parses bool
	// folder says that a folder is in the place of the file, which is absent then.
	folder bool
	// fault says why the file cannot be imported: it is unreadable or does not
	// parse.
	fault string
}

type sightKind uint8

const (
	absent sightKind = iota
	present
	// unreadable: something is there, but no content that could be mirrored: a
	// link, a device, a file over the size limit, or no permission.
	unreadable
)

// base is what directory and view of a path last had in common.
type base struct {
	// heads are the versions that the content on disk is known to include. An
	// edit on disk has them as parents.
	heads []definition.Version
	// hash is the content's hash; zero means absent.
	hash definition.Hash
	// unknown: this node has not yet brought the path into sync once, so nobody
	// knows whether its file on disk is newer or older than the view. So it is
	// for every path before the node's first complete sync, and afterwards for
	// files that could not be read then. The base of a path that is seen first
	// after that sync is the zero base instead: no heads, absent.
	unknown bool
}

// equal reports whether b says the same as c.
func (b base) equal(c base) bool {
	return b.hash == c.hash && b.unknown == c.unknown && slices.Equal(b.heads, c.heads)
}

// baseOf is the base of a path whose file is what the view wants.
func baseOf(v definition.View) base { return base{heads: v.Heads, hash: v.Hash} }

// action is what a turn does about one path.
type action uint8

const (
	// rest: disk, base and view agree, or nobody knows the path.
	rest action = iota
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
	// setAside: a reader's file differs; keep its bytes outside the directory
	// and restore the view.
	setAside
)

// String returns the action's name as Status shows it.
func (a action) String() string {
	return [...]string{"rest", "record", "hold", "export", "delete", "import", "adopt", "import deletion", "set aside"}[a]
}

// plan decides what to do about one path, from what is on disk, what disk and
// view last had in common, and what the directory should hold. It is total and
// pure; the whole behaviour of the mirror is this table.
func plan(d sight, b base, v definition.View) action {
	switch {
	case d.kind == unreadable:
		return hold
	case d.hash == v.Hash: // both may be absent
		if b.equal(baseOf(v)) || d.kind == absent && len(v.Heads) == 0 && b.hash == (definition.Hash{}) {
			return rest
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

// forReader changes the plan of a node that may not write: whatever the disk has
// of its own gives way to the view, and bytes that would go are kept elsewhere.
func (a action) forReader(d sight) action {
	switch a {
	case importFile, adoptFile:
		return setAside
	case importDeletion:
		return exportFile
	case hold:
		if d.kind == present {
			return setAside
		}
	}
	return a
}

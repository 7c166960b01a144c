package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// Entry is a definition that the directory should hold.
type Entry struct {
	Path      definition.Path
	Size      int
	Hash      definition.Hash
	Change    definition.ChangeID // that brought the bytes
	Author    string              // its author's name
	Time      time.Time
	Conflicts int
}

// views is the set as it is, or as it was at a time.
type views interface {
	Views() []definition.View
	Read(context.Context, definition.Path) (definition.View, []byte, error)
}

// at returns the set as it was at a time (see crdt.Past), as it is for the zero time.
func (n *Node) at(t time.Time) views {
	if t.IsZero() {
		return n.replica
	}
	return n.replica.At(t)
}

// List returns the definitions whose path a doublestar glob matches, all if it
// is empty, in order.
func (n *Node) List(ctx context.Context, glob string) ([]Entry, error) {
	return n.ListAt(ctx, glob, time.Time{})
}

// ListAt lists as List does what was there at a time (see crdt.Past), now if it is
// zero.
func (n *Node) ListAt(ctx context.Context, glob string, t time.Time) ([]Entry, error) {
	if glob != "" && !doublestar.ValidatePattern(glob) {
		return nil, fmt.Errorf("list: %w: %q is no valid pattern", ErrInvalid, glob)
	}
	names := n.names()
	var entries []Entry
	for _, v := range n.at(t).Views() {
		if !v.Present || glob != "" && !doublestar.MatchUnvalidated(glob, v.Path.String()) {
			continue
		}
		info, err := n.replica.Version(v.Winner)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		entries = append(entries, Entry{
			Path: v.Path, Size: info.Size, Hash: v.Hash, Change: v.Winner.Change,
			Author: nameOf(names, info.Author), Time: info.Time, Conflicts: len(n.listedNow(v)),
		})
	}
	return entries, ctx.Err()
}

// names maps members' keys to names.
func (n *Node) names() map[peer.ID]string {
	names := make(map[peer.ID]string)
	for _, m := range n.replica.Members() {
		names[m.ID] = m.Name
	}
	return names
}

func nameOf(names map[peer.ID]string, id peer.ID) string {
	if name, ok := names[id]; ok {
		return name
	}
	return id.String()
}

// ReadAt returns the bytes of a definition at a time (see crdt.Past), now if it is
// zero. Errors wrap ErrNotFound.
func (n *Node) ReadAt(ctx context.Context, p definition.Path, t time.Time) ([]byte, error) {
	_, content, err := n.ReadView(ctx, p, t)
	return content, err
}

// ReadView is ReadAt, and returns the view too: its heads are what was read.
func (n *Node) ReadView(ctx context.Context, p definition.Path, t time.Time) (definition.View, []byte, error) {
	view, content, err := n.at(t).Read(ctx, p)
	if err == nil && !view.Present {
		err = fmt.Errorf("%s: %w", p, ErrNotFound)
		if !t.IsZero() {
			err = fmt.Errorf("%w at that time", err)
		}
	}
	return view, content, err
}

// Read returns the bytes of a definition, now or as a change made them, whatever its name was
// then. Errors
// wrap ErrNotFound.
func (n *Node) Read(ctx context.Context, p definition.Path, at definition.ChangeID) ([]byte, error) {
	if at.IsZero() {
		return n.ReadAt(ctx, p, time.Time{})
	}
	v, ok := n.replica.VersionOf(p, at)
	if !ok {
		return nil, fmt.Errorf("%s in change %s: %w", p, at.Short(), ErrNotFound)
	}
	edit, err := n.replica.Edit(ctx, v)
	switch {
	case err != nil:
		return nil, err
	case edit.Deleted:
		return nil, fmt.Errorf("%s in change %s: %w: the change deleted it", p, at.Short(), ErrNotFound)
	}
	return edit.Content, nil
}

// minPrefix is the least that must be written of a change's id.
const minPrefix = 4

// Resolve returns the change whose id begins with prefix.
func (n *Node) Resolve(_ context.Context, prefix string) (definition.ChangeID, error) {
	if len(prefix) < minPrefix {
		return definition.ChangeID{}, fmt.Errorf("%w: change %q: write at least %d characters of its id", ErrInvalid, prefix, minPrefix)
	}
	id, err := n.replica.Resolve(prefix)
	if errors.Is(err, crdt.ErrNotFound) {
		return id, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return id, err
}

// Edit appends a draft. Edits without parents are made on top of the present heads, so that what
// one node is given one after the other is a sequence, whoever gives it; those with parents, of
// what was read (see Basis), are merged with what came since. A deletion of what is absent is
// ErrNotFound, unless it resolves conflicts or another path is held in its place; a file of an ending that
// no member mirrors is ErrRefused. The change is on disk when Edit returns.
func (n *Node) Edit(ctx context.Context, d definition.Draft) ([]definition.Version, error) {
	for _, e := range d.Edits {
		if e.Deleted {
			continue
		}
		if err := n.checkMirrored(e.Path); err != nil {
			return nil, err
		}
		if _, err := definition.Parse(e.Path, e.Content); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, e.Path, err)
		}
	}
	n.editing.Lock() // from the heads to the change on top of them
	defer n.editing.Unlock()
	d.Edits = slices.Clone(d.Edits)
	for i, e := range d.Edits {
		view := n.replica.View(e.Path)
		_, isDisplaced := displaced(view)
		if e.Deleted && !view.Present && !isDisplaced && !e.Resolves && len(e.Resolved) == 0 {
			return nil, fmt.Errorf("%s: %w", e.Path, ErrNotFound)
		}
		if e.Parents == nil {
			d.Edits[i].Parents = view.Heads
		}
	}
	return n.append(ctx, d)
}

// Basis returns the versions of a path that changes made, to be the parents of an edit of what was
// read in them. Errors wrap ErrNotFound.
func (n *Node) Basis(_ context.Context, p definition.Path, changes []definition.ChangeID) ([]definition.Version, error) {
	heads := n.replica.View(p).Heads
	var basis []definition.Version
	own := false
	for _, id := range changes {
		v, ok := n.replica.VersionOf(p, id)
		if !ok {
			return nil, fmt.Errorf("%s in change %s: %w", p, id.Short(), ErrNotFound)
		}
		own = own || v.Path == p || slices.Contains(heads, v)
		if !slices.Contains(basis, v) {
			basis = append(basis, v)
		}
	}
	if !own && len(basis) > 0 {
		return nil, fmt.Errorf("%s in change %s: %w: it was %s then", p, changes[0].Short(), ErrNotFound, basis[0].Path)
	}
	return basis, nil
}

// append appends a draft whose edits say what they are made on. Errors wrap ErrRole and
// ErrInvalid.
func (n *Node) append(ctx context.Context, d definition.Draft) ([]definition.Version, error) {
	versions, err := n.replica.Append(ctx, d, nil)
	switch {
	case errors.Is(err, crdt.ErrNotAllowed), errors.Is(err, crdt.ErrRevoked):
		return nil, fmt.Errorf("%w: %w", ErrRole, err)
	case errors.Is(err, crdt.ErrDraft):
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return versions, err
}

// Change is an atomic batch of edits by one node.
type Change struct {
	ID     definition.ChangeID
	Author string
	Peer   peer.ID
	Seq    uint64
	Time   time.Time
	Note   string
	Actor  string
	Edits  []ChangeEdit
}

// ChangeEdit is one edit of a change.
type ChangeEdit struct {
	Path      definition.Path
	Kind      EditKind
	Hash      definition.Hash // zero for a deletion
	Size      int
	MovedFrom definition.Path
	Resolves  bool     // it ended the conflicts of its path, or those of Resolved
	Resolved  []string // the pointers of the conflicts that it ended, if it did not end all
	Returned  bool     // it is a save that took the file back; see definition.ConflictReverted
	crdt.Origin
}

// EditKind says what an edit does.
type EditKind string

// Kinds of edits.
const (
	EditCreate EditKind = "create"
	EditChange EditKind = "edit"
	EditDelete EditKind = "delete"
	EditAdopt  EditKind = "adopt"
	EditMove   EditKind = "move"
)

func (n *Node) changeOf(c crdt.Change, names map[peer.ID]string) Change {
	out := Change{
		ID: c.ID, Author: nameOf(names, c.Author), Peer: c.Author, Seq: c.Seq, Time: c.Time, Note: c.Note, Actor: c.Actor,
	}
	for _, e := range c.Edits {
		edit := ChangeEdit{
			Path: e.Path, Kind: EditChange, Size: len(e.Content), MovedFrom: e.MovedFrom,
			Resolves: e.Resolves || len(e.Resolved) > 0, Returned: e.Returned,
			Origin: n.replica.Origin(definition.Version{Change: c.ID, Path: e.Path}),
		}
		for _, r := range e.Resolved {
			edit.Resolved = append(edit.Resolved, r.Pointer)
		}
		slices.Sort(edit.Resolved)
		edit.Resolved = slices.Compact(edit.Resolved)
		switch {
		case e.Deleted:
			edit.Kind = EditDelete
		case e.Adopted:
			edit.Kind = EditAdopt
		case !e.MovedFrom.IsZero() && (len(parentsIn(e, e.Path)) == 0 || slices.ContainsFunc(c.Edits, func(o definition.Edit) bool { return o.Deleted && o.Path == e.MovedFrom })):
			edit.Kind = EditMove
		case len(e.Parents) == 0:
			edit.Kind = EditCreate
		}
		if !e.Deleted {
			edit.Hash = definition.HashOf(e.Content)
		}
		out.Edits = append(out.Edits, edit)
	}
	return out
}

package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
)

// ConflictDuplicateID is the kind of a conflict between definitions that hold
// the same id, of which CAS loads one. No merge made it and no resolution ends it.
const ConflictDuplicateID definition.ConflictKind = "duplicate_id"

// Conflict is something that the merge could not decide for its authors, and that
// nobody has marked as resolved.
type Conflict struct {
	Path definition.Path
	Kind definition.ConflictKind
	// Pointer is the field; empty for the whole file, and then Reason says why.
	Pointer   string
	FieldKind definition.FieldKind
	Reason    string
	// Lost and Stands are who wrote what lost and what stands; zero for ConflictDuplicateID.
	Lost, Stands Side
	// Base, LostText and StandsText are the field in what both were made on and in each; for
	// the whole file they are not set.
	Base, LostText, StandsText definition.FieldText
	// At is the change that was made on top of both sides without resolving the
	// conflict; zero while they are heads.
	At definition.ChangeID
	// AtPath is the path under which At has it, if the file was renamed since then.
	AtPath definition.Path
	// Paths are those that hold the same id, for ConflictDuplicateID.
	Paths []definition.Path
}

// Side is one side of a conflict.
type Side struct {
	definition.Version
	Author  string // its author's name
	Time    time.Time
	Size    int
	Deleted bool
}

// Conflicts returns the open conflicts of the paths that a doublestar glob
// matches, all if it is empty, in order. It reads the definitions that changed since
// somebody asked, to find duplicate ids.
func (n *Node) Conflicts(ctx context.Context, glob string) ([]Conflict, error) {
	if glob != "" && !doublestar.ValidatePattern(glob) {
		return nil, fmt.Errorf("conflicts: %w: %q is no valid pattern", ErrInvalid, glob)
	}
	matches := func(p definition.Path) bool { return glob == "" || doublestar.MatchUnvalidated(glob, p.String()) }
	paths, err := n.conflicts.paths(ctx)
	if err != nil {
		return nil, fmt.Errorf("conflicts: %w", err)
	}
	names := n.names()
	var conflicts []Conflict
	for _, p := range paths {
		if !matches(p) {
			continue
		}
		found, err := n.conflictsOf(n.replica.View(p), names)
		if err != nil {
			return nil, fmt.Errorf("conflicts: %w", err)
		}
		conflicts = append(conflicts, found...)
	}
	groups, err := n.conflicts.duplicateIDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("conflicts: %w", err)
	}
	for _, paths := range groups {
		if i := slices.IndexFunc(paths, matches); i >= 0 {
			conflicts = append(conflicts, Conflict{Path: paths[i], Kind: ConflictDuplicateID, Paths: paths})
		}
	}
	slices.SortStableFunc(conflicts, func(a, b Conflict) int { return a.Path.Compare(b.Path) })
	return conflicts, ctx.Err()
}

// conflictsOf returns the conflicts of one path.
func (n *Node) conflictsOf(v definition.View, names map[peer.ID]string) ([]Conflict, error) {
	listed := n.listedNow(v)
	conflicts := make([]Conflict, 0, len(listed))
	for _, c := range listed {
		lost, err := n.sideOf(c.Lost, names)
		if err != nil {
			return nil, err
		}
		stands, err := n.sideOf(c.Stands, names)
		if err != nil {
			return nil, err
		}
		conflicts = append(conflicts, Conflict{
			Path: v.Path, Kind: c.Kind, Pointer: c.Pointer, FieldKind: c.FieldKind, Reason: c.Reason, Lost: lost, Stands: stands,
			Base: c.Base, LostText: c.LostText, StandsText: c.StandsText, At: c.At, AtPath: c.AtPath,
		})
	}
	return conflicts, nil
}

func (n *Node) sideOf(v definition.Version, names map[peer.ID]string) (Side, error) {
	info, err := n.replica.Version(v)
	if err != nil {
		return Side{}, err
	}
	return Side{Version: v, Author: nameOf(names, info.Author), Time: info.Time, Size: info.Size, Deleted: info.Size == 0}, nil
}

// Dispute is all that is to be seen of one path's conflicts.
type Dispute struct {
	Path definition.Path
	// Present and Content are what stands now.
	Present   bool
	Content   []byte
	Conflicts []DisputedConflict
}

// DisputedConflict is one conflict with the files of its sides: nil for a deletion, and for a
// base that there is none of.
type DisputedConflict struct {
	Conflict
	// From is the latest version that both sides were made on; zero if there is none.
	From                           definition.Version
	FromFile, LostFile, StandsFile []byte
}

// Dispute returns the conflicts of one path with the texts of their sides. Errors
// wrap ErrNotFound if the path has none.
func (n *Node) Dispute(ctx context.Context, p definition.Path) (Dispute, error) {
	d, err := n.dispute(ctx, p)
	if err != nil {
		return Dispute{}, fmt.Errorf("conflicts: %w", err)
	}
	return d, nil
}

func (n *Node) dispute(ctx context.Context, p definition.Path) (Dispute, error) {
	view, content, err := n.replica.Read(ctx, p)
	if err != nil {
		return Dispute{}, err
	}
	conflicts, err := n.conflictsOf(view, n.names())
	if err != nil {
		return Dispute{}, err
	}
	twins, err := n.conflicts.twinsOf(ctx, p)
	if err != nil {
		return Dispute{}, err
	}
	if twins != nil {
		conflicts = append(conflicts, Conflict{Path: p, Kind: ConflictDuplicateID, Paths: twins})
	}
	if len(conflicts) == 0 {
		return Dispute{}, fmt.Errorf("%s: no open conflict: %w", p, ErrNotFound)
	}
	d := Dispute{Path: p, Present: view.Present, Content: content}
	for _, c := range conflicts {
		disputed, err := n.disputedConflict(ctx, c)
		if err != nil {
			return Dispute{}, err
		}
		d.Conflicts = append(d.Conflicts, disputed)
	}
	return d, nil
}

func (n *Node) disputedConflict(ctx context.Context, c Conflict) (DisputedConflict, error) {
	d := DisputedConflict{Conflict: c}
	if c.Kind == ConflictDuplicateID {
		return d, nil // it has no sides
	}
	var err error
	if c.Kind != definition.ConflictPath {
		if d.From, d.FromFile, err = n.replica.Base(ctx, c.Path, c.Lost.Version, c.Stands.Version); err != nil {
			return d, err
		}
	}
	if d.LostFile, err = n.textOf(ctx, c.Lost.Version); err != nil {
		return d, err
	}
	d.StandsFile, err = n.textOf(ctx, c.Stands.Version)
	return d, err
}

func (n *Node) textOf(ctx context.Context, v definition.Version) ([]byte, error) {
	edit, err := n.replica.Edit(ctx, v)
	return edit.Content, err
}

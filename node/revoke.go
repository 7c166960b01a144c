package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// RevokeOptions says who is to be a member no more.
type RevokeOptions struct {
	// Member is a member's name or peer id.
	Member string
	// Mode says what becomes of its changes; zero is trust.ModeKeep.
	Mode trust.RevocationMode
	// LastChange, under trust.ModeKeep, is the member's last change that keeps its effect: it and those
	// before it by the member's own count. Zero is the one with the highest number.
	LastChange definition.ChangeID
	// Reason is free text that all members can read.
	Reason string
}

// RevocationEffect is what a revocation takes effect on, as far as this node's
// set goes. A change of the member that is not in it yet loses its effect too.
type RevocationEffect struct {
	Name    string
	ID      peer.ID
	Mode    trust.RevocationMode
	Revoked bool // before this revocation
	// Forked: two nodes sign with the key. Under trust.ModeKeep only the changes
	// of one of them keep their effect.
	Forked bool

	Made    uint64            // changes by the member in this node's set
	Changes int               // those that stand now and lose their effect
	Paths   []definition.Path // where they stand, and what changes beside them, in order
	Gone    []definition.Path // those of them that have a file now and will have none
	// LastChange is the last that keeps its effect; zero if none does.
	LastChange definition.ChangeID
	// Remains, under trust.ModePurge, is what it wrote and others have kept in edits of their own,
	// which a purge does not take: the first maxRemains fields.
	Remains []RemainingField
}

// RemainingField is a value that a purged member wrote, and that stands all the same.
type RemainingField struct {
	Path    definition.Path
	Pointer string // empty for the whole file
	Text    string
	Change  definition.ChangeID // of the member
	Kept    definition.ChangeID // of who kept it
	By      string              // the name of that one's author
}

// maxRemains is how many remaining fields are looked for.
const maxRemains = 1000

// PreviewRevoke says what Revoke with these options would do, and its errors. It
// changes nothing.
func (n *Node) PreviewRevoke(ctx context.Context, o RevokeOptions) (RevocationEffect, error) {
	effect, err := n.revocationEffect(ctx, o)
	if err != nil {
		return RevocationEffect{}, fmt.Errorf("revoke: %w", err)
	}
	return effect, nil
}

// Revoke ends a membership for good: the key's connections are closed here at once
// and elsewhere as the revocation arrives, and what it signs from now on has no effect
// on anybody who knows of it. Errors wrap ErrNotAuthority on a node without the
// authority's key, ErrNotFound for a member that is unknown, and ErrRefused for
// this node itself and for one whose revocation would change nothing. The
// revocation is on disk when Revoke returns.
func (n *Node) Revoke(ctx context.Context, o RevokeOptions) (RevocationEffect, error) {
	effect, err := n.revocationEffect(ctx, o)
	if err != nil {
		return RevocationEffect{}, fmt.Errorf("revoke: %w", err)
	}
	err = n.replica.Revoke(ctx, n.secrets.authority, trust.Revocation{
		Member: effect.ID, Mode: effect.Mode, LastChange: effect.LastChange, Reason: o.Reason,
	})
	if errors.Is(err, trust.ErrEncoding) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err != nil {
		return RevocationEffect{}, fmt.Errorf("revoke: %w", err)
	}
	n.log.Info("revoked a member", "peer", effect.ID, "name", effect.Name, "mode", effect.Mode)
	return effect, nil
}

func (n *Node) revocationEffect(ctx context.Context, o RevokeOptions) (RevocationEffect, error) {
	if _, err := n.authority(); err != nil {
		return RevocationEffect{}, err
	}
	mode := o.Mode
	if mode == 0 {
		mode = trust.ModeKeep
	}
	m, err := findMember(n.replica.Members(), o.Member)
	if err != nil {
		return RevocationEffect{}, err
	}
	switch {
	case m.ID == n.identity.Peer:
		return RevocationEffect{}, fmt.Errorf(`%w: %s is this node: take the authority key to another one first ("starling authority export") and revoke there`, ErrRefused, m.Name)
	case m.Revoked && mode == trust.ModeKeep:
		return RevocationEffect{}, fmt.Errorf("%w: %s is revoked already; what can still be done is to purge its changes", ErrRefused, m.Name)
	}
	effect := RevocationEffect{Name: m.Name, ID: m.ID, Mode: mode, Revoked: m.Revoked, Forked: m.Forks > 0, Made: m.Changes}
	switch {
	case mode == trust.ModeKeep && o.LastChange.IsZero():
		effect.LastChange = m.LastChange
	case mode == trust.ModeKeep:
		effect.LastChange = o.LastChange
	case !o.LastChange.IsZero():
		return RevocationEffect{}, fmt.Errorf("%w: a purge keeps no change", ErrInvalid)
	}
	would, err := n.replica.PreviewRevocation(ctx, trust.Revocation{Member: m.ID, Mode: mode, LastChange: effect.LastChange})
	if errors.Is(err, crdt.ErrNotFound) {
		err = fmt.Errorf("%w: change %s is none of %s's: see \"starling log\"", ErrInvalid, effect.LastChange.Short(), m.Name)
	}
	if err != nil {
		return RevocationEffect{}, err
	}
	effect.Changes, effect.Paths, effect.Gone = would.Changes, would.Paths, would.Gone
	if mode == trust.ModePurge {
		if effect.Remains, err = n.remains(ctx, m.ID); err != nil {
			return RevocationEffect{}, err
		}
	}
	return effect, ctx.Err()
}

// remains returns what a member wrote and others have kept.
func (n *Node) remains(ctx context.Context, member peer.ID) ([]RemainingField, error) {
	found, err := n.replica.Remains(ctx, member, maxRemains)
	if err != nil {
		return nil, err
	}
	names := n.names()
	var remains []RemainingField
	for _, f := range found {
		kept, err := n.sideOf(f.Kept, names)
		if err != nil {
			return nil, err
		}
		remains = append(remains, RemainingField{
			Path: f.Kept.Path, Pointer: f.Pointer, Text: f.Text, Change: f.Version.Change, Kept: f.Kept.Change, By: kept.Author,
		})
	}
	return remains, nil
}

// findMember finds a member by name or peer id. A name that several had, some of them revoked, names
// none of them: whoever says it again, after the one whom they meant was revoked and another came
// in its place, would end the other.
func findMember(members []crdt.Member, wanted string) (crdt.Member, error) {
	var named []crdt.Member
	for _, m := range members {
		if m.ID.String() == wanted {
			return m, nil
		}
		if m.Name == wanted {
			named = append(named, m)
		}
	}
	switch len(named) {
	case 0:
		return crdt.Member{}, fmt.Errorf("member %q: %w", wanted, ErrNotFound)
	case 1:
		return named[0], nil
	}
	var ids []string
	for _, m := range named {
		state := "a member"
		if m.Revoked {
			state = "revoked"
		}
		ids = append(ids, fmt.Sprintf("%s (%s)", m.ID, state))
	}
	return crdt.Member{}, fmt.Errorf("%w: %d nodes have had the name %q: say which by its peer id: %s", ErrInvalid, len(named), wanted, strings.Join(ids, ", "))
}

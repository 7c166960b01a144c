package node

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/definition"
)

// authority returns the authority's key, or an error that wraps ErrNotAuthority
// and names who has it.
func (n *Node) authority() (crypto.PrivKey, error) {
	if n.secrets.authority != nil {
		return n.secrets.authority, nil
	}
	holder := "the node that made the cluster"
	if members := n.replica.Members(); len(members) > 0 {
		holder = members[0].Name
	}
	return nil, fmt.Errorf("%w: its key is not here, but, unless it was moved, on %s: do it there", ErrNotAuthority, holder)
}

// Rules says by which version of the merge rules files are merged.
type Rules struct {
	InForce uint32 // the highest that the authority put in force
	Known   uint32 // the highest that this program knows
}

// Rules returns the merge rules in force.
func (n *Node) Rules(context.Context) Rules {
	return Rules{InForce: n.replica.Stats().Rules, Known: definition.MergeVersion}
}

// SetRules puts a version of the merge rules in force in the whole cluster;
// that in force already is left as it is. Errors wrap ErrNotAuthority on a node
// without the authority's key, and ErrRefused for a version before the one in
// force, or after those that this program knows. The statement is on disk when
// SetRules returns.
func (n *Node) SetRules(ctx context.Context, version uint32) error {
	key, err := n.authority()
	if err != nil {
		return fmt.Errorf("set rules: %w", err)
	}
	switch rules := n.Rules(ctx); {
	case version == 0:
		return fmt.Errorf("set rules: %w: versions begin with 1", ErrInvalid)
	case version == rules.InForce:
		return nil
	case version < rules.InForce:
		return fmt.Errorf("set rules: %w: rules %d are in force, and there is no way back to %d", ErrRefused, rules.InForce, version)
	case version > rules.Known:
		return fmt.Errorf("set rules: %w: this node's program knows the rules up to %d: upgrade every node first", ErrRefused, rules.Known)
	}
	if err := n.replica.SetRules(ctx, key, version); err != nil {
		return fmt.Errorf("set rules: %w", err)
	}
	return nil
}

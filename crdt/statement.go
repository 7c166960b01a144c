package crdt

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// Grant signs a grant with the authority's key and adds it to the set. Cluster
// and After are filled in. It returns the element's bytes, which a new member
// shows at its hellos, and the heads with the grant in them. A revoked key is
// never granted again (ErrRevoked). It blocks for about one fsync.
func (r *Replica) Grant(ctx context.Context, authority crypto.PrivKey, g trust.Grant) ([]byte, []cid.Cid, error) {
	if m, ok := r.Member(g.Member); ok && m.Revoked {
		return nil, nil, fmt.Errorf("grant: %w: %s", ErrRevoked, m.Name)
	}
	return r.declare(ctx, authority, trust.KindGrant, func(h trust.Header) ([]byte, error) {
		g.Cluster, g.After = h.Cluster, h.After
		return g.Marshal()
	})
}

// GrantOf returns the element of a member's latest grant, or ErrNotFound.
func (r *Replica) GrantOf(ctx context.Context, member peer.ID) ([]byte, error) {
	r.mu.RLock()
	var found *element
	for _, e := range r.index.grants {
		if e.statement.(*trust.Grant).Member == member {
			found = e
		}
	}
	r.mu.RUnlock()
	if found == nil {
		return nil, fmt.Errorf("grant of %s: %w", member, ErrNotFound)
	}
	raw, err := r.store.Get(ctx, blockKey(found.prio, found.block.cid()))
	if err != nil {
		return nil, fmt.Errorf("grant of %s: %w", member, err)
	}
	b, err := openBlock(raw, r.opts.Cluster, true)
	if err != nil {
		return nil, fmt.Errorf("grant of %s: %w", member, err)
	}
	return b.element, nil
}

// Revoke signs a revocation with the authority's key and adds it to the set.
// Cluster and After are filled in.
func (r *Replica) Revoke(ctx context.Context, authority crypto.PrivKey, v trust.Revocation) error {
	_, _, err := r.declare(ctx, authority, trust.KindRevocation, func(h trust.Header) ([]byte, error) {
		v.Cluster, v.After = h.Cluster, h.After
		return v.Marshal()
	}, v.LastChange)
	return err
}

// SetRules signs with the authority's key that a merge version is in force.
func (r *Replica) SetRules(ctx context.Context, authority crypto.PrivKey, merge uint32) error {
	_, _, err := r.declare(ctx, authority, trust.KindRules, func(h trust.Header) ([]byte, error) {
		return trust.Rules{Cluster: h.Cluster, After: h.After, Merge: merge}.Marshal()
	})
	return err
}

// declare adds a statement to the set. Its ancestry holds the needed elements.
func (r *Replica) declare(ctx context.Context, authority crypto.PrivKey, kind string, marshal func(trust.Header) ([]byte, error), needs ...definition.ChangeID) ([]byte, []cid.Cid, error) {
	id, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		return nil, nil, fmt.Errorf("state %s: %w", kind, err)
	}
	if id != r.opts.Cluster {
		return nil, nil, fmt.Errorf("state %s: %w: the key is not the authority's", kind, ErrNotAllowed)
	}
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	if err := r.open(); err != nil {
		return nil, nil, fmt.Errorf("state %s: %w", kind, err)
	}
	if r.Lacking() > 0 {
		return nil, nil, fmt.Errorf("state %s: %w: the store was lost, or is an old copy", kind, ErrBehind)
	}
	r.mu.RLock()
	var need []*element
	for _, id := range needs {
		if e := r.index.byID.find(id); e != nil {
			need = append(need, e)
		}
	}
	after := r.index.after(need)
	r.mu.RUnlock()
	h := trust.Header{Cluster: r.opts.Cluster, After: cidsOf(after)}
	payload, err := marshal(h)
	if err != nil {
		return nil, nil, fmt.Errorf("state %s: %w", kind, err)
	}
	b, err := sealBlock(authority, kind, payload, h, prioOf(after))
	if err != nil {
		return nil, nil, fmt.Errorf("state %s: %w", kind, err)
	}
	if err := r.put(ctx, b, nil); err != nil {
		return nil, nil, fmt.Errorf("state %s: %w", kind, err)
	}
	return b.element, r.Heads(), nil
}

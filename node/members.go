package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/trust"
)

// standing is what the set says about a key.
func (n *Node) standing(id peer.ID) trust.Standing {
	m, ok := n.replica.Member(id)
	switch {
	case !ok:
		return trust.StandingUnknown
	case m.Revoked:
		return trust.StandingRevoked
	default:
		return trust.StandingMember
	}
}

// noteStatement is called by the replica, under its append lock.
func (n *Node) noteStatement() {
	select {
	case n.stated <- struct{}{}:
	default:
	}
}

// followStatements tells the gate and the dialer when the members have changed.
func (n *Node) followStatements(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.stated:
			n.gate.Recheck()
			n.discovery.Nudge()
		}
	}
}

// others returns the standing members but this node.
func (n *Node) others() []peer.ID {
	var ids []peer.ID
	for _, m := range n.replica.Members() {
		if m.ID != n.identity.Peer && !m.Revoked {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// reachable reports whether a member is connected and has said hello.
func (n *Node) reachable(id peer.ID) bool {
	return n.host.Network().Connectedness(id) == network.Connected && n.gate.IsMember(id)
}

// readOnly reports whether this node is a reader.
func (n *Node) readOnly() bool {
	m, ok := n.replica.Member(n.identity.Peer)
	return !ok || m.Role != trust.RoleWriter || m.Revoked
}

// grant appends a grant for a node that showed a good token.
func (n *Node) grant(ctx context.Context, r trust.GrantRequest) (trust.Welcome, error) {
	for _, m := range n.replica.Members() {
		switch {
		case m.ID == r.Member && m.Revoked:
			return trust.Welcome{}, fmt.Errorf("grant: %w: the key was revoked", trust.ErrTokenRefused)
		case m.ID == r.Member:
			grant, err := n.replica.GrantOf(ctx, r.Member)
			return trust.Welcome{Grant: grant, Heads: n.replica.Heads()}, err
		case m.Name == r.Name && !m.Revoked:
			return trust.Welcome{}, fmt.Errorf("grant: %w: %s", trust.ErrNameTaken, r.Name)
		}
	}
	grant, heads, err := n.replica.Grant(ctx, n.secrets.authority, trust.Grant{
		Member: r.Member, Name: r.Name, Role: r.Role, Paths: r.Paths,
	})
	if err != nil {
		return trust.Welcome{}, err
	}
	return trust.Welcome{Grant: grant, Heads: heads}, nil
}

// InviteOptions says what an invitation allows; see trust.InviteOptions.
type InviteOptions struct {
	Role  trust.Role
	Paths []string
	Uses  int
	TTL   time.Duration
}

// Invite makes a token with which nodes can join through this node. Errors wrap
// ErrNotAuthority on a node without the authority's key, and ErrRefused while its store is lost.
func (n *Node) Invite(_ context.Context, o InviteOptions) (trust.Token, error) {
	if _, err := n.authority(); err != nil {
		return trust.Token{}, fmt.Errorf("invite: %w", err)
	}
	if lost, _ := n.lost(); lost != "" {
		return trust.Token{}, fmt.Errorf("invite: %w: %s", ErrRefused, lost)
	}
	inv, err := n.invitations.Invite(trust.InviteOptions{Role: o.Role, Paths: o.Paths, Uses: o.Uses, TTL: o.TTL}, time.Now())
	if err != nil {
		return trust.Token{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return trust.Token{
		Cluster:   n.membership.Cluster,
		Authority: n.secrets.authority.GetPublic(),
		PSK:       n.secrets.psk,
		Inviter:   n.identity.Peer,
		Addrs:     n.host.Addrs(),
		Secret:    inv.Secret,
		Role:      inv.Role,
		Uses:      inv.Uses,
		Expires:   inv.Expires,
	}, nil
}

// Peer is a member of the cluster as this node sees it.
type Peer struct {
	ID        peer.ID
	Name      string
	Role      trust.Role
	Self      bool
	Revoked   bool
	Reachable bool
	Addrs     []string
	// Behind and Ahead count the elements that the member lacks and those that it
	// has and this node lacks; as of the last report.
	Behind, Ahead int
	Equal         bool
	Changes       uint64 // of its own that this node holds
	LastSeen      time.Time
	Refused       map[string]uint64 // blocks that it sent since the start, by reason
}

// Peers returns the members, the earliest first. It asks those that are
// reachable how far they are, and blocks for at most askTime.
func (n *Node) Peers(ctx context.Context) []Peer {
	members := n.replica.Members()
	reports := n.reports.ask(ctx, n.reachableOthers(), question{})
	seen := n.exchange.Peers()
	peers := make([]Peer, 0, len(members))
	for _, m := range members {
		p := Peer{
			ID: m.ID, Name: m.Name, Role: m.Role, Revoked: m.Revoked, Changes: m.Changes,
			Self: m.ID == n.identity.Peer, LastSeen: seen[m.ID].Seen,
			Refused: byName(n.replica.RefusedFrom(m.ID)),
		}
		if p.Self {
			p.Reachable, p.Equal, p.LastSeen = true, true, time.Now()
			for _, a := range n.host.Addrs() {
				p.Addrs = append(p.Addrs, a.String())
			}
		} else if a := reports[m.ID]; a.err == nil && a.report != nil {
			p.Reachable, p.LastSeen = true, time.Now()
			n.compare(&p, a.heads, int(a.report.GetElements()))
		}
		if !p.Self {
			p.Addrs = n.addrsOf(m.ID)
		}
		peers = append(peers, p)
	}
	return peers
}

// addrsOf returns where a member listens as far as this node knows, that by which
// it is connected first.
func (n *Node) addrsOf(id peer.ID) []string {
	var addrs []string
	add := func(a ma.Multiaddr) {
		if s := a.String(); !slices.Contains(addrs, s) {
			addrs = append(addrs, s)
		}
	}
	for _, c := range n.host.Network().ConnsToPeer(id) {
		if c.Stat().Direction == network.DirOutbound { // an inbound one comes from any port
			add(c.RemoteMultiaddr())
		}
	}
	for _, a := range n.host.Peerstore().Addrs(id) {
		add(a)
	}
	return addrs
}

func (n *Node) reachableOthers() []peer.ID {
	return slices.DeleteFunc(n.others(), func(id peer.ID) bool { return !n.reachable(id) })
}

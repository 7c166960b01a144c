package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/trust"
)

// A node notes beside its store what this holds. So it can tell that the store was lost, or that
// an old copy is in its place, and does nothing to the directory, and signs nothing, until it has got
// again from others what it held. An empty set alone looks like a cluster without definitions.

const (
	// knownName is the file of a data directory that says what the store held.
	knownName = "known.json"
	// knownTime is how often it is brought up to date, and how often a node whose store is behind it
	// looks whether anybody has what is lacking.
	knownTime = 2 * time.Second
	// keyReplaced is the record of a store that is not the one that Init made.
	keyReplaced = "node/replaced"
)

// known is what the store held.
type known struct {
	Heads []cid.Cid `json:"heads"`
	// Members counts the standing members. With one there is nobody to get anything from.
	Members int `json:"members"`
}

// expected returns blocks that the store held: those that were noted, and a founder's own.
func (n *Node) expected() []cid.Cid {
	heads := n.loadKnown().Heads
	if n.membership.Founder {
		heads = append(heads, n.membership.Heads...)
	}
	return heads
}

// loadKnown reads what was noted of the store. What cannot be read says nothing.
func (n *Node) loadKnown() known {
	var k known
	text, err := os.ReadFile(filepath.Join(n.opts.Data, knownName))
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			n.log.Warn("cannot read what the store held", "path", knownName, "err", err)
		}
		return known{}
	}
	if k.Members < 2 {
		k.Heads = nil
	}
	return k
}

// recall looks whether the store is the one that was there before.
func (n *Node) recall(ctx context.Context) error {
	n.replaced = n.membership.Founder && !n.replica.Holds(n.membership.Heads)
	records, err := n.replica.LoadRecords(ctx, keyReplaced)
	if err != nil {
		return err
	}
	if n.replaced && len(records) == 0 {
		if err := n.replica.SaveRecords(ctx, map[string][]byte{keyReplaced: {1}}, true); err != nil {
			return err
		}
	}
	n.replaced = n.replaced || len(records) > 0
	if lost, _ := n.lost(); lost != "" {
		n.log.Error("the store is not what it was: the directory is left as it is until other members were reached", "why", lost)
	}
	return nil
}

// founder reports whether the directory is the cluster's first content: with a store that was lost
// it is what any node has on disk when it joins.
func (n *Node) founder() bool { return n.membership.Founder && !n.replaced }

// lost says what the store has lost and was not fetched again yet, and what to do; "" if nothing.
func (n *Node) lost() (what, do string) {
	const others = "start the other members, which give it back, or stop this node and restore its store from a backup"
	switch {
	case n.replica.Lacking() == 0:
		return "", ""
	case !n.replica.Holds(n.membership.Heads):
		return "the store of this node was lost", others + "; if nobody has it any more, begin anew with another data directory"
	default:
		return "the store of this node is an old copy, or not whole yet: it lacks changes that it held",
			fmt.Sprintf("%s; if nobody has them any more, remove %s and restart", others, filepath.Join(n.opts.Data, knownName))
	}
}

// awaitLost blocks until the store holds again what it held, or no member can have it.
func (n *Node) awaitLost(ctx context.Context) error {
	for n.replica.Lacking() > 0 {
		waiting, cancel := context.WithTimeout(ctx, knownTime)
		err := n.replica.Await(waiting, func() bool { return n.replica.Lacking() == 0 })
		cancel()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case n.equalToAll():
			n.log.Error("changes that this node held are lost: no member has them")
			n.replica.GiveUp()
		}
	}
	return nil
}

// equalToAll reports whether all other members are there, and this node has what they have.
func (n *Node) equalToAll() bool {
	others, said := n.others(), n.exchange.Peers()
	return len(others) > 0 && !slices.ContainsFunc(others, func(id peer.ID) bool {
		p, ok := said[id]
		return !ok || !n.reachable(id) || !n.replica.Holds(p.Heads)
	})
}

// followKnown notes what the store holds while it changes.
func (n *Node) followKnown(ctx context.Context) {
	tick := time.NewTicker(knownTime)
	defer tick.Stop()
	for {
		if err := n.saveKnown(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("cannot note what the store holds", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// saveKnown notes what the store holds, if that is news and on its disk.
func (n *Node) saveKnown(ctx context.Context) error {
	if !n.replica.Holds(n.membership.Heads) || n.replica.Lacking() > 0 {
		return nil
	}
	k := known{Heads: n.replica.Known(), Members: 1 + len(n.others())}
	if k.Members == n.noted.Members && slices.Equal(k.Heads, n.noted.Heads) {
		return nil
	}
	if err := n.replica.SaveRecords(ctx, nil, true); err != nil {
		return err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("note what the store holds: %w", err)
	}
	if err := trust.WriteSecret(filepath.Join(n.opts.Data, knownName), append(text, '\n')); err != nil {
		return fmt.Errorf("note what the store holds: %w", err)
	}
	n.noted = k
	return nil
}

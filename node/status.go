package node

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/trust"
)

// Status is what a node says of itself.
type Status struct {
	Name    string
	ID      peer.ID
	Cluster trust.ClusterID
	Role    trust.Role // zero without a grant
	Dir     string
	Version string
	Uptime  time.Duration

	State    State
	Ready    bool      // the first sync was done, and the directory was what the view says
	Syncing  bool      // elements are being fetched or files written
	Problems []Problem // what needs an operator
	Held     []HeldFile
	Waiting  []WaitingFile

	Observing bool            // it writes and publishes nothing
	Planned   []PlannedAction // what it would do, while it observes
	// Network names the network file system that the directory is on, if any; what
	// other machines change there is found every Rescan only.
	Network string
	Rescan  time.Duration

	Definitions, Changes, Elements, Heads, Conflicts int
	Findings                                         Findings

	Members, Reachable int // standing ones, this node among them
	Behind             int // elements that reachable peers are known to have more
	Refused            map[string]uint64
}

// State is a status in a word.
type State string

// States, the first that is true.
const (
	StateProblem    State = "problem"     // something needs an operator
	StateStarting   State = "starting"    // the first sync goes on
	StateCatchingUp State = "catching_up" // members have what this node has not got yet
	StateBusy       State = "busy"        // files of the directory are not taken in, or not written, yet
	StateWell       State = "well"
)

// PlannedAction is what a node that observes would do about a file.
type PlannedAction struct{ Path, Action string }

// WaitingFile is a file that is not taken in yet, because it may be half of a file.
type WaitingFile struct {
	Path, Reason string
	Since        time.Time
}

// HeldFile is a file that is neither imported nor exported for now.
type HeldFile struct {
	Path, Reason string
	Do           string // what ends it, if nothing must be done to the file
	Since        time.Time
}

// Status returns the node's state. It does not block for anybody else.
func (n *Node) Status(ctx context.Context) Status {
	stats, views := n.replica.Stats(), n.replica.Summary()
	mirrored := n.mirror.Status()
	s := Status{
		Name: n.identity.Name, ID: n.identity.Peer, Cluster: n.identity.Cluster, Dir: n.identity.Dir,
		Version: n.opts.Version, Uptime: time.Since(n.started),
		Ready:   n.isReady(),
		Changes: stats.Changes, Elements: stats.Elements, Heads: stats.Heads,
		Definitions: views.Definitions, Conflicts: views.Conflicts,
		Findings:  n.findings.now(),
		Refused:   byName(stats.Refused),
		Observing: n.opts.Observe, Network: mirrored.Network, Rescan: mirrored.Rescan,
	}
	if s.Ready { // the first sync has the disk to itself
		twice, err := n.conflicts.duplicateIDs(ctx)
		if err != nil {
			n.log.Debug("cannot look for ids that come twice", "err", err)
		}
		back, err := n.conflicts.returned(ctx)
		if err != nil {
			n.log.Debug("cannot look for saves that took a file back", "err", err)
		}
		s.Conflicts += len(twice) + back
	}
	forked := ""
	for _, m := range n.replica.Members() {
		if m.Forks > 0 && !m.Revoked {
			forked = m.Name
		}
		switch {
		case m.ID == n.identity.Peer:
			s.Role = m.Role
			s.Members++
			s.Reachable++
		case !m.Revoked:
			s.Members++
			if n.reachable(m.ID) {
				s.Reachable++
			}
		}
	}
	s.Behind = n.behind()
	s.Syncing = s.Behind > 0 || mirrored.Busy || !s.Ready
	for _, h := range mirrored.Held {
		s.Held = append(s.Held, HeldFile(h))
	}
	for _, w := range mirrored.Waiting {
		s.Waiting = append(s.Waiting, WaitingFile{Path: w.Path.String(), Reason: w.Reason, Since: w.Since})
	}
	for _, p := range mirrored.Planned {
		s.Planned = append(s.Planned, PlannedAction{Path: p.Path.String(), Action: p.Action})
	}
	s.Problems = n.problems(s, mirrored, forked)
	s.State = s.state()
	return s
}

func (s Status) state() State {
	switch {
	case len(s.Problems) > 0:
		return StateProblem
	case !s.Ready:
		return StateStarting
	case s.Behind > 0:
		return StateCatchingUp
	case s.Syncing, len(s.Waiting) > 0:
		return StateBusy
	default:
		return StateWell
	}
}

// behind returns how many elements the members that are there have and this node has not,
// as far as they said.
func (n *Node) behind() int {
	behind, elements := 0, n.replica.Stats().Elements
	for _, p := range n.exchange.Peers() {
		if !n.replica.Holds(p.Heads) {
			behind = max(behind, 1, int(p.Elements)-elements)
		}
	}
	return behind
}

// byName returns counts of refusals as the API names the reasons.
func byName(counts map[crdt.Reason]uint64) map[string]uint64 {
	named := make(map[string]uint64, len(counts))
	for reason, count := range counts {
		named[string(reason)] = count
	}
	return named
}

func (n *Node) isReady() bool {
	select {
	case <-n.mirror.Ready():
		return true
	default:
		return false
	}
}

// poll calls done until it reports true or ctx ends, whose error it returns.
func (n *Node) poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

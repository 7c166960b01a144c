package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
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

// Problem is something that needs an operator.
type Problem struct{ Code, Text, Do string }

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
	for _, p := range n.exchange.Peers() {
		if !n.replica.Holds(p.Heads) {
			s.Behind = max(s.Behind, 1, int(p.Elements)-stats.Elements)
		}
	}
	s.Syncing = s.Behind > 0 || mirrored.Busy || !s.Ready
	for _, h := range mirrored.Held {
		s.Held = append(s.Held, HeldFile{Path: h.Path, Reason: h.Reason, Since: h.Since})
	}
	for _, w := range mirrored.Waiting {
		s.Waiting = append(s.Waiting, WaitingFile{Path: w.Path.String(), Reason: w.Reason, Since: w.Since})
	}
	for _, p := range mirrored.Planned {
		s.Planned = append(s.Planned, PlannedAction{Path: p.Path.String(), Action: p.Action})
	}
	s.Problems = n.problems(s, mirrored, forked)
	return s
}

// byName returns counts of refusals as the API names the reasons.
func byName(counts map[crdt.Reason]uint64) map[string]uint64 {
	named := make(map[string]uint64, len(counts))
	for reason, count := range counts {
		named[string(reason)] = count
	}
	return named
}

// problems lists what needs an operator, the most pressing first.
func (n *Node) problems(s Status, mirrored mirror.Status, forked string) []Problem {
	var out []Problem
	add := func(code, do, format string, args ...any) {
		out = append(out, Problem{Code: code, Text: fmt.Sprintf(format, args...), Do: do})
	}
	if mirrored.Stopped != "" {
		add("mirror_stopped", "mount or restore the directory; nothing was deleted anywhere", "the directory is not mirrored: %s", mirrored.Stopped)
	}
	if mirrored.LowSpace != "" {
		add("low_space", "free disk space", "no file is taken in: %s", mirrored.LowSpace)
	}
	if err := n.replica.Space(); err != nil {
		add("low_space", "free disk space", "no change is taken in: %v", err)
	}
	if mirrored.Unwatched != "" {
		add("unwatched", "raise the limit", "changes of the directory are found every %v only: %s", mirrored.Rescan, mirrored.Unwatched)
	}
	if m, ok := n.replica.Member(n.identity.Peer); ok && m.Revoked {
		add("revoked", "join anew with another data directory, or stop this node", "this node was revoked")
	}
	guarded := make(map[string]bool)
	for _, a := range n.mirror.Approvals() {
		for _, p := range a.Paths {
			guarded[p.String()] = true
		}
	}
	if len(guarded) > 0 {
		add("approval", `look at them with "starling approve"`, "files are held back until somebody approves them: %d", len(guarded))
	}
	held := slices.DeleteFunc(slices.Clone(s.Held), func(h HeldFile) bool { return guarded[h.Path] })
	if len(held) > 0 {
		add("held", "mend or remove the file", "files are held: %d, the first is %s: %s", len(held), held[0].Path, held[0].Reason)
	}
	if s.Conflicts > 0 {
		add("conflicts", `look at them with "starling conflicts", end them with "starling resolve"`, "conflicts are open: %d", s.Conflicts)
	}
	if forked != "" {
		add("forked_key", "find the copy of the node and stop it, then revoke the key", "two nodes sign with the key of %s", forked)
	}
	if rules := n.replica.Stats().Rules; rules > definition.MergeVersion {
		add("rules", "upgrade this node", "the cluster merges by rules %d, this node knows %d: merged files are held", rules, definition.MergeVersion)
	}
	return out
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

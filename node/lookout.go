package node

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/node/nodepb"
)

// lookoutTimes are how often the lookout does what, and how patient it is.
type lookoutTimes struct {
	// look is how often it looks which members there are, and asks those of which it knows
	// a problem whether they still have it.
	look time.Duration
	// ask is how often it asks all others. In a large cluster it is ask/10 for each of
	// them, so that nobody is asked more often than that.
	ask time.Duration
	// away is how long nothing may be heard of a member before it is away, and how long
	// this node may be behind without getting anything.
	away time.Duration
}

// usualTimes are those of every node but a test's.
func usualTimes() lookoutTimes {
	return lookoutTimes{look: 2 * time.Second, ask: 10 * time.Second, away: time.Minute}
}

// maxMemberProblem bounds what is kept of the problem that a member tells.
const maxMemberProblem = 500

// lookout knows how the other members are: since when nothing was heard of them, and what
// they said of themselves when they were last asked.
type lookout struct {
	times lookoutTimes

	mu      sync.Mutex
	members map[peer.ID]*sighting
	behind  stall
}

// sighting is what is known of one member.
type sighting struct {
	heard      time.Time // when something was last heard of it, or it was first looked for
	asked      time.Time // when it was last asked; zero while it cannot be reached
	problem    *nodepb.Problem
	extensions []string // that it mirrors; nil if it never told
	clock      *reading
}

// stall is since when this node has been behind and has got nothing.
type stall struct {
	since    time.Time // zero if it is not behind
	elements int
}

func newLookout(times lookoutTimes) *lookout {
	if times == (lookoutTimes{}) {
		times = usualTimes()
	}
	return &lookout{times: times, members: make(map[peer.ID]*sighting)}
}

// followMembers keeps the lookout until ctx ends.
func (n *Node) followMembers(ctx context.Context) {
	tick := time.NewTicker(n.lookout.times.look)
	defer tick.Stop()
	for {
		due := n.lookout.look(time.Now(), n.others(), n.reachableOthers(), n.exchange.Peers())
		if len(due) > 0 {
			answers := n.reports.ask(ctx, due, question{problem: true})
			n.lookout.note(time.Now(), answers, n.names())
		}
		n.lookout.noteBehind(time.Now(), n.behind(), n.replica.Stats().Elements)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look notes who is there and returns whom to ask now.
func (l *lookout) look(now time.Time, members, reachable []peer.ID, said map[peer.ID]crdt.PeerState) (due []peer.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.members {
		if !slices.Contains(members, id) {
			delete(l.members, id)
		}
	}
	pause := max(l.times.ask, time.Duration(len(members))*l.times.ask/10)
	for _, id := range members {
		s := l.members[id]
		if s == nil {
			s = &sighting{heard: now}
			l.members[id] = s
		}
		if !slices.Contains(reachable, id) {
			s.asked, s.problem, s.clock = time.Time{}, nil, nil
			continue
		}
		if at := said[id].Seen; at.After(s.heard) {
			s.heard = at
		}
		if s.asked.IsZero() || s.problem != nil || now.Sub(s.asked) >= pause {
			s.asked = now
			due = append(due, id)
		}
	}
	return due
}

// note takes what members have answered.
func (l *lookout) note(now time.Time, answers map[peer.ID]answer, names map[peer.ID]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, a := range answers {
		s := l.members[id]
		if s == nil || a.err != nil {
			continue
		}
		s.heard, s.problem = now, a.report.GetProblem()
		if extensions := a.report.GetExtensions(); len(extensions) > 0 {
			s.extensions = extensions[:min(len(extensions), maxExtensions)]
		}
		if said := a.report.GetClock(); said != 0 {
			clock := readClock(nameOf(names, id), time.UnixMilli(said), a.asked, a.answered)
			s.clock = &clock
		}
	}
}

// noteBehind notes by how much this node is behind, and how many elements it has.
func (l *lookout) noteBehind(now time.Time, behind, elements int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case behind == 0:
		l.behind = stall{}
	case l.behind.since.IsZero() || l.behind.elements != elements:
		l.behind = stall{now, elements}
	}
}

// stalled returns for how long this node has been behind without getting anything, if that
// is too long, else 0.
func (l *lookout) stalled(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.behind.since.IsZero() || now.Sub(l.behind.since) <= l.times.away {
		return 0
	}
	return now.Sub(l.behind.since)
}

// memberState is what the lookout knows of one member, for Status.
type memberState struct {
	id         peer.ID
	name       string
	away       time.Duration // how long nothing was heard of it, if that is too long; else 0
	problem    *nodepb.Problem
	extensions []string
}

// state returns what is known of the members, in order of name, and their clocks.
func (l *lookout) state(now time.Time, names map[peer.ID]string, said map[peer.ID]crdt.PeerState) (members []memberState, clocks []reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, s := range l.members {
		m := memberState{id: id, name: nameOf(names, id), problem: s.problem, extensions: s.extensions}
		heard := s.heard
		if at := said[id].Seen; at.After(heard) {
			heard = at
		}
		if silent := now.Sub(heard); silent > l.times.away {
			m.away = silent
		}
		members = append(members, m)
		if s.clock != nil {
			clocks = append(clocks, *s.clock)
		}
	}
	slices.SortFunc(members, func(a, b memberState) int { return strings.Compare(a.name, b.name) })
	slices.SortFunc(clocks, func(a, b reading) int { return strings.Compare(a.name, b.name) })
	return members, clocks
}

// mirrored reports whether a member is known to mirror files of an ending.
func (l *lookout) mirrored(extension string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.members {
		if slices.Contains(s.extensions, extension) {
			return true
		}
	}
	return false
}

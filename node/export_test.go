package node

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// Impatient lets a node look after the other members often, and miss them soon.
func (o Options) Impatient(away time.Duration) Options {
	o.lookout = lookoutTimes{look: away / 50, ask: away / 10, away: away}
	return o
}

// ClockAhead makes a node believe that it is later than it is.
func (o Options) ClockAhead(d time.Duration) Options {
	o.clockAhead = d
	return o
}

// StateOf returns the state that a status comes to.
func StateOf(s Status) State { return s.state() }

// Reading is how far a member's clock is ahead, within a margin.
type Reading struct {
	Name          string
	Ahead, Margin time.Duration
}

// ClocksOff says whose clocks are off.
func ClocksOff(others ...Reading) string {
	readings := make([]reading, 0, len(others))
	for _, o := range others {
		readings = append(readings, reading{o.Name, o.Ahead, o.Margin})
	}
	return clocksOff(readings)
}

// ReadClock returns how far a clock is ahead, and within which margin.
func ReadClock(said, asked, answered time.Time) (ahead, margin time.Duration) {
	r := readClock("", said, asked, answered)
	return r.ahead, r.margin
}

// Flipping counts flips in a history.
func Flipping(history []crdt.RecentVersion) ([]peer.ID, int) { return flipping(history) }

// Flips returns the files that flip at a time.
func (n *Node) Flips(now time.Time) []Flip { return n.flips.now(now) }

// FlipCount is how many flips are too many.
const FlipCount = flipCount

// Lookout is the lookout of a node that is not there.
type Lookout struct{ *lookout }

// NewLookout returns a lookout with the usual times.
func NewLookout() Lookout { return Lookout{newLookout(lookoutTimes{})} }

// Look notes who is there, and whom something was heard of when, and returns who is asked.
func (l Lookout) Look(now time.Time, members, reachable []peer.ID, heard map[peer.ID]time.Time) []peer.ID {
	said := make(map[peer.ID]crdt.PeerState)
	for id, at := range heard {
		said[id] = crdt.PeerState{Seen: at}
	}
	return l.look(now, members, reachable, said)
}

// Away returns of whom nothing was heard for too long.
func (l Lookout) Away(now time.Time) map[peer.ID]time.Duration {
	away := make(map[peer.ID]time.Duration)
	members, _ := l.state(now, nil, nil)
	for _, m := range members {
		if m.away > 0 {
			away[m.id] = m.away
		}
	}
	return away
}

// NoteBehind and Stalled are noteBehind and stalled.
func (l Lookout) NoteBehind(now time.Time, behind, elements int) { l.noteBehind(now, behind, elements) }
func (l Lookout) Stalled(now time.Time) time.Duration            { return l.stalled(now) }

// ListedAt returns how many conflicts of a path are listed at a time.
func (n *Node) ListedAt(p definition.Path, now time.Time) int {
	return len(stillListed(n.replica, n.replica.View(p).Conflicts, now))
}

package discovery

import (
	"math"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// retryGap is the least time between a dial and the next one that news brings
// forward, so that a stream of news is no stream of dials.
const retryGap = time.Second

// candidate is a peer that the dialer wants connected: a member, a static peer, or
// a stranger, whom the local network proposed and of whom the set may not have
// heard yet.
type candidate struct {
	stranger bool
	proposed []ma.Multiaddr // by the local network, newest first
	failures int            // in a row
	due      time.Time      // the next dial, not before
	last     time.Time      // the latest dial
	dialing  bool
	since    time.Time // connected since; zero if not connected
}

// idle reports whether c is neither connected nor being dialed.
func (c *candidate) idle() bool { return !c.dialing && c.since.IsZero() }

// rank orders dials: the lower goes first.
func (c *candidate) rank() int {
	if c.stranger {
		return math.MaxInt
	}
	return c.failures
}

// bringForward makes c due at t, if it would be later otherwise and its latest
// dial is not too recent.
func (c *candidate) bringForward(t time.Time) {
	if gap := c.last.Add(retryGap); t.Before(gap) {
		t = gap
	}
	if t.Before(c.due) {
		c.due = t
	}
}

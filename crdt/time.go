package crdt

import (
	"math"
	"time"
)

// Timestamp is a hybrid logical clock (Kulkarni et al., "Logical Physical
// Clocks", 2014): 48 bits of milliseconds since the Unix epoch, 16 of counter.
// It orders only versions of which none is an ancestor of the other, and shows
// people when something happened.
type Timestamp uint64

// maxDrift is how far ahead of the wall clock a time may be that the next one
// still follows. A wrong clock cannot drag others along further than this.
const maxDrift = time.Minute

// counterBits is the width of the counter.
const counterBits = 16

// timestampAt is the wall clock's timestamp.
func timestampAt(t time.Time) Timestamp {
	return Timestamp(max(t.UnixMilli(), 0)) << counterBits
}

// lastMilli is 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 and so JSON
// can write. A clock may say what it wants; it stops nobody from reading history.
const lastMilli = 253402300799999

// Time returns the wall clock's part, at most the last moment of the year 9999.
func (t Timestamp) Time() time.Time {
	return time.UnixMilli(min(int64(t>>counterBits), lastMilli)).UTC()
}

// nextTimestamp returns the wall clock, or one more than the latest of the
// times before where that is less than maxDrift ahead; it saturates.
func nextTimestamp(wall time.Time, before ...Timestamp) Timestamp {
	next, limit := timestampAt(wall), timestampAt(wall.Add(maxDrift))
	for _, t := range before {
		if t >= next && t < limit && t != math.MaxUint64 {
			next = t + 1
		}
	}
	return next
}

package discovery

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 500 * time.Millisecond
	backoffLast  = time.Minute
)

// backoff returns how long to wait before the next dial after so many failures in
// a row, at least one. It doubles from between 250 ms and 500 ms to between 30 s
// and 60 s; the random half keeps a cluster that lost a node from dialing it in
// step.
func backoff(failures int) time.Duration {
	ceiling := backoffLast
	if shift := max(failures-1, 0); shift < 8 {
		ceiling = min(backoffFirst<<shift, backoffLast)
	}
	return ceiling/2 + rand.N(ceiling/2)
}

package node

import (
	"time"

	"github.com/starling-sync/starling/definition"
)

// ListedAt returns how many conflicts of a path are listed at a time.
func (n *Node) ListedAt(p definition.Path, now time.Time) int {
	return len(stillListed(n.replica, n.replica.View(p).Conflicts, now))
}

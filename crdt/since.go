package crdt

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
)

// RecentVersion is a version of a path as the index knows it.
type RecentVersion struct {
	Change definition.ChangeID
	Author peer.ID
	Time   time.Time
	Hash   definition.Hash // zero for a deletion
}

// maxRecentVersions bounds what Recent looks at and returns.
const maxRecentVersions = 256

// Recent returns the versions of a path whose authors say that they made them at a time or
// later, in the order of history: of the last maxRecentVersions that arrived here. It reads nothing
// from the disk.
func (r *Replica) Recent(path definition.Path, since time.Time) []RecentVersion {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f := r.index.files[path]
	if f == nil {
		return nil
	}
	var recent []*version
	for _, v := range f.versions[max(0, len(f.versions)-maxRecentVersions):] {
		if !v.time.Time().Before(since) {
			recent = append(recent, v)
		}
	}
	slices.SortFunc(recent, func(a, b *version) int { return inHistory(a.element, b.element) })
	out := make([]RecentVersion, 0, len(recent))
	for _, v := range recent {
		made := RecentVersion{Change: v.id, Author: v.author.id, Time: v.time.Time(), Hash: v.hash}
		if v.is(deleted) {
			made.Hash = definition.Hash{}
		}
		out = append(out, made)
	}
	return out
}

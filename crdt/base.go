package crdt

import (
	"context"
	"fmt"

	"github.com/starling-sync/starling/definition"
)

// Base returns what two versions of a path, or of one that they followed it from, were both made on: the latest such version, and the
// bytes that a merge of the two begins with, which are that version's own unless there are
// several. Both are zero if there is none, or if it was a deletion. Errors wrap ErrNotFound. It
// reads from the disk.
func (r *Replica) Base(ctx context.Context, path definition.Path, a, b definition.Version) (definition.Version, []byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found [2]*version
	for i, ref := range []definition.Version{a, b} {
		if found[i] = r.index.versionIn(r.index.byID.find(ref.Change), ref.Path); found[i] == nil {
			return definition.Version{}, nil, fmt.Errorf("base of %s: version %s: %w", path, ref, ErrNotFound)
		}
	}
	m := merger{path: path, load: r.index.load, counts: r.index.counts, memo: make(map[string][]byte)}
	content, err := m.base(found[:1], found[1:], 0)
	if err != nil || content == nil {
		return definition.Version{}, nil, err
	}
	return m.nearest(found[:1], found[1:])[0].ref(), content, ctx.Err()
}

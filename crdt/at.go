package crdt

import (
	"context"
	"fmt"
	"time"

	"github.com/starling-sync/starling/definition"
)

// Past is a replica's set as it was at a time T: every change whose own time is at
// or before T, together with their ancestry. So it holds all that what is in it was
// made on, and nodes with the same set have the same past. It is computed from
// today's set: a change that arrives late belongs to the time when it was made.
//
// Times are what their authors' clocks said. A change made by a clock that is ahead
// is missing until T passes that clock, but what others made on top of it is there
// in time, and brings it along. A change made by a clock that is behind is there too
// early, and with it all that it was made on: the past then shows too much, never
// less than there was.
//
// What a revocation takes out is out at every time, though it was stated later, and
// versions merge by the rules in force now. Statements have no time and need none.
//
// A Past is not altered by what the replica admits later, but for revocations and
// rules. Its methods are safe for concurrent use.
type Past struct {
	replica *Replica
	upTo    clock
}

// At returns the set as it was at a time.
func (r *Replica) At(t time.Time) *Past {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &Past{replica: r, upTo: r.index.lanes.until(t)}
}

// Views returns the view of every path that has a version now, in order; see
// Replica.Views.
func (p *Past) Views() []definition.View {
	p.replica.mu.RLock()
	defer p.replica.mu.RUnlock()
	return p.replica.index.at(p.upTo).views()
}

// Read returns a path's view and the bytes that it stands for, nil if the file is
// absent. It reads from the disk.
func (p *Past) Read(ctx context.Context, path definition.Path) (definition.View, []byte, error) {
	p.replica.mu.RLock()
	defer p.replica.mu.RUnlock()
	return p.replica.index.at(p.upTo).read(ctx, path)
}

// Merged returns the bytes that versions of one path come to together: what an edit
// that has them as parents was made on. It is nil if that is no file. Versions that
// count no more give no bytes, but those that they were made on do. Errors wrap
// ErrNotFound. It reads from the disk.
func (r *Replica) Merged(ctx context.Context, path definition.Path, versions ...definition.Version) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := make([]*version, 0, len(versions))
	for _, ref := range versions {
		v := r.index.versionIn(r.index.byID.find(ref.Change), path)
		if v == nil || ref.Path != path {
			return nil, fmt.Errorf("merge %s: version %s: %w", path, ref, ErrNotFound)
		}
		found = append(found, v)
	}
	if len(found) == 0 {
		return nil, ctx.Err()
	}
	known := ancestry(found)
	t := r.index.tipsOf(found[0].file, func(v *version) bool { _, ok := known[v]; return ok })
	return r.index.content(path, &t)
}

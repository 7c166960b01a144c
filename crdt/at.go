package crdt

import (
	"context"
	"fmt"
	"slices"
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

// MadeOn returns the bytes that an edit was made on under its path: what Merged says of its
// parents, but for those that the file was renamed from. It is nil if there was no file. Errors
// wrap ErrNotFound. It reads from the disk.
func (r *Replica) MadeOn(ctx context.Context, v definition.Version) ([]byte, error) {
	r.mu.RLock()
	found := r.index.versionIn(r.index.byID.find(v.Change), v.Path)
	var basis []definition.Version
	if found != nil {
		for _, p := range found.basis() {
			basis = append(basis, p.ref())
		}
	}
	r.mu.RUnlock()
	if found == nil {
		return nil, fmt.Errorf("what %s was made on: %w", v, ErrNotFound)
	}
	return r.Merged(ctx, v.Path, basis...)
}

// Merged returns the bytes that versions come to together under one path: what an edit of it
// that has them as parents was made on. It is nil if that is no file, as where none of them is of
// that path. Versions that
// count no more give no bytes, but those that they were made on do. Errors wrap
// ErrNotFound. It reads from the disk.
func (r *Replica) Merged(ctx context.Context, path definition.Path, versions ...definition.Version) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := make([]*version, 0, len(versions))
	for _, ref := range versions {
		v := r.index.versionIn(r.index.byID.find(ref.Change), ref.Path)
		if v == nil {
			return nil, fmt.Errorf("merge %s: version %s: %w", path, ref, ErrNotFound)
		}
		found = append(found, v)
	}
	f := r.index.files[path]
	if f == nil || !slices.ContainsFunc(found, func(v *version) bool { return v.file == f }) {
		return nil, ctx.Err()
	}
	known := ancestry(found)
	t := r.index.tipsOf(f, func(v *version) bool { _, ok := known[v]; return ok })
	behind := crossing(t.heads)
	for _, v := range found { // those that had followed the file
		if _, ok := behind[v]; !ok && v.file != f && r.index.counts(v) {
			t.heads = append(t.heads, v)
		}
	}
	slices.SortFunc(t.heads, laterOrPath)
	return r.index.content(path, &t)
}

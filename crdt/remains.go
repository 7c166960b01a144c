package crdt

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Remains returns what a member wrote and others have kept in edits of their own: what would still
// stand if all its changes lost their effect. It is found by Blame, in the versions that would be
// heads then, path by path; at most so many fields are returned. It reads from the disk.
func (r *Replica) Remains(ctx context.Context, member peer.ID, most int) ([]Blame, error) {
	var remains []Blame
	for _, v := range r.headsWithout(member) {
		fields, err := r.Blame(ctx, v.ref())
		if err != nil {
			return nil, fmt.Errorf("look for what remains: %w", err)
		}
		for _, f := range fields {
			if len(remains) == most {
				return remains, nil
			}
			if !r.wrote(member, f) {
				continue
			}
			f.Kept = v.ref()
			if !slices.ContainsFunc(remains, func(o Blame) bool { return o.Field == f.Field && o.Version == f.Version && o.Kept.Path == f.Kept.Path }) {
				remains = append(remains, f)
			}
		}
	}
	return remains, nil
}

// headsWithout returns, of the paths that a member edited, the versions with a file that would be
// heads without its changes and have one of them in their ancestry, in the order of their paths.
func (r *Replica) headsWithout(member peer.ID) []*version {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := r.index.authors[member]
	if a == nil {
		return nil
	}
	files := make(map[*file]struct{})
	for _, e := range a.changes {
		for i := range e.versions {
			files[e.versions[i].file] = struct{}{}
		}
	}
	others := func(v *version) bool { return v.author != a }
	var heads []*version
	for f := range files {
		t := r.index.tipsOf(f, others)
		if len(t.heads) == 0 || !decide(t.heads).present() {
			continue
		}
		for _, h := range t.heads {
			if h.is(deleted) {
				continue
			}
			for v := range ancestry([]*version{h}) {
				if !others(v) {
					heads = append(heads, h)
					break
				}
			}
		}
	}
	slices.SortFunc(heads, func(a, b *version) int {
		if a.file != b.file {
			return a.file.path.Compare(b.file.path)
		}
		return later(a, b)
	})
	return heads
}

// wrote reports whether a member wrote a field.
func (r *Replica) wrote(member peer.ID, f Blame) bool {
	info, err := r.Version(f.Version)
	return err == nil && info.Author == member
}

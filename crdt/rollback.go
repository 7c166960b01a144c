package crdt

import (
	"context"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// Rollback returns the edits that make the selected paths again what they were, by path:
// on top of today's heads they bring back each byte, delete what was not there, and
// make anew what is gone. Paths that are as they were have none. It appends nothing.
//
// Errors wrap ErrCollision if a path cannot come back because one that is not selected
// is in its place or would take it, and ErrWithheld. It reads from the disk.
func (p *Past) Rollback(ctx context.Context, selected func(definition.Path) bool) ([]definition.Edit, error) {
	plan, err := p.planRollback(selected)
	if err != nil {
		return nil, err
	}
	// What one change holds is read at once, so that it is parsed once.
	slices.SortFunc(plan, func(a, b step) int { return a.from.Compare(b.from) })
	edits := make([]definition.Edit, len(plan))
	for i, s := range plan {
		edits[i] = s.edit
		if s.edit.Deleted {
			continue
		}
		if _, edits[i].Content, err = p.Read(ctx, s.edit.Path); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(edits, func(a, b definition.Edit) int { return a.Path.Compare(b.Path) })
	return edits, nil
}

// step is one edit of a rollback, without its content, and the version that this is of.
type step struct {
	edit definition.Edit
	from definition.Version
}

// planRollback returns the steps of a rollback, in no order.
//
// Those that bring a file back find their place free: no two files that were held
// together collide, what is selected and was not there is deleted, and what is not
// selected must not be in the way. That holds for a path, too, that another one keeps
// out of the directory now: it would come when the other goes. Only if that other one
// is held after the rollback as well, it is left as it is.
func (p *Past) planRollback(selected func(definition.Path) bool) ([]step, error) {
	r := p.replica
	r.mu.RLock()
	defer r.mu.RUnlock()
	now, then := r.index.now(), r.index.at(p.upTo)
	var plan []step
	for path, f := range r.index.files {
		if !selected(path) {
			continue
		}
		is, was := now.view(path), then.view(path)
		for _, v := range []definition.View{is, was} {
			if v.Withheld != "" {
				return nil, fmt.Errorf("%w: %s: %s", ErrWithheld, path, v.Withheld)
			}
		}
		switch {
		case was.Present:
			if c := now.inTheWay(f, selected); c != nil {
				return nil, fmt.Errorf("%w: %s is in the way of %s: roll it back too", ErrCollision, c.path, path)
			}
			if is.Present && is.Hash == was.Hash {
				continue
			}
		case !now.wants(f):
			continue
		case !is.Present:
			if h := now.holder(f); selected(h.path) && then.view(h.path).Present {
				continue
			}
		}
		plan = append(plan, step{definition.Edit{Path: path, Parents: is.Heads, Deleted: !was.Present}, was.Winner})
	}
	return plan, nil
}

// inTheWay returns a file that is not selected and keeps f from being put in its place,
// or could take it; nil if there is none. What gives way to f now goes on to do so.
func (s *state) inTheWay(f *file, selected func(definition.Path) bool) *file {
	held := s.wants(f) && s.holder(f) == f
	for c := range s.index.colliders(f) {
		if !selected(c.path) && s.wants(c) && !(held && s.earlier(f, c) < 0) {
			return c
		}
	}
	return nil
}

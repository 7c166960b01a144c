package crdt

import (
	"context"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// RevocationEffect is what a revocation would change in the views.
type RevocationEffect struct {
	// Changes are those of the member that stand somewhere now and would count no more.
	Changes int
	// Paths are those where they stand, and all others whose file would go, come or change, in order.
	Paths []definition.Path
	// Gone are those of the paths that have a file now and would have none.
	Gone []definition.Path
}

// PreviewRevocation says what Revoke would change. The revocation is put in the index, the views are
// looked at, and it is taken out again, so what it would do is said by what will do it. The set is
// locked meanwhile, for as long as the views of all paths take that the member edited.
func (r *Replica) PreviewRevocation(ctx context.Context, v trust.Revocation) (RevocationEffect, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.index
	a := x.authors[v.Member]
	if a == nil {
		return RevocationEffect{}, fmt.Errorf("preview revocation of %s: %w", v.Member, ErrNotFound)
	}
	if last := x.byID.find(v.LastChange); !v.LastChange.IsZero() && (last == nil || last.author != a || !last.isChange()) {
		return RevocationEffect{}, fmt.Errorf("preview revocation: last change %s of %s: %w", v.LastChange.Short(), v.Member, ErrNotFound)
	}
	kept, revocations := a.kept, a.revocations
	paths := x.revoke(&v)
	then := x.outcomes(ctx, paths)
	would := a.kept
	a.kept, a.revocations = kept, revocations
	x.revoked--
	x.recount(a)
	now := x.outcomes(ctx, paths)
	if err := ctx.Err(); err != nil {
		return RevocationEffect{}, fmt.Errorf("preview revocation: %w", err)
	}

	var effect RevocationEffect
	lost, present := make(map[*element]struct{}), x.now()
	for i, p := range paths {
		listed := then[i] != now[i]
		for _, h := range present.tips(x.files[p]).heads {
			if _, ok := would[h.element]; h.author == a && !ok {
				lost[h.element], listed = struct{}{}, true
			}
		}
		if listed {
			effect.Paths = append(effect.Paths, p)
		}
		if now[i].present && !then[i].present {
			effect.Gone = append(effect.Gone, p)
		}
	}
	effect.Changes = len(lost)
	slices.SortFunc(effect.Paths, definition.Path.Compare)
	slices.SortFunc(effect.Gone, definition.Path.Compare)
	return effect, nil
}

// standsAs is what the directory should hold for a path.
type standsAs struct {
	present  bool
	hash     definition.Hash
	withheld string
}

// outcomes returns what the directory should hold for some paths, without their conflicts; it stops
// when ctx ends.
func (x *index) outcomes(ctx context.Context, paths []definition.Path) []standsAs {
	s := x.now()
	out := make([]standsAs, len(paths))
	for i, p := range paths {
		if ctx.Err() != nil {
			break
		}
		f := x.files[p]
		t := s.tips(f)
		if d := decide(t.heads); !d.present() || s.holder(f) != f {
			continue
		} else if len(sidesOf(t.heads)) < 2 {
			out[i] = standsAs{present: true, hash: d.stands.hash}
		} else {
			m := x.merged(p, t)
			out[i] = standsAs{present: true, hash: m.hash, withheld: m.withheld}
		}
	}
	return out
}

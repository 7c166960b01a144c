package crdt_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// directory is what has views: a replica, or its past.
type directory interface {
	Views() []definition.View
	Read(ctx context.Context, p definition.Path) (definition.View, []byte, error)
}

// files returns what a directory should hold, by path.
func files(ctx context.Context, t fataler, d directory) map[definition.Path]string {
	t.Helper()
	out := make(map[definition.Path]string)
	for _, v := range d.Views() {
		if !v.Present {
			continue
		}
		_, content, err := d.Read(ctx, v.Path)
		if err != nil {
			t.Fatal(err)
		}
		out[v.Path] = string(content)
	}
	return out
}

func everything(definition.Path) bool { return true }

func only(names ...string) func(definition.Path) bool {
	return func(p definition.Path) bool { return slices.Contains(names, p.String()) }
}

// Whatever was written, by whom, on top of what, with which clock, and whoever was
// revoked: a rollback gives every path what it had, and so does one after it, which
// takes the first for some more history.
func TestRandomRollbacks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		c := drawCast(rt, cluster)
		me := fixedWriter(t, 100)
		last := c.blocks[len(c.blocks)-1]
		c.blocks = append(c.blocks, c.grant(me.id, trust.RoleWriter, nil, last))
		r := cluster.open(t, t.TempDir(), me.key)
		defer closeReplica(t, r)
		if n, err := r.Admit(t.Context(), raws(c.blocks...)...); err != nil || n != len(c.blocks) {
			rt.Fatalf("admitted %d of %d blocks: %v", n, len(c.blocks), err)
		}
		for range 4 {
			when := at(rapid.Int64Range(0, 6).Draw(rt, "at"))
			selected := everything
			if some := rapid.Bool().Draw(rt, "some"); some {
				names := rapid.SliceOfDistinct(rapid.SampledFrom(propertyPaths), rapid.ID[string]).Draw(rt, "selected")
				selected = only(names...)
				if _, err := r.At(when).Rollback(t.Context(), selected); errors.Is(err, crdt.ErrCollision) {
					continue
				}
			}
			want := files(t.Context(), rt, r.At(when))
			rollBack(t.Context(), rt, r, r.At(when), selected)
			got := files(t.Context(), rt, r)
			for _, p := range r.Paths() {
				if selected(p) && got[p] != want[p] {
					rt.Fatalf("%s rolled back to %v: got %q, want %q", p, when, got[p], want[p])
				}
			}
			if edits, err := r.At(when).Rollback(t.Context(), selected); err != nil || len(edits) > 0 {
				rt.Fatalf("rolled back once more: got %v, %v, want nothing to do", edits, err)
			}
			if again := files(t.Context(), rt, r.At(when)); !maps.Equal(again, want) {
				rt.Fatalf("after the rollback the directory at %v was %v, want %v", when, again, want)
			}
		}

		other := cluster.open(t, t.TempDir(), newKey(t))
		defer closeReplica(t, other)
		if _, err := other.Admit(t.Context(), r.Raws()...); err != nil {
			rt.Fatal(err)
		}
		for _, ask := range []func(*crdt.Replica) any{
			func(r *crdt.Replica) any { return r.Views() },
			func(r *crdt.Replica) any { return r.At(at(3)).Views() },
			func(r *crdt.Replica) any {
				edits, err := r.At(at(3)).Rollback(t.Context(), everything)
				return fmt.Sprint(edits, err)
			},
		} {
			if got, want := fmt.Sprint(ask(other)), fmt.Sprint(ask(r)); got != want {
				rt.Fatalf("another node with the same set says\n%s, want\n%s", got, want)
			}
		}
	})
}

// rollBack appends the edits that roll back the selected paths, if there are any.
func rollBack(ctx context.Context, t fataler, r *crdt.Replica, to *crdt.Past, selected func(definition.Path) bool) {
	t.Helper()
	edits, err := to.Rollback(ctx, selected)
	if err == nil && len(edits) > 0 {
		_, err = r.Append(ctx, definition.Draft{Edits: edits}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRollbackOfCollidingPaths(t *testing.T) {
	s := newStory(t)
	me := fixedWriter(t, 100)
	granted := s.add(s.grant(me.id, trust.RoleWriter, nil, s.start))
	one := s.add(s.write(s.a, seconds(10), []*woven{granted}, edit("x.json", "old")))
	two := s.add(s.write(s.a, seconds(20), []*woven{one}, edit("X.json", "new"), edit("x.json", "", one)))
	three := s.add(s.write(s.b, seconds(29), []*woven{two}, edit("y.json", "held")))
	s.add(s.write(s.b, seconds(30), []*woven{three}, edit("Y.json", "waits")))
	r := s.weaver.c.open(t, t.TempDir(), me.key)
	defer closeReplica(t, r)
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	past := r.At(at(10))
	if _, err := past.Rollback(t.Context(), only("x.json")); !errors.Is(err, crdt.ErrCollision) {
		t.Errorf("with another file in its place: got %v, want ErrCollision", err)
	}
	rollBack(t.Context(), t, r, past, only("x.json", "X.json"))
	if got, want := fmt.Sprint(files(t.Context(), t, r)), "map[x.json:old y.json:held]"; got != want {
		t.Errorf("both: got %s, want %s", got, want)
	}
	rollBack(t.Context(), t, r, past, everything)
	if got, want := fmt.Sprint(files(t.Context(), t, r)), "map[x.json:old]"; got != want {
		t.Errorf("everything: got %s, want %s", got, want)
	}
	rollBack(t.Context(), t, r, r.At(at(30)), everything)
	if got, want := fmt.Sprint(files(t.Context(), t, r)), "map[X.json:new y.json:held]"; got != want {
		t.Errorf("back again: got %s, want %s", got, want)
	}
}

func TestRollbackOfMany(t *testing.T) {
	c := newCluster(t)
	r, _ := c.found(t)
	const n = crdt.MaxEdits + 100
	var before, after definition.Draft
	for i := range n {
		before.Edits = append(before.Edits, definition.Edit{Path: path(t, fmt.Sprintf("old-%d.json", i)), Content: []byte("1")})
	}
	if _, err := r.Append(t.Context(), before, nil); err != nil {
		t.Fatal(err)
	}
	then := r.At(timeOfLast(t, r))
	for i, e := range before.Edits {
		e.Parents, e.Content, e.Deleted = r.View(e.Path).Heads, nil, true
		after.Edits = append(after.Edits, e, definition.Edit{Path: path(t, fmt.Sprintf("new-%d.json", i)), Content: []byte("2")})
	}
	if _, err := r.Append(t.Context(), after, nil); err != nil {
		t.Fatal(err)
	}
	want := files(t.Context(), t, then)
	rollBack(t.Context(), t, r, then, everything)
	if got := files(t.Context(), t, r); len(want) != n || !maps.Equal(got, want) {
		t.Errorf("got %d files, want the %d that were there", len(got), n)
	}
}

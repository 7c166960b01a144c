package crdt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/oracle"
	"github.com/starling-sync/starling/trust"
)

// at is the wall clock's part of a time that seconds makes.
func at(n int64) time.Time { return time.Unix(n, 0) }

// showAt writes the files of a replica at a time as text.
func showAt(t testing.TB, r *crdt.Replica, when time.Time) []string {
	t.Helper()
	past := r.At(when)
	out := []string{}
	for _, v := range past.Views() {
		if !v.Present {
			continue
		}
		_, content, err := past.Read(t.Context(), v.Path)
		if err != nil {
			t.Fatal(err)
		}
		if definition.HashOf(content) != v.Hash {
			t.Errorf("%s at %v: the bytes %s are not those of the view", v.Path, when, content)
		}
		out = append(out, v.Path.String()+"="+string(content))
	}
	return out
}

func TestAt(t *testing.T) {
	x := path(t, "x.json")
	tests := []struct {
		name  string
		story func(s *story)
		want  map[int64][]string // by seconds
	}{
		{"a file comes, changes and goes", func(s *story) {
			one := s.add(s.write(s.a, seconds(10), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(20), []*woven{one}, edit("x.json", "2", one)))
			s.add(s.write(s.c, seconds(30), []*woven{two}, edit("x.json", "", two)))
		}, map[int64][]string{9: {}, 10: {"x.json=1"}, 19: {"x.json=1"}, 20: {"x.json=2"}, 30: {}}},

		{"a merge is merged then, too", func(s *story) {
			base := s.add(s.write(s.a, seconds(10), []*woven{s.start}, edit("x.json", `{"a": 1, "b": 1}`)))
			one := s.add(s.write(s.a, seconds(20), []*woven{base}, edit("x.json", `{"a": 2, "b": 1}`, base)))
			two := s.add(s.write(s.b, seconds(21), []*woven{base}, edit("x.json", `{"a": 1, "b": 2}`, base)))
			s.add(s.write(s.c, seconds(30), []*woven{one, two}, edit("x.json", "3", one, two)))
		}, map[int64][]string{20: {`x.json={"a": 2, "b": 1}`}, 21: {`x.json={"a": 2, "b": 2}`}, 30: {"x.json=3"}}},

		{"a clock that is ahead hides its own change, not what was made on top", func(s *story) {
			one := s.add(s.write(s.a, seconds(90), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(20), []*woven{one}, edit("y.json", "2")))
		}, map[int64][]string{19: {}, 20: {"x.json=1", "y.json=2"}}},

		{"a clock that is behind brings along what it was made on", func(s *story) {
			one := s.add(s.write(s.a, seconds(50), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("y.json", "2")))
			s.add(s.write(s.b, seconds(60), []*woven{two}, edit("y.json", "3", two)))
		}, map[int64][]string{1: {}, 2: {"x.json=1", "y.json=2"}, 60: {"x.json=1", "y.json=3"}}},

		{"what is purged later is out before, too", func(s *story) {
			one := s.add(s.write(s.a, seconds(10), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(20), []*woven{one}, edit("x.json", "2", one), edit("y.json", "2")))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, two))
		}, map[int64][]string{10: {"x.json=1"}, 20: {"x.json=1"}, 90: {"x.json=1"}}},

		{"what is kept of a revoked author is kept at its time", func(s *story) {
			one := s.add(s.write(s.b, seconds(10), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(20), []*woven{one}, edit("x.json", "2", one)))
			s.add(s.revoke(s.b.id, trust.ModeKeep, one, two))
		}, map[int64][]string{9: {}, 10: {"x.json=1"}, 20: {"x.json=1"}}},

		{"the one of colliding paths that was there then", func(s *story) {
			one := s.add(s.write(s.a, seconds(20), []*woven{s.start}, edit("X.json", "late")))
			two := s.add(s.write(s.b, seconds(30), []*woven{s.start}, edit("x.json", "lost")))
			s.add(s.write(s.c, seconds(40), []*woven{one, two}, edit("X.json", "", one)))
		}, map[int64][]string{20: {"X.json=late"}, 30: {"X.json=late"}, 40: {"x.json=lost"}}},

		{"an adopted file stands until there is an edit", func(s *story) {
			s.add(s.write(s.a, seconds(10), []*woven{s.start}, adopt("x.json", "found")))
			s.add(s.write(s.b, seconds(20), []*woven{s.start}, edit("x.json", "1")))
		}, map[int64][]string{10: {"x.json=found"}, 20: {"x.json=1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			tt.story(s)
			r := tell(t, s.weaver.c, s.blocks)
			other := tell(t, s.weaver.c, shuffled(s.blocks, rand.New(rand.NewPCG(1, 2))))
			for sec, want := range tt.want {
				for _, r := range []*crdt.Replica{r, other} {
					if got := showAt(t, r, at(sec)); !slices.Equal(got, want) {
						t.Errorf("at %d s: got %q, want %q", sec, got, want)
					}
				}
			}
			if v := r.At(at(0)).Views(); len(v) == 0 || v[0].Present || len(v[0].Heads) != 0 {
				t.Errorf("at the beginning: got %v, want absent files without heads", v)
			}
			if view, content, err := r.At(at(1)).Read(t.Context(), x); view.Present || content != nil || err != nil {
				t.Errorf("absent at the time: got %v, %q, %v", view, content, err)
			}
		})
	}
}

// The set of a time is found again by walking the links; what it comes to is for the
// oracle to say.
func TestRandomPasts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		c := drawCast(rt, cluster)
		r := admitted(t, rt, cluster, c.blocks)
		defer closeReplica(t, r)
		var elements [][]byte
		for _, b := range c.blocks {
			elements = append(elements, b.element)
		}
		for sec := range int64(7) {
			in := make(map[cid.Cid]bool)
			for _, b := range c.blocks {
				if when, ok := c.times[b.cid]; ok && when <= seconds(uint64(sec)) {
					for a := range c.ancestry(b) {
						in[a] = true
					}
				}
			}
			part := make(map[definition.ChangeID]bool)
			for _, b := range c.blocks {
				part[b.id] = in[b.cid]
			}
			answer, err := oracle.ComputePart(elements, func(id definition.ChangeID) bool { return part[id] })
			if err != nil {
				rt.Fatal(err)
			}
			past := r.At(at(sec))
			for _, p := range r.Paths() {
				got, content, err := past.Read(t.Context(), p)
				if err != nil {
					rt.Fatal(err)
				}
				want := answer.Files[p]
				if got.Present != want.Present || !slices.Equal(got.Heads, want.Heads) {
					rt.Fatalf("%s at %d s: got %+v, the oracle says %+v", p, sec, got, want)
				}
				if err := want.Accepts(content); got.Present && err != nil {
					rt.Fatalf("%s at %d s: %v", p, sec, err)
				}
			}
			if got, want := fmt.Sprint(past.Views()), fmt.Sprint(r.At(at(sec)).Views()); got != want {
				rt.Fatalf("asked again, the past at %d s is\n%s, want\n%s", sec, got, want)
			}
		}
		if got, want := fmt.Sprint(r.At(at(9)).Views()), fmt.Sprint(r.Views()); got != want {
			rt.Fatalf("after all of it the views are\n%s, want today's\n%s", got, want)
		}
	})
}

func TestMerged(t *testing.T) {
	s := newStory(t)
	base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", `{"a": 1, "b": 1}`), edit("y.json", "y")))
	one := s.add(s.write(s.a, seconds(2), []*woven{base}, edit("x.json", `{"a": 2, "b": 1}`, base)))
	two := s.add(s.write(s.b, seconds(3), []*woven{base}, edit("x.json", `{"a": 1, "b": 2}`, base)))
	gone := s.add(s.write(s.b, seconds(4), []*woven{one, two}, edit("x.json", "", one, two)))
	r := tell(t, s.weaver.c, s.blocks)
	x, y := path(t, "x.json"), path(t, "y.json")
	for _, tt := range []struct {
		name string
		of   []*woven
		want string
	}{
		{"nothing", nil, ""},
		{"one", []*woven{one}, `{"a": 2, "b": 1}`},
		{"two", []*woven{one, two}, `{"a": 2, "b": 2}`},
		{"in any order, with an ancestor", []*woven{two, base, one}, `{"a": 2, "b": 2}`},
		{"a deletion on top", []*woven{gone}, ""},
	} {
		var versions []definition.Version
		for _, b := range tt.of {
			versions = append(versions, b.version(x))
		}
		if got, err := r.Merged(t.Context(), x, versions...); err != nil || string(got) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	for _, v := range []definition.Version{one.version(y), s.start.version(x)} {
		if _, err := r.Merged(t.Context(), x, v); !errors.Is(err, crdt.ErrNotFound) {
			t.Errorf("version %s of another change: got %v, want ErrNotFound", v, err)
		}
	}
	if got, err := r.Merged(t.Context(), x, base.version(y)); err != nil || got != nil {
		t.Errorf("a version of another path alone: got %q, %v, want no file", got, err)
	}

	// What counts no more gives no bytes; what it was made on does.
	s.add(s.revoke(s.b.id, trust.ModePurge, nil, gone))
	r = tell(t, s.weaver.c, s.blocks)
	if got, err := r.Merged(t.Context(), x, one.version(x), two.version(x)); err != nil || string(got) != `{"a": 2, "b": 1}` {
		t.Errorf("after the purge: got %q, %v, want what the other edit gives", got, err)
	}
	if got, err := r.Merged(t.Context(), x, two.version(x)); err != nil || string(got) != `{"a": 1, "b": 1}` {
		t.Errorf("after the purge: got %q, %v, want what the purged edit was made on", got, err)
	}
}

// timeOfLast returns the time of the last change.
func timeOfLast(t testing.TB, r *crdt.Replica) time.Time {
	t.Helper()
	c, err := r.Change(t.Context(), ids(r, definition.Path{}, definition.ChangeID{})[0])
	if err != nil {
		t.Fatal(err)
	}
	return c.Time
}

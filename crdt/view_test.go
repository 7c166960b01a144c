package crdt_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/trust"
)

// seconds is a time of the hybrid clock.
func seconds(n uint64) uint64 { return n * 1000 << 16 }

// story is a set made by hand: an authority's grants and what writers wrote. The
// blocks are in an order in which they can be admitted.
type story struct {
	*weaver
	a, b, c *writer
	start   *woven // the last grant: all writers are granted in its ancestry
	blocks  []*woven
}

func newStory(t testing.TB) *story {
	s := &story{weaver: &weaver{t: t, c: newCluster(t)}}
	s.a, s.b, s.c = s.writer(), s.writer(), s.writer()
	for _, w := range []*writer{s.a, s.b, s.c} {
		var after []*woven
		if s.start != nil {
			after = []*woven{s.start}
		}
		s.start = s.add(s.grant(w.id, trust.RoleWriter, nil, after...))
	}
	return s
}

func (s *story) add(b *woven) *woven {
	s.blocks = append(s.blocks, b)
	return b
}

// tell admits the story to a new replica in the given order.
func tell(t testing.TB, c *testCluster, blocks []*woven) *crdt.Replica {
	t.Helper()
	r := c.open(t, t.TempDir(), newKey(t))
	t.Cleanup(func() { closeReplica(t, r) })
	if n, err := r.Admit(t.Context(), raws(blocks...)...); err != nil || n != len(blocks) {
		t.Fatalf("admitted %d of %d blocks: %v", n, len(blocks), err)
	}
	return r
}

// shuffled returns the blocks in another order in which ancestors come first.
func shuffled(blocks []*woven, rng *rand.Rand) []*woven {
	left := slices.Clone(blocks)
	have := make(map[string]bool)
	var out []*woven
	for len(left) > 0 {
		var ready []int
		for i, b := range left {
			if !slices.ContainsFunc(linksOf(b), func(c string) bool { return !have[c] }) {
				ready = append(ready, i)
			}
		}
		i := ready[rng.IntN(len(ready))]
		out = append(out, left[i])
		have[left[i].cid.String()] = true
		left = slices.Delete(left, i, i+1)
	}
	return out
}

// show writes a replica's views as text: "path=content" or "path absent", and
// after that the conflicts by kind, path and losing content.
func show(t testing.TB, r *crdt.Replica) []string {
	t.Helper()
	var out []string
	for _, v := range r.Views() {
		line := v.Path.String() + " absent"
		if v.Present {
			line = v.Path.String() + "=" + content(t, r, v.Path.String())
		}
		for _, c := range v.Conflicts {
			lost, err := r.Edit(t.Context(), c.Lost)
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %s(%s)", c.Kind, lost.Content)
		}
		out = append(out, line)
	}
	return out
}

func TestView(t *testing.T) {
	tests := []struct {
		name  string
		story func(s *story)
		want  []string
	}{
		{"one version stands", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
		}, []string{"x.json=1"}},

		{"a later edit stands, whatever the clocks say", func(s *story) {
			one := s.add(s.write(s.a, seconds(9), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(1), []*woven{one}, edit("x.json", "2", one)))
		}, []string{"x.json=2"}},

		{"of two heads the later in time stands", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", "late")))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "early")))
		}, []string{"x.json=late edits(early)"}},

		{"two heads of equal bytes are no conflict", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "same")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x.json", "same")))
		}, []string{"x.json=same"}},

		{"equal bytes are listed once as a conflict", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "lost")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x.json", "lost")))
			s.add(s.write(s.c, seconds(3), []*woven{s.start}, edit("x.json", "stands")))
		}, []string{"x.json=stands edits(lost)"}},

		{"an edit that knows both heads ends the tie, but does not close the conflict", func(s *story) {
			one := s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "2")))
			s.add(s.write(s.c, seconds(1), []*woven{one, two}, edit("x.json", "3", one, two)))
		}, []string{"x.json=3 edits(2)"}},

		{"an edit on one of two heads leaves the other", func(s *story) {
			one := s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "2")))
			s.add(s.write(s.c, seconds(3), []*woven{one, two}, edit("x.json", "3", one)))
		}, []string{"x.json=3 edits(2)"}},

		{"a deletion of what it knows stands", func(s *story) {
			one := s.add(s.write(s.a, seconds(9), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(1), []*woven{one}, edit("x.json", "", one)))
		}, []string{"x.json absent"}},

		{"an edit wins against a later deletion", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(9), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.c, seconds(2), []*woven{one}, edit("x.json", "2", one)))
		}, []string{"x.json=2 deletion()"}},

		{"two deletions are no conflict", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(9), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.c, seconds(2), []*woven{one}, edit("x.json", "", one)))
		}, []string{"x.json absent"}},

		{"an adopted file loses to an earlier edit", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(9), []*woven{s.start}, adopt("x.json", "stale")))
		}, []string{"x.json=1 adopted(stale)"}},

		{"an adopted file does not come back after a deletion", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.b, seconds(9), []*woven{s.start}, adopt("x.json", "1")))
		}, []string{"x.json absent adopted(1)"}},

		{"of adopted files alone the earliest stands", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, adopt("x.json", "2")))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, adopt("x.json", "1")))
			s.add(s.write(s.c, seconds(3), []*woven{s.start}, adopt("x.json", "3")))
		}, []string{"x.json=1 adopted(3) adopted(2)"}},

		{"an adopted file of equal bytes is no conflict", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.write(s.b, seconds(9), []*woven{s.start}, adopt("x.json", "1")))
		}, []string{"x.json=1"}},

		{"of case twins the first is held", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("X.json", "late")))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "early")))
		}, []string{"X.json absent path(late)", "x.json=early"}},

		{"a twin with an early clock evicts nothing", func(s *story) {
			one := s.add(s.write(s.a, seconds(9), []*woven{s.start}, edit("x.json", "there")))
			s.add(s.write(s.b, seconds(1), []*woven{one}, edit("X.json", "slow clock")))
		}, []string{"X.json absent path(slow clock)", "x.json=there"}},

		{"a file with an early clock evicts no folder", func(s *story) {
			one := s.add(s.write(s.a, seconds(9), []*woven{s.start}, edit("x/y.json", "there")))
			two := s.add(s.write(s.a, seconds(10), []*woven{one}, edit("x/y.json", "still", one)))
			s.add(s.write(s.b, seconds(1), []*woven{two}, edit("x", "slow clock")))
		}, []string{"x absent path(slow clock)", "x/y.json=still"}},

		{"a later edit of the first twin keeps its place", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("X.json", "2")))
			s.add(s.write(s.a, seconds(3), []*woven{two}, edit("x.json", "3", one)))
		}, []string{"X.json absent path(2)", "x.json=3"}},

		{"the other twin is held once the first is deleted", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("X.json", "2")))
			s.add(s.write(s.a, seconds(3), []*woven{two}, edit("x.json", "", one)))
		}, []string{"X.json=2", "x.json absent"}},

		{"twins by full case folding", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("Straße.json", "1")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("STRASSE.json", "2")))
		}, []string{"STRASSE.json absent path(2)", "Straße.json=1"}},

		{"a file keeps a later folder of its name out", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x", "file")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x/y.json", "below"), edit("x/z/w.json", "deeper")))
		}, []string{"x=file", "x/y.json absent path(below)", "x/z/w.json absent path(deeper)"}},

		{"a folder keeps a later file of its name out", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("X/y.json", "below")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x", "file")))
		}, []string{"X/y.json=below", "x absent path(file)"}},

		{"what is kept out keeps nothing out", func(s *story) {
			// x/y is there first, so x is out, so x/Z stands beside x/y.
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x/y.json", "1")))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x", "2")))
			s.add(s.write(s.c, seconds(3), []*woven{s.start}, edit("x/z.json", "3")))
		}, []string{"x absent path(2)", "x/y.json=1", "x/z.json=3"}},

		{"of three twins the earliest is held", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("ab", "2")))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("AB", "1")))
			s.add(s.write(s.c, seconds(3), []*woven{s.start}, edit("Ab", "3")))
		}, []string{"AB=1", "Ab absent path(3)", "ab absent path(2)"}},

		{"what was deleted and is made again does not take the place of what is in use", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "old")))
			gone := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "", one)))
			used := s.add(s.write(s.b, seconds(3), []*woven{gone}, edit("X.json", "in use")))
			s.add(s.write(s.c, seconds(4), []*woven{used}, edit("x.json", "again", gone)))
		}, []string{"X.json=in use", "x.json absent path(again)"}},

		{"what is edited on and on keeps its place", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("X.json", "2")))
			s.add(s.write(s.a, seconds(3), []*woven{two}, edit("x.json", "3", one)))
		}, []string{"X.json absent path(2)", "x.json=3"}},

		{"what was deleted apart from an edit was never absent", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			gone := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "", one)))
			kept := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", "3", one)))
			s.add(s.write(s.c, seconds(4), []*woven{gone, kept}, edit("X.json", "4")))
			s.add(s.write(s.a, seconds(5), []*woven{s.blocks[len(s.blocks)-1]}, edit("x.json", "5", gone, kept)))
		}, []string{"X.json absent path(4)", "x.json=5 deletion()"}},

		{"a file that was deleted twice counts from the last time", func(s *story) {
			last := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			for i := range uint64(2) {
				last = s.add(s.write(s.a, seconds(2+2*i), []*woven{last}, edit("x.json", "", last)))
				used := s.add(s.write(s.b, seconds(3+2*i), []*woven{last}, edit(fmt.Sprintf("used-%d.json", i), "u")))
				last = s.add(s.write(s.a, seconds(3+2*i), []*woven{used}, edit("x.json", "again", last)))
			}
			s.add(s.write(s.c, seconds(4), []*woven{s.blocks[5]}, edit("X.json", "in use"))) // as deep as the last but one
		}, []string{"X.json=in use", "used-0.json=u", "used-1.json=u", "x.json absent path(again)"}},

		{"a folder in use is not displaced by a file that is made again", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x", "old")))
			gone := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x", "", one)))
			used := s.add(s.write(s.b, seconds(3), []*woven{gone}, edit("x/y.json", "in use")))
			s.add(s.write(s.c, seconds(4), []*woven{used}, edit("x", "again", gone)))
		}, []string{"x absent path(again)", "x/y.json=in use"}},

		{"a case rename, and back", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("X.json", "1")))
			to := edit("x.json", "1")
			to.MovedFrom = "X.json"
			to.Parents = append(to.Parents, &crdtpb.Parent{Change: one.id[:], Moved: true})
			two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("X.json", "", one), to))
			back := edit("X.json", "1", two)
			back.MovedFrom = "x.json"
			back.Parents = append(back.Parents, &crdtpb.Parent{Change: two.id[:], Moved: true})
			s.add(s.write(s.a, seconds(3), []*woven{two}, back, edit("x.json", "", two)))
		}, []string{"X.json=1", "x.json absent"}},

		{"a deletion that was purged made nothing absent", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			gone := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "", one)))
			used := s.add(s.write(s.c, seconds(3), []*woven{gone}, edit("X.json", "3")))
			again := s.add(s.write(s.a, seconds(4), []*woven{used}, edit("x.json", "4", gone)))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, again))
		}, []string{"X.json absent path(3)", "x.json=4"}},

		{"a purge takes all that the member wrote", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "good"), edit("y.json", "good")))
			bad := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "bad", one), edit("z.json", "bad")))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, bad))
		}, []string{"x.json=good", "y.json=good", "z.json absent"}},

		{"what others wrote on top of a purged version stands", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			bad := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "bad", one)))
			s.add(s.write(s.c, seconds(3), []*woven{bad}, edit("x.json", "3", bad)))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, one))
		}, []string{"x.json=3"}},

		{"a purge of twins takes both", func(s *story) {
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("X.json", "bad")))
			bad := s.add(s.write(s.b, seconds(2), []*woven{s.blocks[len(s.blocks)-1]}, edit("x.json", "bad")))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, bad))
		}, []string{"X.json absent", "x.json absent"}},

		{"a twin is held once the first is purged", func(s *story) {
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("X.json", "bad")))
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", "good")))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, s.start))
		}, []string{"X.json absent", "x.json=good"}},

		{"keep lets what came before the cut stand", func(s *story) {
			one := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1"), edit("y.json", "1")))
			s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "2", one)))
			s.add(s.revoke(s.b.id, trust.ModeKeep, one, one))
		}, []string{"x.json=1", "y.json=1"}},

		{"keep without a last change keeps nothing", func(s *story) {
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.revoke(s.b.id, trust.ModeKeep, nil, s.start))
		}, []string{"x.json absent"}},

		{"of two cuts the earlier holds", func(s *story) {
			one := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "2", one)))
			s.add(s.revoke(s.b.id, trust.ModeKeep, two, two))
			s.add(s.revoke(s.b.id, trust.ModeKeep, one, one))
		}, []string{"x.json=1"}},

		{"a purge beside a cut takes all", func(s *story) {
			one := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			s.add(s.revoke(s.b.id, trust.ModeKeep, one, one))
			s.add(s.revoke(s.b.id, trust.ModePurge, nil, s.start))
		}, []string{"x.json absent"}},

		{"of a fork the branch that the cut is on stands", func(s *story) {
			one := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			clone := *s.b
			left := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("l.json", "left")))
			right := s.add(s.write(&clone, seconds(3), []*woven{one}, edit("r.json", "right")))
			s.add(s.revoke(s.b.id, trust.ModeKeep, left, left, right))
		}, []string{"l.json=left", "r.json absent", "x.json=1"}},

		{"a later grant does not undo a revocation", func(s *story) {
			one := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			gone := s.add(s.revoke(s.b.id, trust.ModePurge, nil, one))
			again := s.add(s.grant(s.b.id, trust.RoleWriter, nil, gone))
			s.add(s.write(s.b, seconds(2), []*woven{again}, edit("x.json", "2", one)))
		}, []string{"x.json absent"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			tt.story(s)
			s.comesTo(t, tt.want...)
		})
	}
}

// comesTo wants these views of the story, told in several orders.
func (s *story) comesTo(t *testing.T, want ...string) {
	t.Helper()
	first := tell(t, s.weaver.c, s.blocks)
	if got := show(t, first); !slices.Equal(got, want) {
		t.Errorf("views are\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for seed := range uint64(6) {
		other := tell(t, s.weaver.c, nil)
		for _, b := range shuffled(s.blocks, rand.New(rand.NewPCG(seed, 0))) {
			if _, err := other.Admit(t.Context(), b.raw); err != nil {
				t.Fatal(err)
			}
			other.Views() // what is asked for on the way is remembered, and must be forgotten in time
		}
		if err := equal(first, other); err != nil {
			t.Errorf("in another order (seed %d): %v", seed, err)
		}
		if got, want := fmt.Sprint(other.Views()), fmt.Sprint(first.Views()); got != want {
			t.Errorf("in another order (seed %d): views are\n%s, want\n%s", seed, got, want)
		}
	}
}

func TestTheGreaterIDStandsAtEqualTimes(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	two := s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "2")))
	want := one
	if two.id.Compare(one.id) > 0 {
		want = two
	}
	r := tell(t, s.weaver.c, s.blocks)
	if got := r.View(path(t, "x.json")).Winner; got != want.version(path(t, "x.json")) {
		t.Errorf("winner is %v, want %v", got, want.version(path(t, "x.json")))
	}
}

func TestForksAreCountedInAnyOrder(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	clone := *s.a
	two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "2", one)))
	fork := s.add(s.write(&clone, seconds(2), []*woven{one}, edit("y.json", "2")))
	s.add(s.write(s.a, seconds(3), []*woven{two}, edit("x.json", "3", two)))
	s.add(s.write(&clone, seconds(3), []*woven{fork}, edit("y.json", "3", fork)))
	for seed := range uint64(20) {
		r := tell(t, s.weaver.c, shuffled(s.blocks, rand.New(rand.NewPCG(seed, 0))))
		m, ok := r.Member(s.a.id)
		if !ok || m.Forks != 1 || m.Changes != 3 {
			t.Fatalf("seed %d: member has %d forks and %d changes (known: %t), want 1 and 3", seed, m.Forks, m.Changes, ok)
		}
	}
}

func TestAClockOutOfBoundsStopsNobody(t *testing.T) {
	s := newStory(t)
	wild := s.add(s.write(s.a, math.MaxUint64, []*woven{s.start}, edit("x.json", "wild")))
	key := newKey(t)
	r := s.weaver.c.open(t, t.TempDir(), key)
	defer closeReplica(t, r)
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	change, err := r.Change(t.Context(), wild.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(change.Time); err != nil {
		t.Errorf("the time cannot be shown: %v", err)
	}
	s.weaver.c.grant(t, r, key, "own", trust.RoleWriter)
	v := put(t, r, "x.json", "later")
	if got := content(t, r, "x.json"); got != "later" {
		t.Errorf("content is %q, want later", got)
	}
	info, err := r.Version(v)
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Until(info.Time); got > time.Minute {
		t.Errorf("the next change's clock is %v ahead", got)
	}
}

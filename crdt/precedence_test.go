package crdt_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/trust"
)

// admit adds a writer of the paths that some globs match; it has seen nothing but its grant.
func (s *story) admit(globs ...string) (*writer, *woven) {
	w := s.writer()
	return w, s.add(s.grant(w.id, trust.RoleWriter, globs, s.start))
}

// moveTo makes an edit that brings a file along from another path.
func moveTo(path, content, from string, parent *woven) *crdtpb.Edit {
	e := edit(path, content, parent)
	e.MovedFrom, e.Parents[0].Moved = from, true
	return e
}

func TestAGrantCoversEffects(t *testing.T) {
	tests := []struct {
		name  string
		story func(*story)
		want  []string
	}{
		{"a case twin that its author may not write stays", func(s *story) {
			h, granted := s.admit("wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("app.json", "1")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("Wiki-1.json", "in use")))
			s.add(s.write(h, seconds(0), []*woven{granted}, edit("wiki-1.json", "mine")))
		}, []string{"Wiki-1.json=in use", "app.json=1", "wiki-1.json absent path(mine)"}},

		{"the files of a folder stay when a file of its name comes", func(s *story) {
			h, granted := s.admit("*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("app.json", "1")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("services/1.json", "in use")))
			s.add(s.write(h, seconds(0), []*woven{granted}, edit("services", "mine")))
		}, []string{"app.json=1", "services absent path(mine)", "services/1.json=in use"}},

		{"a file stays when one takes it for a folder", func(s *story) {
			h, granted := s.admit("**/x-*.json")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("app.json", "1")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("payroll.json", "in use")))
			s.add(s.write(h, seconds(0), []*woven{granted}, edit("payroll.json/x-1.json", "mine")))
		}, []string{"app.json=1", "payroll.json=in use", "payroll.json/x-1.json absent path(mine)"}},

		{"who may write both is heard by age", func(s *story) {
			h, granted := s.admit("wiki-*", "Wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("app.json", "1")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("Wiki-1.json", "later")))
			s.add(s.write(h, seconds(0), []*woven{granted}, edit("wiki-1.json", "earlier")))
		}, []string{"Wiki-1.json absent path(later)", "app.json=1", "wiki-1.json=earlier"}},

		{"a second grant counts where it is in the ancestry", func(s *story) {
			h, granted := s.admit("wiki-*")
			wider := s.add(s.grant(h.id, trust.RoleWriter, []string{"W*"}, granted))
			var last []*woven
			for range 3 {
				last = []*woven{s.add(s.write(s.a, seconds(1), append(last, s.start), edit("app.json", "1", last...)))}
			}
			s.add(s.write(s.a, seconds(2), last, edit("Wiki-1.json", "later"), edit("Wiki-2.json", "in use")))
			s.add(s.write(h, seconds(0), []*woven{granted}, edit("wiki-2.json", "before it was granted")))
			s.add(s.write(h, seconds(0), []*woven{wider, h.last}, edit("wiki-1.json", "earlier")))
		}, []string{"Wiki-1.json absent path(later)", "Wiki-2.json=in use", "app.json=1", "wiki-1.json=earlier", "wiki-2.json absent path(before it was granted)"}},

		{"of two limited writers who may each write only their own, the earlier holds", func(s *story) {
			h, granted := s.admit("wiki-*")
			g, alike := s.admit("Wiki-*")
			s.add(s.write(h, seconds(2), []*woven{granted}, edit("wiki-1.json", "late")))
			s.add(s.write(g, seconds(1), []*woven{alike}, edit("Wiki-1.json", "early")))
		}, []string{"Wiki-1.json=early", "wiki-1.json absent path(late)"}},

		{"a limited writer's edit does not take another's file out of its place", func(s *story) {
			h, granted := s.admit("wiki-*")
			g, alike := s.admit("Wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("app.json", "1")))
			two := s.add(s.write(s.a, seconds(1), []*woven{one}, edit("wiki-1.json", "1")))
			s.add(s.write(h, seconds(2), []*woven{granted, two}, edit("wiki-1.json", "2", two)))
			s.add(s.write(g, seconds(1), []*woven{alike}, edit("Wiki-1.json", "early")))
		}, []string{"Wiki-1.json absent path(early)", "app.json=1", "wiki-1.json=2"}},

		{"an edit of an old version does not bring back what displaces", func(s *story) {
			h, granted := s.admit("wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("wiki-1.json", "old")))
			two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("wiki-1.json", "", one)))
			three := s.add(s.write(s.a, seconds(3), []*woven{two}, edit("Wiki-1.json", "in use")))
			back := s.add(s.write(h, seconds(4), []*woven{granted, one}, edit("wiki-1.json", "back", one)))
			s.add(s.write(h, seconds(5), []*woven{back, three}, edit("wiki-1.json", "again", back, two)))
		}, []string{"Wiki-1.json=in use", "wiki-1.json absent deletion() path(again)"}},

		{"nor does it when others have edited what it brought back", func(s *story) {
			h, granted := s.admit("wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("wiki-1.json", "old")))
			two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("wiki-1.json", "", one)))
			three := s.add(s.write(s.a, seconds(3), []*woven{two}, edit("Wiki-1.json", "in use")))
			back := s.add(s.write(h, seconds(4), []*woven{granted, one}, edit("wiki-1.json", "back", one)))
			s.add(s.write(s.b, seconds(5), []*woven{back, three}, edit("wiki-1.json", "edited", back, two)))
		}, []string{"Wiki-1.json=in use", "wiki-1.json absent deletion() path(edited)"}},

		{"what a limited writer deleted comes back as new", func(s *story) {
			h, granted := s.admit("wiki-*")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("wiki-1.json", "old")))
			gone := s.add(s.write(h, seconds(2), []*woven{granted, one}, edit("wiki-1.json", "", one)))
			three := s.add(s.write(s.a, seconds(3), []*woven{gone}, edit("Wiki-1.json", "in use")))
			s.add(s.write(h, seconds(4), []*woven{three}, edit("wiki-1.json", "again", gone)))
		}, []string{"Wiki-1.json=in use", "wiki-1.json absent path(again)"}},

		{"an edit that followed a limited writer's rename displaces nothing", func(s *story) {
			h, granted := s.admit("wiki-*", "x.json")
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "2", one)))
			s.add(s.write(s.a, seconds(3), []*woven{two}, edit("Wiki-1.json", "in use")))
			came := s.add(s.write(h, seconds(4), []*woven{granted, one}, moveTo("wiki-1.json", "1", "x.json", one), edit("x.json", "", one)))
			s.add(s.write(h, seconds(5), []*woven{came}, edit("wiki-1.json", "", came)))
		}, []string{"Wiki-1.json=in use", "wiki-1.json absent deletion() path(2)", "x.json absent"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			tt.story(s)
			s.comesTo(t, tt.want...)
		})
	}
}

// TestALimitedWriterTakesNothingAway: whatever a writer of some paths signs, on top of whatever it
// likes, no file that it may not write goes or changes: with all that it signed purged, there is no
// other file of these. Deletions alone may do that, of what it may delete: another path then comes
// into a place that is free, and they are not drawn.
func TestALimitedWriterTakesNothingAway(t *testing.T) {
	seed := rand.Uint64()
	const paths = 5 // the first two are in the globs
	names := [...]string{"wiki-1.json", "wiki-1.json/x.json", "Wiki-1.json", "WIKI-1.json", "Wiki-1.json/y.json"}
	outside := 0
	for i := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, i))
		s := newStory(t)
		h, granted := s.admit("wiki-*", "wiki-*/**")
		known := []*woven{s.start}    // by the others, who have seen all
		versions := [paths][]*woven{} // of each path
		for range 3 + rng.IntN(20) {
			by, n := []*writer{s.a, s.b, s.c, h, h}[rng.IntN(5)], rng.IntN(paths)
			after := known
			if by == h {
				n = rng.IntN(2)
				after = []*woven{granted}
				if h.last != nil {
					after = append(after, h.last)
				}
			}
			var on []*woven
			for _, v := range versions[n] {
				if rng.IntN(2) == 0 {
					on = append(on, v)
					after = append(slices.Clip(after), v)
				}
			}
			text := string(rune('a' + rng.IntN(4)))
			if by != h && rng.IntN(4) == 0 {
				text = ""
			}
			v := s.add(s.write(by, seconds(rng.Uint64N(9)), after, edit(names[n], text, on...)))
			versions[n] = append(versions[n], v)
			if by != h {
				known = []*woven{v}
			} else if rng.IntN(2) == 0 {
				known = append(slices.Clip(known), v)
			}
		}
		with := tell(t, s.weaver.c, s.blocks)
		s.add(s.revoke(h.id, trust.ModePurge, nil, s.blocks[len(s.blocks)-1]))
		without := tell(t, s.weaver.c, s.blocks)
		for _, name := range names[2:] {
			want, got := presentAs(t, without, name), presentAs(t, with, name)
			if want == "" {
				continue
			}
			outside++
			if got != want {
				t.Errorf("set %d of seed %d: %s is %q, without the limited writer it is %q", i, seed, name, got, want)
			}
		}
	}
	if outside < 20 {
		t.Errorf("seed %d: only %d files outside the globs were there", seed, outside)
	}
}

// presentAs returns a present file's bytes; "" if it is absent.
func presentAs(t *testing.T, r *crdt.Replica, name string) string {
	t.Helper()
	p := path(t, name)
	if !r.View(p).Present {
		return ""
	}
	return content(t, r, name)
}

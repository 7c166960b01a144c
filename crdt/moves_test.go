package crdt_test

import (
	"slices"
	"testing"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// rename makes the two edits of a change that gives a file another name.
func rename(from, to, content string, of ...*woven) []*crdtpb.Edit {
	gone, came := edit(from, "", of...), edit(to, content)
	came.MovedFrom = from
	for _, p := range gone.Parents {
		came.Parents = append(came.Parents, &crdtpb.Parent{Change: p.Change, Moved: true})
	}
	edits := []*crdtpb.Edit{gone, came}
	slices.SortFunc(edits, func(a, b *crdtpb.Edit) int { return slices.Compare([]byte(a.GetPath()), []byte(b.GetPath())) })
	return edits
}

// onto makes an edit that takes in what followed the file from another name.
func onto(name, content, from string, followed *woven, parents ...*woven) *crdtpb.Edit {
	e := edit(name, content, parents...)
	e.MovedFrom = from
	e.Parents = append(e.Parents, &crdtpb.Parent{Change: followed.id[:], Moved: true})
	return e
}

// TestAnEditFollowsARename: of what was edited apart from it. In every order of arrival.
func TestAnEditFollowsARename(t *testing.T) {
	base, edited := def("id: 1", "name: 1", "theme: 1"), def("id: 1", "name: 2", "theme: 1")
	for _, tt := range []struct {
		name  string
		story func(s *story, one *woven)
		want  []string
	}{
		{"an edit", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json absent", "y.json=" + edited}},
		{"an earlier edit, and what the renamed file was edited to", func(s *story, one *woven) {
			s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", def("id: 1", "name: 1", "theme: 3"), one)...))
		}, []string{"x.json absent", "y.json=" + def("id: 1", "name: 2", "theme: 3")}},
		{"the same field is a conflict under the new name", func(s *story, one *woven) {
			s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", def("id: 1", "name: 3", "theme: 1"), one)...))
		}, []string{"x.json absent", "y.json=" + def("id: 1", "name: 3", "theme: 1") + " edits(" + edited + ")"}},
		{"an edit on top of both ends it, and its conflict stays", func(s *story, one *woven) {
			e := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			m := s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", def("id: 1", "name: 3", "theme: 1"), one)...))
			s.add(s.write(s.c, seconds(4), []*woven{e, m}, onto("y.json", def("id: 4", "name: 3", "theme: 1"), "x.json", e, m)))
		}, []string{"x.json absent", "y.json=" + def("id: 4", "name: 3", "theme: 1") + " edits(" + edited + ")"}},
		{"edits go on under both names", func(s *story, one *woven) {
			e := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			m := s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", base, one)...))
			on := s.add(s.write(s.c, seconds(4), []*woven{e, m}, onto("y.json", def("id: 4", "name: 2", "theme: 1"), "x.json", e, m)))
			s.add(s.write(s.b, seconds(5), []*woven{e}, edit("x.json", def("id: 1", "name: 2", "theme: 5"), e)))
			s.add(s.write(s.c, seconds(6), []*woven{on}, edit("z.json", "6")))
		}, []string{"x.json absent", "y.json=" + def("id: 4", "name: 2", "theme: 5"), "z.json=6"}},
		{"an edit on top of the rename is one of another file", func(s *story, one *woven) {
			m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{m}, edit("x.json", edited, m)))
		}, []string{"x.json=" + edited, "y.json=" + base}},
		{"what was made apart is another file", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", edited)))
		}, []string{"x.json=" + edited + " deletion()", "y.json=" + base}},
		{"a deletion under the old name takes nothing away, and is listed", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", "", one)))
		}, []string{"x.json absent renamed()", "y.json=" + base}},
		{"an earlier deletion does not either, nor does an edit that follows hide it", func(s *story, one *woven) {
			s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.c, seconds(4), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json absent renamed()", "y.json=" + edited}},
		{"a resolution ends that too", func(s *story, one *woven) {
			d := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "", one)))
			m := s.add(s.write(s.a, seconds(3), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.c, seconds(4), []*woven{d, m}, resolve("x.json", "", d, m)))
		}, []string{"x.json absent", "y.json=" + base}},
		{"a conflict of the past goes with the file, and is none of what comes to the old name", func(s *story, one *woven) {
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
			m := s.add(s.write(s.a, seconds(4), []*woven{a, b}, rename("x.json", "y.json", def("id: 1", "name: 3", "theme: 1"), a, b)...))
			n := s.add(s.write(s.a, seconds(5), []*woven{m}, rename("y.json", "z.json", def("id: 1", "name: 3", "theme: 1"), m)...))
			s.add(s.write(s.a, seconds(6), []*woven{n}, edit("x.json", "6", m)))
		}, []string{"x.json=6", "y.json absent", "z.json=" + def("id: 1", "name: 3", "theme: 1") + " edits(" + edited + ")"}},
		{"it ends by a resolution under the new name", func(s *story, one *woven) {
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
			on := s.add(s.write(s.b, seconds(4), []*woven{a, b}, edit("x.json", def("id: 1", "name: 4", "theme: 1"), a, b)))
			m := s.add(s.write(s.a, seconds(5), []*woven{on}, rename("x.json", "y.json", def("id: 1", "name: 4", "theme: 1"), on)...))
			s.add(s.write(s.a, seconds(6), []*woven{m}, resolve("y.json", edited, m)))
		}, []string{"x.json absent", "y.json=" + edited}},
		{"or by one under the old name, that follows", func(s *story, one *woven) {
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
			on := s.add(s.write(s.b, seconds(4), []*woven{a, b}, edit("x.json", def("id: 1", "name: 4", "theme: 1"), a, b)))
			s.add(s.write(s.a, seconds(5), []*woven{on}, rename("x.json", "y.json", def("id: 1", "name: 4", "theme: 1"), on)...))
			s.add(s.write(s.b, seconds(6), []*woven{on}, resolve("x.json", edited, on)))
		}, []string{"x.json absent", "y.json=" + edited}},
		{"or by one that was made apart from the rename of the same merge", func(s *story, one *woven) {
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
			s.add(s.write(s.a, seconds(4), []*woven{a, b}, rename("x.json", "y.json", def("id: 1", "name: 3", "theme: 1"), a, b)...))
			s.add(s.write(s.b, seconds(5), []*woven{a, b}, resolve("x.json", edited, a, b)))
		}, []string{"x.json absent", "y.json=" + edited}},
		{"it stays with a file that went and came back", func(s *story, one *woven) {
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", edited, one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
			m := s.add(s.write(s.a, seconds(4), []*woven{a, b}, rename("x.json", "y.json", base, a, b)...))
			back := rename("y.json", "x.json", base, m)
			back[0].Parents = append(edit("x.json", "x", m).Parents, back[0].Parents...)
			s.add(s.write(s.a, seconds(5), []*woven{m}, back...))
		}, []string{"x.json=" + base + " edits(" + edited + ")", "y.json absent"}},
		{"an edit wins against a deletion under the new name", func(s *story, one *woven) {
			m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.a, seconds(4), []*woven{m}, edit("y.json", "", m)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json absent", "y.json=" + edited + " deletion()"}},
		{"two renames in a row", func(s *story, one *woven) {
			m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.a, seconds(3), []*woven{m}, rename("y.json", "z.json", def("id: 1", "name: 1", "theme: 3"), m)...))
			s.add(s.write(s.b, seconds(4), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json absent", "y.json absent", "z.json=" + def("id: 1", "name: 2", "theme: 3")}},
		{"there and back", func(s *story, one *woven) {
			m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			back := rename("y.json", "x.json", def("id: 1", "name: 1", "theme: 3"), m)
			back[0].Parents = append(edit("x.json", "x", m).Parents, back[0].Parents...)
			s.add(s.write(s.a, seconds(3), []*woven{m}, back...))
			s.add(s.write(s.b, seconds(4), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json=" + def("id: 1", "name: 2", "theme: 3"), "y.json absent"}},
		{"a case rename", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "X.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"X.json=" + edited, "x.json absent"}},
		{"two names for one file", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, rename("x.json", "z.json", base, one)...))
		}, []string{"x.json absent renamed(" + base + ")", "y.json=" + base, "z.json=" + base}},
		{"two names for one file, and an edit", func(s *story, one *woven) {
			s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			s.add(s.write(s.b, seconds(3), []*woven{one}, rename("x.json", "z.json", base, one)...))
			s.add(s.write(s.c, seconds(4), []*woven{one}, edit("x.json", edited, one)))
		}, []string{"x.json absent renamed(" + base + ")", "y.json=" + edited, "z.json=" + edited}},
		{"a resolution ends that", func(s *story, one *woven) {
			y := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			z := s.add(s.write(s.b, seconds(3), []*woven{one}, rename("x.json", "z.json", base, one)...))
			s.add(s.write(s.c, seconds(4), []*woven{y, z}, resolve("x.json", "", y, z)))
		}, []string{"x.json absent", "y.json=" + base, "z.json=" + base}},
		{"a rename that was purged", func(s *story, one *woven) {
			m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", base, one)...))
			e := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", edited, one)))
			s.add(s.revoke(s.a.id, trust.ModePurge, nil, m, e))
		}, []string{"x.json=" + edited, "y.json absent"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			one := s.add(s.write(s.c, seconds(1), []*woven{s.start}, edit("x.json", base)))
			tt.story(s, one)
			s.comesTo(t, tt.want...)
		})
	}
}

// TestAnEditFollowsARenameNoFurtherThanItsGrant: the name that a file was given may be one that the
// author of the edit may not write.
func TestAnEditFollowsARenameNoFurtherThanItsGrant(t *testing.T) {
	s := newStory(t)
	limited := s.writer()
	granted := s.add(s.grant(limited.id, trust.RoleWriter, []string{"x*"}, s.start))
	one := s.add(s.write(s.a, seconds(1), []*woven{granted}, edit("x.json", def("id: 1", "name: 1"))))
	s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", def("id: 1", "name: 1"), one)...))
	s.add(s.write(limited, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 2"), one)))
	s.comesTo(t, "x.json="+def("id: 1", "name: 2")+" deletion()", "y.json="+def("id: 1", "name: 1"))

	// First to one that it may write, and on from there; and a revocation of the second takes it back.
	s = newStory(t)
	limited = s.writer()
	granted = s.add(s.grant(limited.id, trust.RoleWriter, []string{"x*"}, s.start))
	one = s.add(s.write(s.a, seconds(1), []*woven{granted}, edit("x.json", def("id: 1", "name: 1"))))
	s.add(s.write(limited, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 2"), one)))
	two := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "xx.json", def("id: 1", "name: 1"), one)...))
	s.comesTo(t, "x.json absent", "xx.json="+def("id: 1", "name: 2"))
	on := s.add(s.write(s.b, seconds(4), []*woven{two}, rename("xx.json", "y.json", def("id: 1", "name: 1"), two)...))
	s.comesTo(t, "x.json="+def("id: 1", "name: 2")+" deletion()", "xx.json absent", "y.json="+def("id: 1", "name: 1"))
	s.add(s.revoke(s.b.id, trust.ModePurge, nil, on))
	s.comesTo(t, "x.json absent", "xx.json="+def("id: 1", "name: 2"), "y.json absent")
}

// TestAnEditOnTopOfWhatFollowed: its parents are the heads of the view, as they are.
func TestAnEditOnTopOfWhatFollowed(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.c, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1"))))
	m := s.add(s.write(s.a, seconds(2), []*woven{one}, rename("x.json", "y.json", def("id: 1", "name: 1"), one)...))
	e := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 2"), one)))
	for _, content := range []string{def("id: 1", "name: 4"), ""} {
		me := newKey(t)
		r := s.weaver.c.open(t, t.TempDir(), me)
		t.Cleanup(func() { closeReplica(t, r) })
		if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Grant(t.Context(), s.weaver.c.authority, trust.Grant{Member: idOf(t, me), Name: "me", Role: trust.RoleWriter}); err != nil {
			t.Fatal(err)
		}
		x, y := path(t, "x.json"), path(t, "y.json")
		view := r.View(y)
		if want := []definition.Version{e.version(x), m.version(y)}; !slices.Equal(view.Heads, want) {
			t.Fatalf("the heads are %v, want %v", view.Heads, want)
		}
		if got, err := r.Merged(t.Context(), y, view.Heads...); err != nil || string(got) != def("id: 1", "name: 2") {
			t.Errorf("merged are %s, %v", got, err)
		}
		var log []definition.ChangeID
		for entry := range r.History(y, definition.ChangeID{}) {
			log = append(log, entry.ID)
		}
		if want := []definition.ChangeID{e.id, m.id, one.id}; !slices.Equal(log, want) {
			t.Errorf("the history is %v, want %v: what followed is of it", log, want)
		}
		if fields, err := r.Blame(t.Context(), definition.Version{Path: y}); err != nil || len(fields) != 2 || fields[0].Version.Change != one.id || fields[1].Version.Change != e.id {
			t.Errorf("blame: got %+v, %v", fields, err)
		}
		versions, err := r.Append(t.Context(), definition.Draft{Edits: []definition.Edit{{Path: y, Parents: view.Heads, Content: []byte(content), Deleted: content == ""}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.View(y); !slices.Equal(got.Heads, versions) || got.Present != (content != "") {
			t.Errorf("after an edit on top the view is %+v", got)
		}
		if got := r.View(x); got.Present || len(got.Conflicts) > 0 {
			t.Errorf("the old name is %+v, want no file", got)
		}
		if made, err := r.Edit(t.Context(), versions[0]); err != nil || made.MovedFrom != x || len(made.Parents) != 2 {
			t.Errorf("the edit is %+v, %v", made, err)
		}
	}
}

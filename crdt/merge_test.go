package crdt_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/trust"
)

// def writes a definition on one line; every field is "name: value".
func def(fields ...string) string {
	var b strings.Builder
	for i, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		fmt.Fprintf(&b, "%s%q: %s", []string{"", ", "}[min(i, 1)], name, value)
	}
	return "{" + b.String() + "}"
}

func TestMergedView(t *testing.T) {
	base := def("id: 1", "name: 1", "theme: 1")
	tests := []struct {
		name  string
		story func(s *story)
		want  []string
	}{
		{"edits of other fields both stand, without a conflict", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 1", "theme: 3"), one)))
		}, []string{"x.json=" + def("id: 1", "name: 2", "theme: 3")}},

		{"of two edits of one field the later stands, the other is a conflict", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 2"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), one)))
		}, []string{"x.json=" + def("id: 1", "name: 3", "theme: 2") + " edits(" + def("id: 1", "name: 2", "theme: 2") + ")"}},

		{"three heads are folded", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 2", "name: 1", "theme: 1"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			s.add(s.write(s.c, seconds(4), []*woven{one}, edit("x.json", def("id: 1", "name: 1", "theme: 2"), one)))
		}, []string{"x.json=" + def("id: 2", "name: 2", "theme: 2")}},

		{"an edit that several made counts once, also after another on top of some of them", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			tool := def("id: 1", "name: 2", "theme: 1")
			ofA := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", tool, one)))
			s.add(s.write(s.b, seconds(5), []*woven{one}, edit("x.json", tool, one)))
			s.add(s.write(s.a, seconds(3), []*woven{ofA}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), ofA)))
		}, []string{"x.json=" + def("id: 1", "name: 3", "theme: 1")}},

		{"a file that goes back to what it was does so whoever else has made that once", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			s.add(s.write(s.b, seconds(4), []*woven{two}, edit("x.json", base, two)))
			s.add(s.write(s.a, seconds(3), []*woven{two}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), two)))
		}, []string{"x.json=" + base + " edits(" + def("id: 1", "name: 3", "theme: 1") + ")"}},

		{"a deletion that several made is lost to nobody who made the file again on top of one", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			ofA := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.b, seconds(5), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.a, seconds(3), []*woven{ofA}, edit("x.json", def("id: 1", "name: 3", "theme: 1"), ofA)))
		}, []string{"x.json=" + def("id: 1", "name: 3", "theme: 1")}},

		{"two creations merge by field", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", def("id: 1", "name: 2"))))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 2", "theme: 1"))))
		}, []string{"x.json=" + def("id: 1", "name: 2", "theme: 1")}},

		{"a field that two creations give other values is a conflict", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", def("id: 1", "name: 2"))))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1"))))
		}, []string{"x.json=" + def("id: 1", "name: 2") + " edits(" + def("id: 1", "name: 1") + ")"}},

		{"of two creations without structure the later stands whole", func(s *story) {
			s.add(s.write(s.a, seconds(2), []*woven{s.start}, edit("x.json", def("id: 1", "name: 2"))))
			s.add(s.write(s.b, seconds(1), []*woven{s.start}, edit("x.json", "{")))
		}, []string{"x.json=" + def("id: 1", "name: 2") + " edits({)"}},

		{"three creations are folded", func(s *story) {
			s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 2"))))
			s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("x.json", def("id: 1", "theme: 3"))))
			s.add(s.write(s.c, seconds(3), []*woven{s.start}, edit("x.json", def("id: 1", "name: 4"))))
		}, []string{"x.json=" + def("id: 1", "name: 4", "theme: 3") + " edits(" + def("id: 1", "name: 2") + ")"}},

		{"a base that does not parse is none", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "{")))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "theme: 3"), one)))
		}, []string{"x.json=" + def("id: 1", "name: 2", "theme: 3")}},

		{"what stands whole has nothing of the others to merge on", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{s.start}, edit("x.json", "{")))
			s.add(s.write(s.c, seconds(4), []*woven{one}, edit("x.json", def("id: 4", "name: 1", "theme: 1"), one)))
		}, []string{"x.json=" + def("id: 4", "name: 1", "theme: 1") + " edits(" + def("id: 1", "name: 2", "theme: 1") + ") edits({)"}},

		{"a deleted base is none", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			gone := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "", one)))
			s.add(s.write(s.a, seconds(3), []*woven{gone}, edit("x.json", def("name: 3"), gone)))
			s.add(s.write(s.b, seconds(4), []*woven{gone}, edit("x.json", def("name: 1", "theme: 4"), gone)))
		}, []string{"x.json=" + def("name: 1", "theme: 4") + " edits(" + def("name: 3") + ")"}},

		{"a merge stands against a deletion", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 1", "theme: 3"), one)))
			s.add(s.write(s.c, seconds(9), []*woven{one}, edit("x.json", "", one)))
		}, []string{"x.json=" + def("id: 1", "name: 2", "theme: 3") + " deletion()"}},

		{"after criss-cross merges what both sides saw is the base", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), one)))
			b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 1", "theme: 3"), one)))
			// Both merge, then each edits again.
			s.add(s.write(s.a, seconds(4), []*woven{a, b}, edit("x.json", def("id: 4", "name: 2", "theme: 3"), a, b)))
			s.add(s.write(s.b, seconds(5), []*woven{a, b}, edit("x.json", def("id: 1", "name: 2", "theme: 5"), a, b)))
		}, []string{"x.json=" + def("id: 4", "name: 2", "theme: 5")}},

		{"a purged edit is no base, and what others kept of it stays theirs", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", base)))
			bad := s.add(s.write(s.c, seconds(2), []*woven{one}, edit("x.json", def("id: 1", "name: 9", "theme: 1"), one)))
			s.add(s.write(s.a, seconds(3), []*woven{bad}, edit("x.json", def("id: 3", "name: 9", "theme: 1"), bad)))
			s.add(s.write(s.b, seconds(4), []*woven{bad}, edit("x.json", def("id: 1", "name: 9", "theme: 4"), bad)))
			s.add(s.revoke(s.c.id, trust.ModePurge, nil, bad))
		}, []string{"x.json=" + def("id: 3", "name: 9", "theme: 4")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			tt.story(s)
			s.comesTo(t, tt.want...)
		})
	}
}

// resolve is an edit that closes the conflicts of its path so far.
func resolve(name, content string, parents ...*woven) *crdtpb.Edit {
	e := edit(name, content, parents...)
	e.Resolves = true
	return e
}

// resolveAt is an edit that closes the conflict at one pointer which lost to another version.
func resolveAt(name, content, pointer string, lost, stands *woven) *crdtpb.Edit {
	e := edit(name, content, lost, stands)
	e.Resolved = []*crdtpb.ResolvedConflict{{Lost: lost.id[:], Stands: stands.id[:], Pointer: pointer}}
	return e
}

func TestConflictsOfThePast(t *testing.T) {
	// two edits of one field, apart, and one on top of both
	tie := func(s *story) (one, two, on *woven) {
		base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1"))))
		one = s.add(s.write(s.a, seconds(2), []*woven{base}, edit("x.json", def("id: 1", "name: 2"), base)))
		two = s.add(s.write(s.b, seconds(3), []*woven{base}, edit("x.json", def("id: 1", "name: 3"), base)))
		return one, two, s.add(s.write(s.a, seconds(4), []*woven{one, two}, edit("x.json", def("id: 4", "name: 3"), one, two)))
	}
	lost := " edits(" + def("id: 1", "name: 2") + ")"
	tests := []struct {
		name  string
		story func(s *story)
		want  string
	}{
		{"it survives the edits on top", func(s *story) {
			_, _, on := tie(s)
			s.add(s.write(s.c, seconds(5), []*woven{on}, edit("x.json", def("id: 5", "name: 3"), on)))
		}, "x.json=" + def("id: 5", "name: 3") + lost},
		{"it survives a deletion", func(s *story) {
			_, _, on := tie(s)
			s.add(s.write(s.c, seconds(5), []*woven{on}, edit("x.json", "", on)))
		}, "x.json absent" + lost},
		{"a resolution on top of the heads closes it", func(s *story) {
			base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1"))))
			one := s.add(s.write(s.a, seconds(2), []*woven{base}, edit("x.json", def("id: 1", "name: 2"), base)))
			two := s.add(s.write(s.b, seconds(3), []*woven{base}, edit("x.json", def("id: 1", "name: 3"), base)))
			s.add(s.write(s.c, seconds(4), []*woven{one, two}, resolve("x.json", def("id: 1", "name: 2"), one, two)))
		}, "x.json=" + def("id: 1", "name: 2")},
		{"a later resolution closes it", func(s *story) {
			_, _, on := tie(s)
			s.add(s.write(s.c, seconds(5), []*woven{on}, resolve("x.json", def("id: 4", "name: 2"), on)))
		}, "x.json=" + def("id: 4", "name: 2")},
		{"a resolution closes it for an edit that is apart from it", func(s *story) {
			_, _, on := tie(s)
			s.add(s.write(s.c, seconds(5), []*woven{on}, resolve("x.json", def("id: 4", "name: 2"), on)))
			s.add(s.write(s.b, seconds(6), []*woven{on}, edit("x.json", def("id: 6", "name: 3"), on)))
		}, "x.json=" + def("id: 6", "name: 2")},
		{"a resolution closes no later one", func(s *story) {
			_, _, on := tie(s)
			done := s.add(s.write(s.c, seconds(5), []*woven{on}, resolve("x.json", def("id: 4", "name: 2"), on)))
			s.add(s.write(s.a, seconds(6), []*woven{done}, edit("x.json", def("id: 6", "name: 2"), done)))
			s.add(s.write(s.b, seconds(7), []*woven{done}, edit("x.json", def("id: 7", "name: 2"), done)))
		}, "x.json=" + def("id: 7", "name: 2") + " edits(" + def("id: 6", "name: 2") + ")"},
		{"a resolution of one field leaves the other open", func(s *story) {
			base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1", "theme: 1"))))
			one := s.add(s.write(s.a, seconds(2), []*woven{base}, edit("x.json", def("id: 1", "name: 2", "theme: 2"), base)))
			two := s.add(s.write(s.b, seconds(3), []*woven{base}, edit("x.json", def("id: 1", "name: 3", "theme: 3"), base)))
			done := s.add(s.write(s.c, seconds(4), []*woven{one, two}, resolveAt("x.json", def("id: 1", "name: 2", "theme: 3"), "/name", one, two)))
			s.add(s.write(s.a, seconds(5), []*woven{done}, edit("x.json", def("id: 5", "name: 2", "theme: 3"), done)))
		}, "x.json=" + def("id: 5", "name: 2", "theme: 3") + " edits(" + def("id: 1", "name: 2", "theme: 2") + ")"},
		{"resolutions of all fields close it", func(s *story) {
			base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1", "theme: 1"))))
			one := s.add(s.write(s.a, seconds(2), []*woven{base}, edit("x.json", def("id: 1", "name: 2", "theme: 2"), base)))
			two := s.add(s.write(s.b, seconds(3), []*woven{base}, edit("x.json", def("id: 1", "name: 3", "theme: 3"), base)))
			done := s.add(s.write(s.c, seconds(4), []*woven{one, two}, resolveAt("x.json", def("id: 1", "name: 2", "theme: 3"), "/name", one, two)))
			on := resolveAt("x.json", def("id: 1", "name: 2", "theme: 2"), "/theme", one, two)
			on.Parents = edit("x.json", "x", done).Parents
			s.add(s.write(s.a, seconds(5), []*woven{done}, on))
		}, "x.json=" + def("id: 1", "name: 2", "theme: 2")},
		{"a save that returned is listed until it is resolved", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("name: 1"))))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", def("name: 2"), one)))
			back := edit("x.json", def("name: 1"), two)
			back.Returned = true
			three := s.add(s.write(s.a, seconds(3), []*woven{two}, back))
			s.add(s.write(s.c, seconds(4), []*woven{three}, edit("x.json", def("name: 1", "id: 4"), three)))
		}, "x.json=" + def("name: 1", "id: 4") + " reverted(" + def("name: 2") + ")"},
		{"a resolution closes a save that returned", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("name: 1"))))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", def("name: 2"), one)))
			back := edit("x.json", def("name: 1"), two)
			back.Returned = true
			three := s.add(s.write(s.a, seconds(3), []*woven{two}, back))
			s.add(s.write(s.c, seconds(4), []*woven{three}, resolve("x.json", def("name: 2"), three)))
		}, "x.json=" + def("name: 2")},
		{"a resolution of the file alone closes it too", func(s *story) {
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("name: 1"))))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", def("name: 2"), one)))
			back := edit("x.json", def("name: 1"), two)
			back.Returned = true
			three := s.add(s.write(s.a, seconds(3), []*woven{two}, back))
			done := resolveAt("x.json", def("name: 2"), "", two, three)
			done.Parents = edit("x.json", "x", three).Parents
			s.add(s.write(s.c, seconds(4), []*woven{three}, done))
		}, "x.json=" + def("name: 2")},
		{"two who merge the same list it once", func(s *story) {
			one, two, _ := tie(s)
			s.add(s.write(s.b, seconds(5), []*woven{one, two}, edit("x.json", def("id: 4", "name: 3"), one, two)))
		}, "x.json=" + def("id: 4", "name: 3") + lost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			tt.story(s)
			s.comesTo(t, tt.want)
		})
	}
}

func TestMergedViewOfManyHeads(t *testing.T) {
	s := newStory(t)
	fields := func(changed int) []string {
		out := []string{"id: 1"}
		for i := range 20 {
			out = append(out, fmt.Sprintf("f%d: %d", i, map[bool]int{true: 1}[i == changed]))
		}
		return out
	}
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def(fields(-1)...))))
	for i := range 20 {
		w := s.writer()
		granted := s.add(s.grant(w.id, trust.RoleWriter, nil, one))
		s.add(s.write(w, seconds(uint64(i+2)), []*woven{granted}, edit("x.json", def(fields(i)...), one)))
	}
	r := tell(t, s.weaver.c, s.blocks)
	view := r.View(path(t, "x.json"))
	if got, want := len(view.Conflicts), 4; got != want {
		t.Errorf("%d conflicts, want %d: the latest 16 heads merge", got, want)
	}
	got := content(t, r, "x.json")
	for i := range 20 {
		if has, want := strings.Contains(got, fmt.Sprintf("\"f%d\": 1", i)), i >= 4; has != want {
			t.Errorf("edit %d stands: %t, want %t", i, has, want)
		}
	}
}

func TestMergeIsWithheldUnderUnknownRules(t *testing.T) {
	c := newCluster(t)
	r := c.open(t, t.TempDir(), newKey(t))
	defer closeReplica(t, r)
	s := &story{weaver: &weaver{t: t, c: c}}
	s.a, s.b = s.writer(), s.writer()
	ga := s.add(s.grant(s.a.id, trust.RoleWriter, nil))
	gb := s.add(s.grant(s.b.id, trust.RoleWriter, nil, ga))
	one := s.add(s.write(s.a, seconds(1), []*woven{gb}, edit("x.json", def("id: 1", "name: 1")), edit("y.json", "1")))
	s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", def("id: 2", "name: 1"), one)))
	s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", def("id: 1", "name: 3"), one)))
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, r, "x.json"), def("id: 2", "name: 3"); got != want {
		t.Errorf("merged is %s, want %s", got, want)
	}
	r.TakeDirty()
	if err := r.SetRules(t.Context(), c.authority, 2); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.TakeDirty()); got != "[x.json]" {
		t.Errorf("dirty are %s, want the merged file", got)
	}
	if v := r.View(path(t, "x.json")); v.Withheld == "" {
		t.Error("a file merged by unknown rules is not withheld")
	}
	if got := content(t, r, "y.json"); got != "1" {
		t.Errorf("a file of one head is %q, want 1", got)
	}
}

// BenchmarkMergedView is the view of a path with 1,000 versions and two heads.
func BenchmarkMergedView(b *testing.B) {
	s := newStory(b)
	last := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1", "theme: 1"))))
	for i := range 1000 {
		last = s.add(s.write(s.a, seconds(uint64(i+2)), []*woven{last}, edit("x.json", def(fmt.Sprintf("id: %d", i), "name: 1", "theme: 1"), last)))
	}
	s.add(s.write(s.a, seconds(2000), []*woven{last}, edit("x.json", def("id: 1", "name: 2", "theme: 1"), last)))
	s.add(s.write(s.b, seconds(3000), []*woven{last}, edit("x.json", def("id: 1", "name: 1", "theme: 3"), last)))
	r := tell(b, s.weaver.c, s.blocks)
	for b.Loop() {
		if _, _, err := r.Read(b.Context(), path(b, "x.json")); err != nil { // merges each time
			b.Fatal(err)
		}
	}
}

// crissCross tells of four writers who, round by round, each edit a field of their
// own on top of what two of them wrote in the round before.
func crissCross(t testing.TB, rounds int) *story {
	const writers = 4
	s := newStory(t)
	all := []*writer{s.a, s.b, s.c, s.writer()}
	s.start = s.add(s.grant(all[3].id, trust.RoleWriter, nil, s.start))
	type fields [writers]int
	text := func(f fields) string {
		out := []string{"id: 1"}
		for i, n := range f {
			out = append(out, fmt.Sprintf("f%d: %d", i, n))
		}
		return def(out...)
	}
	base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", text(fields{}))))
	var heads [writers]*woven
	var state [writers]fields
	for i := range heads {
		heads[i] = base
	}
	for round := 1; round <= rounds; round++ {
		before, was := heads, state
		for i, w := range all {
			j := (i + round) % writers
			for k := range state[i] {
				state[i][k] = max(was[i][k], was[j][k])
			}
			state[i][i] = round
			parents := []*woven{before[i]}
			if before[j] != before[i] {
				parents = append(parents, before[j])
			}
			heads[i] = s.add(s.write(w, seconds(uint64(round*10+i)), parents, edit("x.json", text(state[i]), parents...)))
		}
	}
	return s
}

func TestCrissCrossMerges(t *testing.T) {
	s := crissCross(t, 16)
	s.comesTo(t, "x.json="+def("id: 1", "f0: 16", "f1: 16", "f2: 16", "f3: 16"))
}

// BenchmarkCrissCross is the view after 16 rounds of criss-cross edits by 4 nodes,
// merged anew each time.
func BenchmarkCrissCross(b *testing.B) {
	s := crissCross(b, 16)
	r := tell(b, s.weaver.c, s.blocks)
	for b.Loop() {
		if _, _, err := r.Read(b.Context(), path(b, "x.json")); err != nil {
			b.Fatal(err)
		}
	}
}

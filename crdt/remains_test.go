package crdt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/starling-sync/starling/trust"
)

// TestRemains: what a member wrote and others kept is found before it is purged, and stands after.
func TestRemains(t *testing.T) {
	s := newStory(t)
	base := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", def("id: 1", "name: 1", "theme: 1")), edit("z.json", "1")))
	bad := s.add(s.write(s.b, seconds(2), []*woven{base}, edit("own.json", def("id: 5")), edit("x.json", def("id: 1", "name: 2", "theme: 2"), base), edit("y.json", def("id: 2", "name: 2"))))
	kept := s.add(s.write(s.a, seconds(3), []*woven{bad}, edit("x.json", def("id: 1", "name: 2", "theme: 3"), bad), edit("y.json", def("id: 2", "name: 2", "theme: 3"), bad)))
	// The member is the only head of y.json, and wrote more: what stood before has its name too.
	last := s.add(s.write(s.b, seconds(4), []*woven{kept}, edit("y.json", def("id: 2", "name: 4", "theme: 3"), kept)))
	// Written again by another apart from the member it is that one's.
	s.add(s.write(s.c, seconds(5), []*woven{last}, edit("own.json", "", bad), edit("z.json", "2", base)))
	r := tell(t, s.weaver.c, s.blocks)
	show := func(most int) []string {
		t.Helper()
		fields, err := r.Remains(t.Context(), s.b.id, most)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range fields {
			if f.Version.Change != bad.id || f.Kept.Change != kept.id {
				t.Errorf("%s %s is of %s and kept by %s", f.Kept.Path, f.Pointer, f.Version, f.Kept)
			}
			out = append(out, fmt.Sprintf("%s %s %s", f.Kept.Path, f.Pointer, f.Text))
		}
		return out
	}
	want := []string{"x.json /name 2", "y.json /id 2", "y.json /name 2"}
	if got := show(100); !slices.Equal(got, want) {
		t.Errorf("remaining are %q, want %q", got, want)
	}
	if got := show(2); !slices.Equal(got, want[:2]) {
		t.Errorf("the first two are %q, want %q", got, want[:2])
	}
	if fields, err := r.Remains(t.Context(), s.c.id, 100); err != nil || len(fields) != 0 {
		t.Errorf("of another: got %v, %v, want nothing", fields, err)
	}
	s.add(s.revoke(s.b.id, trust.ModePurge, nil, s.blocks[len(s.blocks)-1]))
	s.comesTo(t, "own.json absent", "x.json="+def("id: 1", "name: 2", "theme: 3"), "y.json="+def("id: 2", "name: 2", "theme: 3"), "z.json=2")
}

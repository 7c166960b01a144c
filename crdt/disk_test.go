package crdt_test

import (
	"errors"
	"testing"

	"github.com/starling-sync/starling/definition"
)

// TestAPastConflictOutlivesAFailingDisk: while the versions of a merge cannot be read
// its sides are listed as lost, and what was merged by field is known again later.
func TestAPastConflictOutlivesAFailingDisk(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", `{"a": 1, "b": 1}`)))
	two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", `{"a": 2, "b": 1}`, one)))
	three := s.add(s.write(s.c, seconds(3), []*woven{one}, edit("x.json", `{"a": 1, "b": 3}`, one)))
	s.add(s.write(s.a, seconds(4), []*woven{two, three}, edit("x.json", `{"a": 2, "b": 3}`, two, three)))
	r := tell(t, s.weaver.c, s.blocks)
	p := path(t, "x.json")
	mend := r.FailReads(errors.New("the disk fails"))
	got := r.View(p).Conflicts
	if len(got) != 1 || got[0].Lost != two.version(p) || got[0].Stands != three.version(p) {
		t.Errorf("while the disk fails the conflicts are %v, want the earlier side lost", got)
	}
	mend()
	if got := r.View(p).Conflicts; len(got) > 0 {
		t.Errorf("after it the conflicts are %v, want none: each side changed another field", got)
	}
}

// TestAChangeIsTheCallersOwn: what a caller does to a change that it read is not what the
// next one reads.
func TestAChangeIsTheCallersOwn(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	two := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", "2", one)))
	r := tell(t, s.weaver.c, s.blocks)
	for range 2 {
		c, err := r.Change(t.Context(), two.id)
		if err != nil {
			t.Fatal(err)
		}
		e := c.Edits[0]
		if string(e.Content) != "2" || e.Parents[0] != one.version(path(t, "x.json")) {
			t.Fatalf("the edit is %q on %v, want 2 on the change before", e.Content, e.Parents)
		}
		e.Content[0], e.Parents[0], c.Edits[0].Path = 'x', definition.Version{}, definition.Path{}
	}
}

package crdt_test

import (
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

// TestOrigin: history says of an edit what it went back to, and that its node had more than it
// was made on.
func TestOrigin(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("x.json", "2", one)))
	apart := s.add(s.write(s.c, seconds(3), []*woven{one}, edit("x.json", "3", one)))
	stale := s.add(s.write(s.a, seconds(4), []*woven{two}, edit("x.json", "4", one)))
	both := s.add(s.write(s.b, seconds(5), []*woven{stale, apart}, edit("x.json", "5", two, apart, stale)))
	back := edit("x.json", "2", both)
	back.Returned = true
	returned := s.add(s.write(s.a, seconds(6), []*woven{both}, back))
	again := edit("x.json", "2", returned)
	again.Returned = true
	twice := s.add(s.write(s.a, seconds(7), []*woven{returned}, again))
	strange := edit("x.json", "9", twice)
	strange.Returned = true
	nowhere := s.add(s.write(s.a, seconds(8), []*woven{twice}, strange))
	half := s.add(s.write(s.c, seconds(9), []*woven{nowhere}, edit("x.json", "2", apart, two)))
	r := tell(t, s.weaver.c, s.blocks)
	p := path(t, "x.json")
	for _, tt := range []struct {
		name string
		of   *woven
		want crdt.Origin
	}{
		{"the first version", one, crdt.Origin{}},
		{"an edit on top", two, crdt.Origin{}},
		{"an edit that was apart", apart, crdt.Origin{}},
		{"an edit of what was read earlier", stale, crdt.Origin{Older: one.id}},
		{"an edit on a merge", both, crdt.Origin{}},
		{"a save that returned", returned, crdt.Origin{BackTo: two.id}},
		{"a save that returned again, to the nearest", twice, crdt.Origin{BackTo: returned.id}},
		{"a save that returned to nothing in its history", nowhere, crdt.Origin{}},
		{"an edit of an older merge, with bytes that were there", half, crdt.Origin{Older: apart.id}},
	} {
		if got := r.Origin(tt.of.version(p)); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if got := r.Origin(definition.Version{Change: one.id, Path: path(t, "y.json")}); got != (crdt.Origin{}) {
		t.Errorf("no such version: got %+v", got)
	}
}

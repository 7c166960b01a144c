package crdt_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

func ids(r *crdt.Replica, p definition.Path, after definition.ChangeID) []definition.ChangeID {
	var out []definition.ChangeID
	for e := range r.History(p, after) {
		out = append(out, e.ID)
	}
	return out
}

func TestHistoryBeginsBehindAnyChange(t *testing.T) {
	const n = 700 // more than are looked up at a time
	s := history(t, n, 10)
	r := tell(t, s.weaver.c, s.blocks)
	for _, p := range []definition.Path{{}, path(t, "s-00003.json")} {
		all := ids(r, p, definition.ChangeID{})
		if want := n; p.IsZero() && len(all) != want {
			t.Fatalf("there are %d changes in history, want %d", len(all), want)
		}
		for i, id := range all {
			if got, want := ids(r, p, id), all[i+1:]; !slices.Equal(got, want) {
				t.Fatalf("behind change %d of %q are %d changes, want %d", i, p, len(got), len(want))
			}
		}
	}
	if got := ids(r, definition.Path{}, s.blocks[0].id); len(got) > 0 {
		t.Errorf("behind a grant are %d changes, want none", len(got))
	}
}

func TestHistoryIsAsOldChangesArrive(t *testing.T) {
	s := newStory(t)
	var late []*woven
	for i := range 5 { // by a clock that is slow
		late = append(late, s.write(s.b, seconds(1), append(late[max(0, i-1):i:i], s.start), edit("b.json", fmt.Sprint(i), late[max(0, i-1):i]...)))
	}
	for i := range 5 {
		s.start = s.add(s.write(s.a, seconds(uint64(10+i)), []*woven{s.start}, edit("a.json", fmt.Sprint(i))))
	}
	r := tell(t, s.weaver.c, s.blocks)
	before := ids(r, definition.Path{}, definition.ChangeID{})
	if _, err := r.Admit(t.Context(), raws(late...)...); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(before)
	for _, b := range slices.Backward(late) {
		want = append(want, b.id)
	}
	if got := ids(r, definition.Path{}, definition.ChangeID{}); !slices.Equal(got, want) {
		t.Errorf("history is %v, want what came late last: %v", got, want)
	}
}

func TestResolve(t *testing.T) {
	s := history(t, 300, 10)
	r := tell(t, s.weaver.c, s.blocks)
	all := ids(r, definition.Path{}, definition.ChangeID{})
	for _, id := range all {
		for _, n := range []int{12, 51, 52} {
			if got, err := r.Resolve(id.String()[:n]); err != nil || got != id {
				t.Fatalf("the first %d characters of %s name %s (%v)", n, id, got, err)
			}
		}
	}
	grant := s.blocks[0].id.String()
	for _, prefix := range []string{"", all[0].String()[:1], grant, "UPPER", "a b", "1189", all[0].String() + "a"} {
		if got, err := r.Resolve(prefix); !errors.Is(err, crdt.ErrNotFound) {
			t.Errorf("%q names %s (%v), want an error that wraps ErrNotFound", prefix, got, err)
		}
	}
}

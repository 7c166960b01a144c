package crdt_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// TestAStoreThatIsBehindSignsNothing: a replica that lacks what it held before signs neither changes nor
// statements, until it has got that again, or it is said that nobody has it.
func TestAStoreThatIsBehindSignsNothing(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprintf("given back: %t", back), func(t *testing.T) {
			s := newStory(t)
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
			two := s.add(s.write(s.b, seconds(2), []*woven{one}, edit("y.json", "2")))
			whole := tell(t, s.weaver.c, s.blocks)
			if got := whole.Known(); len(got) != 1 || got[0] != two.cid {
				t.Fatalf("the whole store is known by %v, want %v", got, two.cid)
			}
			r, err := crdt.Open(t.Context(), crdt.Options{Dir: t.TempDir(), Cluster: s.weaver.c.id, Key: s.a.key, Known: whole.Known()})
			if err != nil {
				t.Fatal(err)
			}
			defer closeReplica(t, r)
			if _, err := r.Admit(t.Context(), raws(s.blocks[:len(s.blocks)-1]...)...); err != nil {
				t.Fatal(err)
			}
			draft := definition.Draft{Edits: []definition.Edit{{Path: path(t, "z.json"), Content: []byte("3")}}}
			sign := func() []error {
				_, appended := r.Append(t.Context(), draft, nil)
				revoked := r.Revoke(t.Context(), s.weaver.c.authority, trust.Revocation{Member: s.c.id, Mode: trust.ModePurge})
				return []error{appended, revoked}
			}
			for _, err := range sign() {
				if !errors.Is(err, crdt.ErrBehind) {
					t.Errorf("an old copy signed: got %v, want ErrBehind", err)
				}
			}
			if got := r.Lacking(); got != 1 {
				t.Errorf("it lacks %d, want 1", got)
			}
			if back {
				if _, err := r.Admit(t.Context(), two.raw); err != nil {
					t.Fatal(err)
				}
			} else {
				r.GiveUp()
			}
			for _, err := range sign() {
				if err != nil {
					t.Errorf("it signs nothing after that: %v", err)
				}
			}
		})
	}
}

// TestKnownLeavesOutTheRevoked: nobody tells of what a revoked author made last, so nobody is to wait for it.
func TestKnownLeavesOutTheRevoked(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	s.add(s.write(s.b, seconds(2), []*woven{s.start}, edit("y.json", "2")))
	cut := s.add(s.revoke(s.b.id, trust.ModePurge, nil, one))
	if got := tell(t, s.weaver.c, s.blocks).Known(); len(got) != 1 || got[0] != cut.cid {
		t.Errorf("known by %v, want %v", got, cut.cid)
	}
}

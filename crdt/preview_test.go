package crdt_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// TestPreviewOfARevocation: of random sets, with forks and earlier revocations, each revocation does
// what was said before, and saying it leaves the views as they were.
func TestPreviewOfARevocation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		c := drawCast(rt, cluster)
		r := admitted(t, rt, cluster, c.blocks)
		defer closeReplica(t, r)

		v := trust.Revocation{
			Member: c.writers[rapid.IntRange(0, len(c.writers)-1).Draw(rt, "member")].id,
			Mode:   rapid.SampledFrom([]trust.RevocationMode{trust.ModeKeep, trust.ModePurge}).Draw(rt, "how"),
		}
		var own []definition.ChangeID
		for e := range r.History(definition.Path{}, definition.ChangeID{}) {
			if change, err := r.Change(t.Context(), e.ID); err != nil {
				rt.Fatal(err)
			} else if change.Author == v.Member {
				own = append(own, e.ID)
			}
		}
		if len(own) > 0 && v.Mode == trust.ModeKeep {
			v.LastChange = rapid.SampledFrom(own).Draw(rt, "last")
		}
		before := r.Views()
		said, err := r.PreviewRevocation(t.Context(), v)
		if err != nil {
			rt.Fatal(err)
		}
		if got, want := fmt.Sprint(r.Views()), fmt.Sprint(before); got != want {
			rt.Fatalf("after the preview the views are\n%s, want\n%s", got, want)
		}
		if err := r.Revoke(t.Context(), cluster.authority, v); err != nil {
			rt.Fatal(err)
		}
		after := r.Views()
		var gone []definition.Path
		for i, was := range before {
			is := after[i]
			changed := was.Present != is.Present || was.Hash != is.Hash || losesHead(r, was, v)
			if got := slices.Contains(said.Paths, was.Path); got != changed {
				rt.Fatalf("%s was named: %t, want %t; it was %+v and is %+v", was.Path, got, changed, was, is)
			}
			if was.Present && !is.Present {
				gone = append(gone, was.Path)
			}
		}
		if !slices.Equal(said.Gone, gone) {
			rt.Fatalf("%v were said to go, want %v", said.Gone, gone)
		}
	})
}

// losesHead reports whether a head of a view, as it was before, is the revoked member's and counts no more.
func losesHead(r *crdt.Replica, was definition.View, v trust.Revocation) bool {
	return slices.ContainsFunc(was.Heads, func(h definition.Version) bool {
		c, err := r.Change(context.Background(), h.Change)
		return err == nil && c.Author == v.Member && !c.Counts
	})
}

func TestPreviewOfARevocationAtNoChangeOfTheMember(t *testing.T) {
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", "1")))
	r := tell(t, s.weaver.c, s.blocks)
	if _, err := r.PreviewRevocation(t.Context(), trust.Revocation{Member: s.b.id, Mode: trust.ModeKeep, LastChange: one.id}); !errors.Is(err, crdt.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

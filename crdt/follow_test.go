package crdt_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
)

func follow(t testing.TB, r *crdt.Replica, since definition.ChangeID) *crdt.Follower {
	t.Helper()
	f, err := r.Follow(since)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rest reads what a follower has without waiting.
func rest(t fataler, f *crdt.Follower) []definition.ChangeID {
	t.Helper()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var ids []definition.ChangeID
	for {
		c, err := f.Next(ended)
		if errors.Is(err, context.Canceled) {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
}

func TestFollow(t *testing.T) {
	r, _ := newCluster(t).found(t)
	one := put(t, r, "a.json", "1")
	f := follow(t, r, definition.ChangeID{})
	if got := rest(t, f); len(got) != 0 {
		t.Errorf("what was there before is read: got %v, want nothing", got)
	}
	two, three := put(t, r, "a.json", "2"), put(t, r, "b.json", "3")
	if got, want := rest(t, f), []definition.ChangeID{two.Change, three.Change}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := rest(t, follow(t, r, one.Change)), []definition.ChangeID{two.Change, three.Change}; !slices.Equal(got, want) {
		t.Errorf("since the first: got %v, want %v", got, want)
	}
	if _, err := r.Follow(definition.ChangeID{1}); !errors.Is(err, crdt.ErrNotFound) {
		t.Errorf("since an unknown change: got %v, want ErrNotFound", err)
	}

	next := make(chan crdt.Change, 1)
	go func() {
		c, err := f.Next(t.Context())
		if err != nil {
			t.Error(err)
		}
		next <- c
	}()
	four := put(t, r, "a.json", "4")
	select {
	case got := <-next:
		if got.ID != four.Change || got.Author == "" || got.Seq != 4 || string(got.Edits[0].Content) != "4" {
			t.Errorf("got %+v, want change %v", got, four.Change)
		}
	case <-time.After(20 * time.Second):
		t.Error("who waits is not told of a change")
	}
}

// TestFollowFromAnywhere: whoever goes on after a change that it has read gets all
// that it may not have read, each once and ancestors first: also after a restart and
// on another node, where changes were admitted in other orders.
func TestFollowFromAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		c := drawCast(rt, cluster)
		changes := make(map[definition.ChangeID]*woven)
		ids := make(map[cid.Cid]definition.ChangeID)
		for _, b := range c.blocks {
			ids[b.cid] = b.id
			if c.edits[b.cid] != nil {
				changes[b.id] = b
			}
		}
		if len(changes) == 0 {
			return
		}
		seed := rapid.Uint64().Draw(rt, "order")
		blocks := shuffled(c.blocks, rand.New(rand.NewPCG(seed, 0)))
		dir, key := t.TempDir(), newKey(t)
		r := cluster.open(t, dir, key)
		live := follow(t, r, definition.ChangeID{})
		if _, err := r.Admit(t.Context(), raws(blocks...)...); err != nil {
			rt.Fatal(err)
		}
		order := rest(rt, live)
		if got, want := len(order), len(changes); got != want {
			rt.Fatalf("%d changes were read as they came, want %d", got, want)
		}
		switch rapid.SampledFrom([]string{"the same", "restarted", "another node"}).Draw(rt, "goes on at") {
		case "restarted":
			closeReplica(t, r)
			r = cluster.open(t, dir, key)
		case "another node":
			closeReplica(t, r)
			r = admitted(t, rt, cluster, shuffled(c.blocks, rand.New(rand.NewPCG(seed, 1))))
		}
		defer closeReplica(t, r)

		read := rapid.IntRange(1, len(order)).Draw(rt, "read")
		have := order[:read]
		again := rest(rt, follow(t, r, have[read-1]))
		missed := make(map[definition.ChangeID]bool)
		for _, id := range order[read:] {
			missed[id] = true
		}
		known := c.ancestry(changes[have[read-1]])
		seen := make(map[definition.ChangeID]bool)
		for _, id := range again {
			b := changes[id]
			switch {
			case known[b.cid]:
				rt.Fatalf("change %s is read again, though %s was made on it", id.Short(), have[read-1].Short())
			case seen[id]:
				rt.Fatalf("change %s is read twice", id.Short())
			}
			for a := range c.ancestry(b) {
				if id := ids[a]; a != b.cid && changes[id] != nil && !known[a] && !seen[id] {
					rt.Fatalf("change %s is read before its ancestor %s", b.id.Short(), id.Short())
				}
			}
			seen[id] = true
			delete(missed, id)
		}
		if len(missed) > 0 {
			rt.Fatalf("after %d of %d changes, these are never read: %v", read, len(order), missed)
		}
	})
}

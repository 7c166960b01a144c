package crdt_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/starling-sync/starling/trust"
)

// TestAncestryOfManyForks: a writer that never names its change before makes a lane
// of its own with each; ancestry is still what a walk through the graph finds, on
// nodes that heard of the changes in other orders too.
func TestAncestryOfManyForks(t *testing.T) {
	const n = 1000
	rng := rand.New(rand.NewPCG(1, 2))
	s := &story{weaver: &weaver{t: t, c: newCluster(t)}}
	by := s.writer()
	all := []*woven{s.add(s.grant(by.id, trust.RoleWriter, nil))}
	above := map[cid.Cid]map[cid.Cid]bool{all[0].cid: {all[0].cid: true}}
	for i := range n {
		by.seq, by.last = 0, nil
		if i%10 == 9 { // goes on in the lane of another
			by.seq, by.last = 1, all[i]
		}
		after := []*woven{all[rng.IntN(len(all))], all[rng.IntN(len(all))], all[rng.IntN(len(all))]}
		if by.last != nil {
			after = append(after, by.last)
		}
		b := s.add(s.write(by, seconds(1), after, edit(fmt.Sprintf("%d.json", i), "x")))
		above[b.cid] = map[cid.Cid]bool{b.cid: true}
		for _, a := range after {
			for c := range above[a.cid] {
				above[b.cid][c] = true
			}
		}
		all = append(all, b)
	}
	for _, order := range [][]*woven{s.blocks, shuffled(s.blocks, rng)} {
		r := tell(t, s.weaver.c, order)
		for _, b := range all {
			for _, a := range all {
				if got, want := r.Descends(b.cid, a.cid), above[b.cid][a.cid]; got != want {
					t.Fatalf("that %s descends from %s is %t, want %t", b.cid, a.cid, got, want)
				}
			}
		}
	}
}

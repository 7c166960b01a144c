package crdt_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// trapTests put the honest writer into a set that is valid and as awkward as a member
// can make it. own is the honest writer's key in the hands of a thief.
var trapTests = []struct {
	name string
	trap func(a *attack, own *writer) []*woven
}{
	{"more heads than a change links to", func(a *attack, _ *writer) (blocks []*woven) {
		for i := range trust.MaxAfter + 40 {
			name := "x.json" // of more versions than an edit has parents
			if i%27 == 0 {
				name = fmt.Sprintf("p-%04d.json", i)
			}
			w := *a.by
			blocks = append(blocks, a.write(&w, seconds(1), []*woven{a.granted}, edit(name, fmt.Sprint(i))))
		}
		return blocks
	}},
	{"clocks at their end", func(a *attack, _ *writer) []*woven {
		one := a.write(a.by, math.MaxUint64, []*woven{a.granted}, edit("x.json", "1"))
		return []*woven{one, a.write(a.by, 0, []*woven{one}, edit("x.json", "2", one))}
	}},
	{"an element of a later version", func(a *attack, _ *writer) []*woven { return []*woven{a.later(a.by.key)} }},
	{"a file of a revoked author", func(a *attack, _ *writer) []*woven {
		one := a.write(a.by, seconds(1), []*woven{a.granted}, edit("x.json", "1"))
		two := a.write(a.by, seconds(2), []*woven{one}, edit("x.json", "2", one), edit("y.json", "2"))
		return []*woven{one, two, a.revoke(a.by.id, trust.ModeKeep, one, two)}
	}},
	{"the honest writer's key forked", func(a *attack, own *writer) []*woven {
		fork := *own
		one := a.write(own, seconds(1), []*woven{a.granted}, edit("x.json", "1"))
		two := a.write(own, seconds(2), []*woven{one}, edit("x.json", "2", one))
		return []*woven{one, two, a.write(&fork, seconds(3), []*woven{a.granted}, edit("x.json", "fork"))}
	}},
	{"paths at their limits", func(a *attack, _ *writer) []*woven {
		long := strings.Repeat("a/", 509) + "x.json" // 1,024 bytes
		return []*woven{a.write(a.by, seconds(1), []*woven{a.granted},
			edit("X.json", "twin"), edit(long, "1"), edit(strings.Repeat("b", 250)+".json", "1"), edit("dir", "file"), edit("dir/x.json", "below"))}
	}},
	{"contents at their limit", func(a *attack, _ *writer) (blocks []*woven) {
		for i := range 5 {
			blocks = append(blocks, a.write(a.by, seconds(1), []*woven{a.tip()[0]}, edit(fmt.Sprintf("%d.json", i), strings.Repeat("x", definition.MaxSize))))
		}
		return blocks
	}},
}

// TestAnHonestWriterIsNeverLedAstray: whatever a member makes the set hold, what an
// honest writer then writes on top of all files is taken by everybody else.
func TestAnHonestWriterIsNeverLedAstray(t *testing.T) {
	t.Parallel()
	for _, tt := range trapTests {
		t.Run(tt.name, func(t *testing.T) {
			ar := newArena(t)
			h, a := ar.attack(t)
			blocks := tt.trap(a, &writer{key: ar.key, id: idOf(t, ar.key)})
			if _, err := ar.victim.Admit(t.Context(), raws(blocks...)...); err != nil {
				t.Fatalf("the trap is no trap: %v", err)
			}
			edits := writeOnAll(t, ar.victim)
			if err := h.host.Close(); err != nil {
				t.Error(err)
			}
			ar.settle(t)
			for _, r := range []*crdt.Replica{ar.victim, ar.honest} {
				if got := r.Stats().Refused; len(got) > 0 {
					t.Errorf("blocks were refused: %v", got)
				}
			}
			t.Logf("%d edits on top of %d blocks, none refused", edits, len(blocks))
		})
	}
}

// writeOnAll edits, moves and deletes every file that the replica knows, and adopts
// one, as a mirror would. It returns how many edits that were.
func writeOnAll(t testing.TB, r *crdt.Replica) (edits int) {
	t.Helper()
	for _, change := range []func(definition.View) []definition.Edit{
		func(v definition.View) []definition.Edit {
			return []definition.Edit{{Path: v.Path, Parents: v.Heads, Content: []byte(strings.Repeat("y", definition.MaxSize))}}
		},
		func(v definition.View) []definition.Edit {
			to, err := definition.ParsePath("moved/" + definition.HashOf([]byte(v.Path.String())).String()[:16] + ".json")
			if err != nil {
				t.Fatal(err)
			}
			return []definition.Edit{
				{Path: v.Path, Parents: v.Heads, Deleted: true},
				{Path: to, Parents: v.Heads, MovedFrom: v.Path, Content: []byte("moved")},
			}
		},
		func(v definition.View) []definition.Edit {
			return []definition.Edit{{Path: v.Path, Content: []byte("adopted"), Adopted: true}}
		},
	} {
		draft := definition.Draft{Note: "on all"}
		own := path(t, fmt.Sprintf("own/%d.json", edits))
		draft.Edits = append(draft.Edits, definition.Edit{Path: own, Content: []byte("own")})
		for i, p := range r.Paths() {
			if i < 20 { // each may be large
				draft.Edits = append(draft.Edits, change(r.View(p))...)
			}
		}
		if _, err := r.Append(t.Context(), draft, nil); err != nil {
			t.Fatal(err)
		}
		edits += len(draft.Edits)
	}
	return edits
}

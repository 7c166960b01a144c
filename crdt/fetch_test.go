package crdt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// TestWhatAStandingMemberBuiltOnIsFetched: however much a revoked one had written
// below it.
func TestWhatAStandingMemberBuiltOnIsFetched(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		n, content int
	}{
		{"many changes", 5000, 1},
		{"large changes", 50, definition.MaxSize},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ar := newArena(t)
			h, a := ar.attack(t)
			gone := a.revoke(a.other.id, trust.ModePurge, nil, a.granted)
			h.offer(gone)
			eventually(t, func() error { return holds(ar.victim, gone) })
			var blocks []*woven
			last := a.granted
			for i := range tt.n {
				last = a.write(a.other, seconds(1), []*woven{last}, edit(fmt.Sprintf("r-%d.json", i), strings.Repeat("x", tt.content)))
				blocks = append(blocks, last)
			}
			tip := a.write(a.by, seconds(2), []*woven{last}, edit("r-7.json", "standing", blocks[7]))
			h.offer(append(blocks, tip)...)
			eventually(t, func() error { return holds(ar.victim, tip) })
			if got := content(t, ar.victim, "r-7.json"); got != "standing" {
				t.Errorf("content is %q, want standing", got)
			}
			ar.settle(t)
		})
	}
}

func TestChangesOfARevokedAuthorAreNotFetched(t *testing.T) {
	ar := newArena(t)
	h, a := ar.attack(t)
	gone := a.revoke(a.other.id, trust.ModePurge, nil, a.granted)
	h.offer(gone)
	eventually(t, func() error { return holds(ar.victim, gone) })
	after := a.write(a.other, seconds(1), []*woven{a.granted}, edit("x.json", "x"))
	h.offer(after)
	v := put(t, ar.honest, "good.json", "1")
	eventually(t, func() error {
		if !ar.victim.Has(v.Change) {
			return fmt.Errorf("the good change is not there")
		}
		return h.asked(2)
	})
	if ar.victim.Has(after.id) {
		t.Error("a revoked author's change was admitted")
	}
}

// asked reports whether the hostile peer was asked for blocks so often.
func (h *hostile) asked(n int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fetches < n {
		return fmt.Errorf("the hostile peer was asked %d times, want %d", h.fetches, n)
	}
	return nil
}

// TestADrippingPeerDelaysNobody: a peer that claims to be sending what an honest
// one has too, and sends something else for ever, does not keep the node from
// asking the honest one.
func TestADrippingPeerDelaysNobody(t *testing.T) {
	t.Parallel()
	ar := newArena(t)
	h, a := ar.attack(t)
	ar.settle(t)
	if err := ar.at.Network().ClosePeer(ar.peer.ID()); err != nil {
		t.Fatal(err)
	}
	v := put(t, ar.honest, "good.json", "1")
	good := ar.honest.Heads()

	// Good blocks of its own, one each half second, instead of those heads.
	h.host.SetStreamHandler(fetchProtocol, func(s network.Stream) {
		defer func() { _ = s.Reset() }()
		h.drip(s, func() *woven {
			return a.write(a.by, seconds(1), a.tip(), edit("x.json", fmt.Sprint(a.by.seq)))
		})
	})
	msg := &crdtpb.Hello{}
	for _, c := range good {
		msg.Heads = append(msg.Heads, c.Bytes())
	}
	h.hello(msg)
	eventually(t, func() error {
		if ar.victim.Stats().Changes < 2 {
			return fmt.Errorf("the hostile peer was not asked")
		}
		return nil
	})
	start := time.Now()
	connect(t, ar.at, ar.peer)
	eventually(t, func() error {
		if !ar.victim.Has(v.Change) {
			return fmt.Errorf("the good change is not there after %v", time.Since(start))
		}
		return nil
	})
	t.Logf("the good change took %v", time.Since(start))
}

// tip is the writer's last change, or its grant.
func (a *attack) tip() []*woven {
	if a.by.last != nil {
		return []*woven{a.by.last}
	}
	return []*woven{a.granted}
}

// TestANodeThatIsBehindSignsNothing: one that was restored from an old copy waits
// for its own last changes, also if its key forked before.
func TestANodeThatIsBehindSignsNothing(t *testing.T) {
	ar := newArena(t)
	own := &writer{key: ar.key, id: idOf(t, ar.key)}
	one := ar.write(own, seconds(1), []*woven{ar.base}, edit("x.json", "1"))
	clone := *own
	two := ar.write(own, seconds(2), []*woven{one}, edit("x.json", "2", one))
	fork := ar.write(&clone, seconds(2), []*woven{one}, edit("y.json", "2"))
	three := ar.write(own, seconds(3), []*woven{two}, edit("x.json", "3", two))
	if _, err := ar.victim.Admit(t.Context(), raws(one, two, fork)...); err != nil {
		t.Fatal(err)
	}
	draft := definition.Draft{Edits: []definition.Edit{{Path: path(t, "z.json"), Content: []byte("z")}}}
	h := newHostile(t, newKey(t), ar.psk, ar.at)
	h.hello(&crdtpb.Hello{Yours: 3})
	probe := definition.Draft{Edits: []definition.Edit{draft.Edits[0]}} // appends nothing
	probe.Edits[0].Parents = []definition.Version{{Path: path(t, "z.json")}}
	eventually(t, func() error {
		if _, err := ar.victim.Append(t.Context(), probe, nil); !errors.Is(err, crdt.ErrBehind) {
			return fmt.Errorf("want ErrBehind, got: %w", err)
		}
		return nil
	})
	h.hello(&crdtpb.Hello{Yours: 3, Heads: [][]byte{three.cid.Bytes()}}, three)
	eventually(t, func() error {
		_, err := ar.victim.Append(t.Context(), draft, nil)
		return err
	})
}

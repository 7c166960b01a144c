package crdt_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
)

func TestARefusedBlockIsCountedOnce(t *testing.T) {
	for _, name := range []string{"a forged signature", "a prev that is nothing"} {
		t.Run(name, func(t *testing.T) {
			ar := newArena(t)
			h, a := ar.attack(t)
			i := slices.IndexFunc(refusalTests, func(tt refusalTest) bool { return tt.name == name })
			tt := refusalTests[i]
			bad := tt.blocks(a)
			h.offer(bad...)
			eventually(t, func() error {
				if ar.victim.Stats().Refused[tt.want] == 0 {
					return fmt.Errorf("nothing was refused")
				}
				return nil
			})
			// The block comes again in the same frame as a good one; it is known.
			good := a.edits(edit("y.json", "y"))
			h2 := newHostile(t, newKey(t), ar.psk, ar.at)
			h2.hello(&crdtpb.Hello{Heads: [][]byte{good.cid.Bytes()}}, good, bad[0])
			eventually(t, func() error { return holds(ar.victim, good) })
			if got := ar.victim.Stats().Refused[tt.want]; got != 1 {
				t.Errorf("it was counted %d times, want 1", got)
			}
		})
	}
}

// TestRefusalsDoNotFillTheLog: each is counted, and the log has a line each time that
// the count has doubled.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	var log strings.Builder
	ar := newArena(t)
	r, err := crdt.Open(t.Context(), crdt.Options{
		Dir: t.TempDir(), Cluster: ar.c.id, Key: newKey(t), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeReplica(t, r)
	if _, err := r.Admit(t.Context(), ar.honest.Raws()...); err != nil {
		t.Fatal(err)
	}
	stranger := ar.writer()
	const n = 1000
	for i := range n {
		bad := ar.sealChange(stranger.key, ar.change(stranger, seconds(1), []*woven{ar.base}, edit("x.json", fmt.Sprint(i))), ar.base)
		if _, err := r.Admit(t.Context(), bad.raw); !errors.Is(err, crdt.ErrRefused) {
			t.Fatalf("got %v, want a refusal", err)
		}
	}
	if got := r.Stats().Refused[crdt.ReasonGrant]; got != n {
		t.Errorf("%d refusals are counted, want %d", got, n)
	}
	if lines := strings.Count(log.String(), "refused a block"); lines != 10 { // 1, 2, 4 and so on to 512
		t.Errorf("the log has %d lines of them, want 10:\n%s", lines, log.String())
	}
}

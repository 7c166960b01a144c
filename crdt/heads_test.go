package crdt_test

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// crowd returns a replica whose set has n heads: first versions by many writers
// of which none knows the other, each of a path of its own. The replica's key is
// granted below all of them, and it wrote a change there.
func crowd(t testing.TB, n int) (*crdt.Replica, *story, []*woven) {
	t.Helper()
	s := newStory(t)
	key := newKey(t)
	r := s.weaver.c.open(t, t.TempDir(), key)
	t.Cleanup(func() { closeReplica(t, r) })
	own := s.add(s.grant(idOf(t, key), trust.RoleWriter, nil, s.start))
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	put(t, r, "own.json", "1")
	var heads []*woven
	for i := range n {
		w := *s.a // a cloned key forks as it likes
		tip := s.add(s.write(&w, seconds(1), []*woven{own}, edit(fmt.Sprintf("p-%04d.json", i), "1")))
		if i%3 == 0 { // some are deeper than the replica's own change
			tip = s.add(s.write(&w, seconds(2), []*woven{tip}, edit(fmt.Sprintf("p-%04d.json", i), "2", tip)))
		}
		heads = append(heads, tip)
	}
	if _, err := r.Admit(t.Context(), raws(s.blocks...)...); err != nil {
		t.Fatal(err)
	}
	if got, want := len(r.Heads()), n+1; got != want {
		t.Fatalf("there are %d heads, want %d", got, want)
	}
	return r, s, heads
}

// copyOf admits all that a replica holds to another one.
func copyOf(t testing.TB, r *crdt.Replica, s *story, dir string) *crdt.Replica {
	t.Helper()
	other := s.weaver.c.open(t, dir, newKey(t))
	if _, err := other.Admit(t.Context(), r.Raws()...); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestAppendTrimsItsLinks(t *testing.T) {
	const n = trust.MaxAfter + 100
	r, s, _ := crowd(t, n)
	for _, name := range []string{"own.json", "own.json", "new.json", "p-0001.json", "p-0608.json"} {
		put(t, r, name, "mine")
	}
	if got, want := len(r.Heads()), n+1-trust.MaxAfter; got > want {
		t.Errorf("%d heads are left, want at most %d", got, want)
	}
	if got := content(t, r, "p-0608.json"); got != "mine" {
		t.Errorf("content is %q, want mine", got)
	}
	dir := t.TempDir()
	other := copyOf(t, r, s, dir)
	if err := equal(r, other); err != nil {
		t.Error(err)
	}
	closeReplica(t, other)
	checkClosed(t, dir)
}

func TestAnEditOfManyHeadsAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{trust.MaxAfter - 1, trust.MaxAfter, trust.MaxAfter + 1, 3 * trust.MaxAfter} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r, s, _ := crowd(t, n)
			var d definition.Draft
			for i := range n {
				p := path(t, fmt.Sprintf("p-%04d.json", i))
				d.Edits = append(d.Edits, definition.Edit{Path: p, Parents: r.View(p).Heads, Content: []byte("mine")})
			}
			versions, err := r.Append(t.Context(), d, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range versions {
				view := r.View(v.Path)
				if len(view.Heads) != 1 || view.Winner != v {
					t.Fatalf("edit %d: view is %+v, want it to hold %v alone", i, view, v)
				}
			}
			other := copyOf(t, r, s, t.TempDir())
			defer closeReplica(t, other)
			if err := equal(r, other); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARevocationReachesItsLastChange(t *testing.T) {
	r, s, heads := crowd(t, 2*trust.MaxAfter)
	for _, i := range []int{1, 2, 3, 2*trust.MaxAfter - 1} {
		last := heads[i]
		if err := r.Revoke(t.Context(), s.weaver.c.authority, trust.Revocation{Member: s.a.id, Mode: trust.ModeKeep, LastChange: last.id}); err != nil {
			t.Errorf("revoke at change %d: %v", i, err)
		}
	}
}

// TestMoreHeadsThanAHelloCarries: each hello names a head of every author, and the
// others in turn, so that nothing stays behind.
func TestMoreHeadsThanAHelloCarries(t *testing.T) {
	t.Parallel()
	const carried = 2048
	ar := newArena(t)
	put(t, ar.victim, "good.json", "1")
	ar.settle(t)
	base := ar.head(t)
	forker := ar.writer()
	granted := ar.grant(forker.id, trust.RoleWriter, nil, base)
	if _, err := ar.victim.Admit(t.Context(), granted.raw); err != nil {
		t.Fatal(err)
	}
	put(t, ar.victim, "good.json", "2")
	honest := ar.victim.Heads()[0] // is one among all the others
	var blocks []*woven
	for i := range carried + 100 {
		w := *forker
		blocks = append(blocks, ar.write(&w, seconds(1), []*woven{granted}, edit(fmt.Sprintf("p-%d.json", i), "1")))
	}
	if _, err := ar.victim.Admit(t.Context(), raws(blocks...)...); err != nil {
		t.Fatal(err)
	}

	hellos := make(chan *crdtpb.Hello, 16)
	h := newHost(t, newKey(t), ar.psk)
	h.SetStreamHandler(crdt.HelloProtocol, func(s network.Stream) {
		msg := new(crdtpb.Hello)
		if err := (protodelim.UnmarshalOptions{MaxSize: -1}).UnmarshalFrom(bufio.NewReader(s), msg); err != nil {
			t.Errorf("read hello: %v", err)
		}
		_ = s.Close()
		select {
		case hellos <- msg:
		default:
		}
	})
	connect(t, h, ar.at)
	told := make(map[string]bool)
	eventually(t, func() error {
		select {
		case msg := <-hellos:
			if n := len(msg.GetHeads()); n > carried {
				t.Errorf("a hello names %d heads, want at most %d", n, carried)
			}
			if !slices.ContainsFunc(msg.GetHeads(), func(b []byte) bool { return bytes.Equal(b, honest.Bytes()) }) {
				t.Error("a hello does not name the head of the author who has one")
			}
			for _, b := range msg.GetHeads() {
				told[string(b)] = true
			}
		default:
		}
		if len(told) < len(ar.victim.Heads()) {
			return fmt.Errorf("%d of %d heads are told", len(told), len(ar.victim.Heads()))
		}
		return nil
	})
	ar.settle(t)
}

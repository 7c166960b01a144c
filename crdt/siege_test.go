package crdt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/testcluster"
	"github.com/starling-sync/starling/trust"
)

// siege is a cluster of two real nodes with a hostile member: it has the pre-shared
// key and a grant as a writer, and attacks node 1 while files are saved on node 0.
type siege struct {
	*weaver
	t       testing.TB
	cluster *testcluster.Cluster
	victim  *testcluster.Node
	h       *hostile
	attack  attack // what the attacks draw on
	saves   int
	attacks atomic.Int64
	start   []definition.ChangeID // the elements before the attacks

	stranger *writer  // without a grant
	owed     []*woven // what the victim has to have after the flood; complete when that has begun
}

func newSiege(t testing.TB) *siege {
	t.Helper()
	c := testcluster.New(t, 2, testcluster.Options{Files: map[string]string{"good.json": `{"save": 0}`}})
	c.Settle()
	s := &siege{t: t, cluster: c, victim: c.Node(1), weaver: &weaver{t: t, c: &testCluster{authority: c.Authority()}}}
	token := c.Token(trust.RoleWriter)
	s.c.id = token.Cluster
	s.stranger = s.writer()
	base := s.join(token)
	other, by := s.writer(), s.writer()
	first := s.grant(other.id, trust.RoleWriter, nil, base)
	granted := s.grant(by.id, trust.RoleWriter, nil, first)
	s.h.offer(first, granted)
	s.attack = attack{weaver: s.weaver, by: by, granted: granted, base: base, other: other}
	s.attack.theirs = s.sealChange(other.key, s.change(other, seconds(1), []*woven{granted}, edit("theirs.json", "theirs")), granted)
	s.holds(granted)
	ids, err := s.ids()
	if err != nil {
		t.Fatal(err)
	}
	s.start = ids
	return s
}

// join makes the hostile peer a member, connects it to the victim, and returns the
// block of its grant.
func (s *siege) join(token trust.Token) *woven {
	s.t.Helper()
	h := &hostile{t: s.t, key: newKey(s.t), victim: s.victim.ID}
	h.host = newHost(s.t, h.key, token.PSK)
	welcome, err := trust.Join(s.t.Context(), h.host, token, "hostile")
	if err != nil {
		s.t.Fatal(err)
	}
	h.grant = welcome.Grant
	h.listen()
	s.h = h
	s.connect(s.t.Context())
	s.cluster.Settle()
	s.h.hello(&crdtpb.Hello{}) // the gate lets in who shows a grant
	var heads [][]byte
	for _, c := range welcome.Heads {
		heads = append(heads, c.Bytes())
	}
	all := h.fetch(heads...)
	return all[len(all)-1]
}

// connect connects the hostile peer with the victim, if it is not.
func (s *siege) connect(ctx context.Context) {
	s.t.Helper()
	info, err := s.victim.AddrInfo()
	if err == nil {
		err = s.h.host.Connect(ctx, info)
	}
	if err != nil && ctx.Err() == nil {
		s.t.Errorf("connect the hostile peer: %v", err)
	}
}

// under lets a subtest fail in place of its parent until the returned function is called.
func (s *siege) under(t testing.TB) (restore func()) {
	parent := s.t
	s.t, s.h.t, s.weaver.t = t, t, t
	return func() { s.t, s.h.t, s.weaver.t = parent, parent, parent }
}

// mine returns fresh writers for one attack: forks of those before.
func (s *siege) mine() *attack {
	a := s.attack
	by, other := *a.by, *a.other
	a.by, a.other, a.note = &by, &other, fmt.Sprint("attack ", s.attacks.Add(1))
	return &a
}

// holds waits until the victim has admitted blocks.
func (s *siege) holds(blocks ...*woven) {
	s.t.Helper()
	seen, err := -1, error(nil)
	testcluster.Eventually(s.t, 5*time.Minute, func() error {
		status, statusErr := s.victim.Status()
		if statusErr != nil {
			return statusErr
		}
		// To get all the elements takes the victim's time.
		if status.Elements < len(blocks) {
			return fmt.Errorf("there are %d elements; refused so far: %v", status.Elements, status.Refused)
		}
		if status.Elements != seen {
			seen, err = status.Elements, s.lacks(blocks)
		}
		return err
	})
}

// lacks says which of the blocks the victim has not admitted, or nil.
func (s *siege) lacks(blocks []*woven) error {
	ids, err := s.ids()
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if !slices.Contains(ids, b.id) {
			return fmt.Errorf("block %s is not among %d elements; refused so far: %v", b.cid, len(ids), s.refused())
		}
	}
	return nil
}

// ids returns the ids of the elements that the victim holds.
func (s *siege) ids() ([]definition.ChangeID, error) {
	elements, err := s.victim.Elements()
	ids := make([]definition.ChangeID, len(elements))
	for i, e := range elements {
		ids[i] = definition.ChangeID(definition.HashOf(e))
	}
	return ids, err
}

// holdsOnly says what the victim holds but for what it held before the attacks, the
// files that were saved since, and these elements; or what of these it lacks.
func (s *siege) holdsOnly(good map[definition.ChangeID]bool) error {
	ids, err := s.ids()
	if err != nil {
		return err
	}
	for _, id := range s.start {
		delete(good, id)
	}
	if got, want := len(ids), len(s.start)+len(good)+s.saves; got != want {
		return fmt.Errorf("the victim holds %d elements, want %d", got, want)
	}
	for id := range good {
		if !slices.Contains(ids, id) {
			return fmt.Errorf("the victim lacks the good element %s", id.Short())
		}
	}
	return nil
}

// save saves a file on node 0 and waits until the victim's directory has it. It
// returns how long that took.
func (s *siege) save() time.Duration {
	s.t.Helper()
	s.saves++
	want := fmt.Sprintf(`{"save": %d}`, s.saves)
	start := time.Now()
	s.cluster.Write(0, "good.json", want)
	eventually(s.t, func() error {
		got, err := s.victim.Dir.Read("good.json")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if got != want {
			return fmt.Errorf("good.json on the victim is %q, want %q", got, want)
		}
		return nil
	})
	return time.Since(start)
}

// refused returns how many blocks the victim has refused, by reason.
func (s *siege) refused() map[string]uint64 {
	s.t.Helper()
	status, err := s.victim.Status()
	if err != nil {
		s.t.Fatal(err)
	}
	return status.Refused
}

// blames wants the victim to name the hostile peer for all that it has refused, which
// is at least so much.
func (s *siege) blames(atLeast uint64) {
	s.t.Helper()
	peers, err := s.victim.Peers()
	if err != nil {
		s.t.Fatal(err)
	}
	want, total := s.refused(), uint64(0)
	for _, n := range want {
		total += n
	}
	for _, p := range peers {
		if p.ID != s.h.host.ID() {
			continue
		}
		if !maps.Equal(p.Refused, want) || total < atLeast {
			s.t.Errorf("the hostile peer is named for %v of the %v that were refused, want all, at least %d", p.Refused, want, atLeast)
		}
		return
	}
	s.t.Error("the hostile peer is no member")
}

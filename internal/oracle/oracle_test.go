package oracle_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/oracle"
	"github.com/starling-sync/starling/trust"
)

// scene is a set of elements in the making. Its changes are numbered from 0 and
// name each other by these numbers.
type scene struct {
	t         *testing.T
	authority crypto.PrivKey
	cluster   trust.ClusterID
	keys      map[string]crypto.PrivKey
	last      map[string]definition.ChangeID // by author
	seq       map[string]uint64
	ids       []definition.ChangeID
	elements  [][]byte
}

func newScene(t *testing.T, members ...string) *scene {
	t.Helper()
	s := &scene{
		t: t, authority: newKey(t), keys: map[string]crypto.PrivKey{},
		last: map[string]definition.ChangeID{}, seq: map[string]uint64{},
	}
	var err error
	if s.cluster, err = trust.ClusterOf(s.authority.GetPublic()); err != nil {
		t.Fatal(err)
	}
	for _, name := range members {
		s.keys[name] = newKey(t)
		payload, err := trust.Grant{Cluster: s.cluster, Member: s.id(name), Name: name, Role: trust.RoleWriter}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		s.seal(s.authority, trust.KindGrant, payload)
	}
	return s
}

func newKey(t *testing.T) crypto.PrivKey {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *scene) id(name string) peer.ID {
	s.t.Helper()
	id, err := peer.IDFromPrivateKey(s.keys[name])
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *scene) seal(key crypto.PrivKey, kind string, payload []byte) []byte {
	s.t.Helper()
	element, err := trust.Seal(key, kind, payload)
	if err != nil {
		s.t.Fatal(err)
	}
	s.elements = append(s.elements, element)
	return element
}

// edit is one edit of a scene's change.
type edit struct {
	path    string
	content string // "" deletes
	parents []int  // numbers of changes
	adopted bool
	from    string // moved_from
	moved   []int  // parents of that path
}

// change appends a change of an author at a time.
func (s *scene) change(author string, time uint64, edits ...edit) {
	s.t.Helper()
	s.seq[author]++
	msg := &crdtpb.Change{Cluster: s.cluster[:], Seq: s.seq[author], Time: time}
	if prev, ok := s.last[author]; ok {
		msg.Prev = prev[:]
	}
	for _, e := range edits {
		pb := &crdtpb.Edit{Path: e.path, Content: []byte(e.content), Deleted: e.content == "", Adopted: e.adopted, MovedFrom: e.from}
		for _, n := range e.parents {
			pb.Parents = append(pb.Parents, &crdtpb.Parent{Change: s.ids[n][:]})
		}
		for _, n := range e.moved {
			pb.Parents = append(pb.Parents, &crdtpb.Parent{Change: s.ids[n][:], Moved: true})
		}
		msg.Edits = append(msg.Edits, pb)
	}
	payload, err := proto.Marshal(msg)
	if err != nil {
		s.t.Fatal(err)
	}
	id := definition.ChangeID(definition.HashOf(s.seal(s.keys[author], trust.KindChange, payload)))
	s.ids, s.last[author] = append(s.ids, id), id
}

// revoke revokes a member; last is the number of its last change that is kept, or
// -1 for none.
func (s *scene) revoke(name string, mode trust.RevocationMode, last int) {
	s.t.Helper()
	r := trust.Revocation{Cluster: s.cluster, Member: s.id(name), Mode: mode}
	if last >= 0 {
		r.LastChange = s.ids[last]
	}
	payload, err := r.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	s.seal(s.authority, trust.KindRevocation, payload)
}

// answer computes the answer in several orders, which must agree.
func (s *scene) answer() oracle.Answer {
	s.t.Helper()
	var first oracle.Answer
	for i := range 8 {
		a, err := oracle.Compute(s.elements)
		if err != nil {
			s.t.Fatal(err)
		}
		if i == 0 {
			first = a
		} else if got, want := fmt.Sprint(a), fmt.Sprint(first); got != want {
			s.t.Fatalf("in another order the answer is\n%s, want\n%s", got, want)
		}
		mathrand.Shuffle(len(s.elements), func(i, j int) { s.elements[i], s.elements[j] = s.elements[j], s.elements[i] })
	}
	return first
}

func TestFiles(t *testing.T) {
	type files = map[string]string
	tests := []struct {
		name string
		set  func(*scene)
		want files
	}{
		{"nothing", func(*scene) {}, files{}},
		{"an edit stands", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
		}, files{"x.json": "1"}},
		{"an edit on top of another takes its place, whatever the clock says", func(s *scene) {
			s.change("a", 9, edit{path: "x.json", content: "1"})
			s.change("b", 1, edit{path: "x.json", content: "2", parents: []int{0}})
		}, files{"x.json": "2"}},
		{"of two edits apart the later stands", func(s *scene) {
			s.change("a", 2, edit{path: "x.json", content: "1"})
			s.change("b", 1, edit{path: "x.json", content: "2"})
		}, files{"x.json": "1"}},
		{"a deletion that saw the edit stands", func(s *scene) {
			s.change("a", 2, edit{path: "x.json", content: "1"})
			s.change("b", 1, edit{path: "x.json", parents: []int{0}})
		}, files{}},
		{"an edit wins against a later deletion", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", content: "2", parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", parents: []int{0}})
		}, files{"x.json": "2"}},
		{"an ancestor of an ancestor is no head", func(s *scene) {
			s.change("a", 9, edit{path: "x.json", content: "1"})
			s.change("b", 8, edit{path: "x.json", content: "2", parents: []int{0}})
			s.change("c", 7, edit{path: "x.json", content: "3", parents: []int{1}})
		}, files{"x.json": "3"}},
		{"an adopted file loses to an earlier edit", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2", adopted: true})
		}, files{"x.json": "1"}},
		{"an adopted file loses to a deletion", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: "1", adopted: true})
		}, files{}},
		{"among adopted files the earliest stands, though a later one has its bytes too", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1", adopted: true})
			s.change("b", 2, edit{path: "x.json", content: "2", adopted: true})
			s.change("c", 3, edit{path: "x.json", content: "1", adopted: true})
		}, files{"x.json": "1"}},
		{"an edit on top of an adopted file stands", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1", adopted: true})
			s.change("b", 2, edit{path: "x.json", content: "2", adopted: true})
			s.change("b", 3, edit{path: "x.json", content: "3", parents: []int{1}})
		}, files{"x.json": "3"}},
		{"a move takes the file along", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}}, edit{path: "y.json", content: "1", from: "x.json", moved: []int{0}})
		}, files{"y.json": "1"}},
		{"an edit apart follows the file that was moved", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}}, edit{path: "y.json", content: "1", from: "x.json", moved: []int{0}})
			s.change("b", 2, edit{path: "x.json", content: "2", parents: []int{0}})
		}, files{"y.json": "2"}},
		{"of case twins the earlier is held", func(s *scene) {
			s.change("a", 2, edit{path: "X.json", content: "1"})
			s.change("b", 1, edit{path: "x.json", content: "2"})
		}, files{"x.json": "2"}},
		{"the first version decides, not the latest", func(s *scene) {
			s.change("a", 1, edit{path: "X.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2"})
			s.change("a", 3, edit{path: "X.json", content: "3", parents: []int{0}})
		}, files{"X.json": "3"}},
		{"the twin comes when the one before it goes", func(s *scene) {
			s.change("a", 1, edit{path: "X.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2"})
			s.change("a", 3, edit{path: "X.json", parents: []int{0}})
		}, files{"x.json": "2"}},
		{"a file against a folder", func(s *scene) {
			s.change("a", 2, edit{path: "x.json", content: "1"})
			s.change("b", 1, edit{path: "X.json/y.json", content: "2"})
		}, files{"X.json/y.json": "2"}},
		{"one that is not held keeps nobody out", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json/y.json", content: "2"})
			s.change("b", 3, edit{path: "x.json/y.json/z.json", content: "3"})
			s.change("c", 4, edit{path: "X.JSON/Y.json", content: "4"})
		}, files{"x.json": "1"}},
		{"in one change the path decides between twins", func(s *scene) {
			s.change("a", 1, edit{path: "X.json", content: "1"}, edit{path: "x.json", content: "2"})
		}, files{"X.json": "1"}},
		{"a purge takes all of the member's changes away", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2", parents: []int{0}})
			s.revoke("b", trust.ModePurge, 1)
		}, files{"x.json": "1"}},
		{"a revocation that keeps cuts the chain", func(s *scene) {
			s.change("b", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2", parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: "3", parents: []int{1}})
			s.revoke("b", trust.ModeKeep, 1)
		}, files{"x.json": "2"}},
		{"every revocation must keep", func(s *scene) {
			s.change("b", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2", parents: []int{0}})
			s.revoke("b", trust.ModeKeep, 1)
			s.revoke("b", trust.ModeKeep, 0)
		}, files{"x.json": "1"}},
		{"keep without a last change keeps nothing", func(s *scene) {
			s.change("b", 1, edit{path: "x.json", content: "1"})
			s.revoke("b", trust.ModeKeep, -1)
		}, files{}},
		{"a version that does not count still carries ancestry", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("b", 2, edit{path: "x.json", content: "2", parents: []int{0}})
			s.change("c", 3, edit{path: "x.json", parents: []int{1}})
			s.revoke("b", trust.ModePurge, -1)
		}, files{}},
		{"the first version that counts decides between twins", func(s *scene) {
			s.change("b", 1, edit{path: "X.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", content: "2"})
			s.change("a", 3, edit{path: "X.json", content: "3", parents: []int{0}})
			s.revoke("b", trust.ModePurge, -1)
		}, files{"x.json": "2"}},
		{"fields that only one side changed come from that side", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: `{"a": 1, "b": 1, "c": 1}`})
			s.change("a", 2, edit{path: "x.json", content: `{"a": 2, "b": 1, "d": 2}`, parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: `{"a": 1, "b": 3, "c": 1}`, parents: []int{0}})
		}, files{"x.json": "map[a:2 b:3 d:2]"}},
		{"of a field that both changed the later's stands, and an edit against a removal", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: `{"a": 1, "b": 1, "c": 1}`})
			s.change("a", 2, edit{path: "x.json", content: `{"a": 2, "b": 2}`, parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: `{"a": 3, "c": 3}`, parents: []int{0}})
		}, files{"x.json": "map[a:3 b:2 c:3]"}},
		{"two creations merge by field", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: `{"id": 1, "name": "a", "theme": "a"}`})
			s.change("b", 2, edit{path: "x.json", content: `{"id": 1, "name": "b", "order": 1}`})
		}, files{"x.json": `map[id:1 name:"b" order:1 theme:"a"]`}},
		{"a deleted base is none", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: `{"id": 1, "name": "1"}`})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}})
			s.change("a", 3, edit{path: "x.json", content: `{"id": 1, "name": "a"}`, parents: []int{1}})
			s.change("b", 4, edit{path: "x.json", content: `{"id": 1, "theme": "b"}`, parents: []int{1}})
		}, files{"x.json": `map[id:1 name:"a" theme:"b"]`}},
		{"a path that is made again came last", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}})
			s.change("b", 3, edit{path: "X.json", content: "3"})
			s.change("a", 4, edit{path: "x.json", content: "4", parents: []int{1}})
		}, files{"X.json": "3"}},
		{"a path that was edited apart from its deletion was never absent", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: "1"})
			s.change("a", 2, edit{path: "x.json", parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: "3", parents: []int{0}})
			s.change("c", 4, edit{path: "X.json", content: "4"})
			s.change("a", 5, edit{path: "x.json", content: "5", parents: []int{1, 2}})
		}, files{"x.json": "5"}},
		{"of what does not parse the later stands whole", func(s *scene) {
			s.change("a", 2, edit{path: "x.json", content: `{"a": 2}`})
			s.change("b", 1, edit{path: "x.json", content: `{"b": 1`})
		}, files{"x.json": `{"a": 2}`}},
		{"of a nested object the oracle knows only that it is there", func(s *scene) {
			s.change("a", 1, edit{path: "x.json", content: `{"a": {"b": 1}}`})
			s.change("a", 2, edit{path: "x.json", content: `{"a": {"b": 2}}`, parents: []int{0}})
			s.change("b", 3, edit{path: "x.json", content: `{"a": {"c": 3}}`, parents: []int{0}})
		}, files{"x.json": "map[]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, "a", "b", "c")
			test.set(s)
			got := files{}
			for path, f := range s.answer().Files {
				switch {
				case f.Content != nil:
					got[path.String()] = string(f.Content)
				case f.Present:
					got[path.String()] = fmt.Sprint(f.Fields)
				}
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("files are %v, want %v", got, test.want)
			}
		})
	}
}

func TestHeadsAreLatestFirst(t *testing.T) {
	s := newScene(t, "a", "b", "c")
	s.change("a", 1, edit{path: "x.json", content: "0"})
	s.change("a", 5, edit{path: "x.json", content: "1", parents: []int{0}})
	s.change("b", 7, edit{path: "x.json", parents: []int{0}})
	s.change("c", 6, edit{path: "x.json", content: "3", adopted: true})
	path, err := definition.ParsePath("x.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []definition.Version
	for _, n := range []int{2, 3, 1} {
		want = append(want, definition.Version{Change: s.ids[n], Path: path})
	}
	if got := s.answer().Files[path].Heads; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("heads are %v, want %v", got, want)
	}
}

func TestMembers(t *testing.T) {
	s := newScene(t, "a", "b")
	s.revoke("b", trust.ModeKeep, -1)
	want := map[peer.ID]oracle.Member{
		s.id("a"): {Name: "a", Role: trust.RoleWriter},
		s.id("b"): {Name: "b", Role: trust.RoleWriter, Revoked: true},
	}
	if got := s.answer().Members; !maps.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
}

func TestWhatIsNoElementIsAnError(t *testing.T) {
	s := newScene(t, "a")
	s.change("a", 1, edit{path: "x.json", content: "1"})
	forged := append([]byte(nil), s.elements[1]...)
	forged[len(forged)-1] ^= 1
	if _, err := oracle.Compute([][]byte{s.elements[0], forged}); err == nil {
		t.Error("a forged element was taken")
	}
}

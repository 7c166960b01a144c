package oracle_test

import (
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/oracle"
	"github.com/starling-sync/starling/trust"
)

var seedFlag = flag.Uint64("seed", 0, "the edits of TestReplicaAnswersAsTheOracleDoes; 0 takes one by chance")

// TestReplicaAnswersAsTheOracleDoes makes edits that no mirror would: on parents
// taken by chance, adopted and moved at will, of paths that collide, by authors who
// are revoked in the end.
func TestReplicaAnswersAsTheOracleDoes(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = mathrand.Uint64()
	}
	for i := range uint64(40) {
		if !t.Run("", func(t *testing.T) { compareWithReplica(t, mathrand.New(mathrand.NewPCG(seed, i))) }) {
			t.Fatalf("do it again: go test ./internal/oracle -count=1 -run '^TestReplicaAnswersAsTheOracleDoes$' -seed=%d", seed)
		}
	}
}

// TestAdoptedFileIsABase: a file that a joining node brought along merges by field
// like any other once it is edited on two nodes.
func TestAdoptedFileIsABase(t *testing.T) {
	authority, key := newKey(t), newKey(t)
	cluster, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		t.Fatal(err)
	}
	r, err := crdt.Open(t.Context(), crdt.Options{Dir: t.TempDir(), Cluster: cluster, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	grant := trust.Grant{Member: memberOf(t, key), Name: "author", Role: trust.RoleWriter}
	if _, _, err := r.Grant(t.Context(), authority, grant); err != nil {
		t.Fatal(err)
	}
	path := pathOf(t, "x.json")
	edit := func(e definition.Edit) []definition.Version {
		e.Path = path
		versions, err := r.Append(t.Context(), definition.Draft{Edits: []definition.Edit{e}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return versions
	}
	base := edit(definition.Edit{Content: []byte(`{"a": 1, "b": 1}`), Adopted: true})
	edit(definition.Edit{Content: []byte(`{"a": 2, "b": 1}`), Parents: base})
	edit(definition.Edit{Content: []byte(`{"a": 1, "b": 2}`), Parents: base})
	_, got, err := r.Read(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a": 2, "b": 2}`; string(got) != want {
		t.Errorf("the file is %s, want %s", got, want)
	}
}

// author is a replica of the one set, opened with the key of one of its members.
type author struct {
	*crdt.Replica
	rng   *mathrand.Rand
	grant trust.Grant
}

func compareWithReplica(t *testing.T, rng *mathrand.Rand) {
	dir, authority := t.TempDir(), newKey(t)
	cluster, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		t.Fatal(err)
	}
	keys := []crypto.PrivKey{newKey(t), newKey(t), newKey(t)}
	grants := make([]trust.Grant, len(keys))
	for i, key := range keys {
		grants[i] = trust.Grant{Member: memberOf(t, key), Name: fmt.Sprint("author-", i), Role: trust.RoleWriter}
		if i > 0 {
			grants[i].Paths = someGlobs[rng.IntN(len(someGlobs))]
		}
	}
	as := func(n int, do func(author)) {
		t.Helper()
		r, err := crdt.Open(t.Context(), crdt.Options{Dir: dir, Cluster: cluster, Key: keys[n]})
		if err != nil {
			t.Fatal(err)
		}
		do(author{r, rng, grants[n]})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	as(0, func(a author) {
		for _, grant := range grants {
			if _, _, err := a.Grant(t.Context(), authority, grant); err != nil {
				t.Fatal(err)
			}
		}
	})
	for range 8 {
		as(rng.IntN(len(keys)), func(a author) {
			for range rng.IntN(6) {
				d := a.draft(t)
				if len(d.Edits) == 0 {
					continue
				}
				if _, err := a.Append(t.Context(), d, nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	as(0, func(a author) {
		compare(t, a)
		for range rng.IntN(3) {
			if err := a.Revoke(t.Context(), authority, a.revocation(t, keys)); err != nil {
				t.Fatal(err)
			}
			compare(t, a)
		}
	})
	as(1, func(a author) { compare(t, a) }) // computed again, from the disk
}

func memberOf(t *testing.T, key crypto.PrivKey) peer.ID {
	t.Helper()
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// collidingPaths are paths of which many cannot stand beside each other.
var collidingPaths = []string{"a.json", "A.json", "a.json/b.json", "A.JSON/c.json", "c.json", "d/e.json", "D/e.json", "f.json"}

// someGlobs are what grants limit authors to. Most are not limited.
var someGlobs = [][]string{nil, nil, {"a*", "a*/**", "d/*"}, {"**/*.json"}, {"A*", "*/c.json", "f.json"}, {"[a-z]*"}}

// draft returns a change on top of any versions; there may be nothing in it.
func (a author) draft(t *testing.T) definition.Draft {
	t.Helper()
	var d definition.Draft
	for _, i := range a.rng.Perm(len(collidingPaths))[:1+a.rng.IntN(3)] {
		e := definition.Edit{Path: pathOf(t, collidingPaths[i])}
		switch a.rng.IntN(7) {
		case 0:
			e.Deleted = true
		case 1:
			e.Adopted = true
		case 2, 3:
			if from := pathOf(t, collidingPaths[a.rng.IntN(len(collidingPaths))]); from != e.Path {
				e.MovedFrom = from
			}
		}
		if !e.Deleted {
			e.Content = []byte(fmt.Sprintf(`{"id": %d}`, a.rng.IntN(4))) // some are equal
		}
		if !e.Adopted {
			e.Parents = append(a.some(t, e.Path), a.some(t, e.MovedFrom)...)
		}
		d.Edits = append(d.Edits, e)
	}
	for _, e := range slices.Clone(d.Edits) { // some are renames
		taken := slices.ContainsFunc(d.Edits, func(o definition.Edit) bool { return o.Path == e.MovedFrom })
		if !e.MovedFrom.IsZero() && !taken && a.rng.IntN(4) > 0 {
			d.Edits = append(d.Edits, definition.Edit{Path: e.MovedFrom, Deleted: true, Parents: a.View(e.MovedFrom).Heads})
		}
	}
	d.Edits = slices.DeleteFunc(d.Edits, func(e definition.Edit) bool { return !a.grant.Allows(e.Path) })
	return d
}

// some returns a few versions of a path.
func (a author) some(t *testing.T, path definition.Path) []definition.Version {
	t.Helper()
	if path.IsZero() {
		return nil
	}
	if a.rng.IntN(2) == 0 {
		return a.View(path).Heads
	}
	var all []definition.Version
	for entry := range a.History(path, definition.ChangeID{}) {
		id := entry.ID
		v := definition.Version{Change: id, Path: path}
		if _, err := a.Version(v); err == nil { // the history follows moves
			all = append(all, v)
		}
	}
	a.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(len(all), a.rng.IntN(3))]
}

func pathOf(t *testing.T, s string) definition.Path {
	t.Helper()
	p, err := definition.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// revocation revokes one of the authors at any of its changes.
func (a author) revocation(t *testing.T, keys []crypto.PrivKey) trust.Revocation {
	t.Helper()
	r := trust.Revocation{Member: memberOf(t, keys[a.rng.IntN(len(keys))]), Mode: trust.ModeKeep}
	if a.rng.IntN(4) == 0 {
		r.Mode = trust.ModePurge
	}
	for entry := range a.History(definition.Path{}, definition.ChangeID{}) {
		id := entry.ID
		c, err := a.Change(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if c.Author == r.Member && a.rng.IntN(3) == 0 {
			r.LastChange = id
			break
		}
	}
	return r
}

// compare fails the test unless a replica answers as the oracle does.
func compare(t *testing.T, a author) {
	t.Helper()
	var elements [][]byte
	err := a.Elements(t.Context(), func(element []byte) error {
		elements = append(elements, slices.Clone(element))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.rng.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
	answer, err := oracle.Compute(elements)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(a.Paths()), len(answer.Files); got != want {
		t.Errorf("the replica knows %d paths, the oracle %d", got, want)
	}
	for path, want := range answer.Files {
		got, content := read(t, a, path)
		if got.Present != want.Present {
			t.Errorf("%s is present: %t, the oracle says %t", path, got.Present, want.Present)
		} else if err := want.Accepts(content); got.Present && err != nil {
			t.Errorf("%s is not what the oracle says: %v", path, err)
		}
		if !slices.Equal(got.Heads, want.Heads) {
			t.Errorf("%s has the heads %v, the oracle says %v", path, got.Heads, want.Heads)
		}
	}
	for _, m := range a.Members() {
		got, want := oracle.Member{Name: m.Name, Role: m.Role, Revoked: m.Revoked}, answer.Members[m.ID]
		if got != want {
			t.Errorf("member %s is %v, the oracle says %v", m.ID, got, want)
		}
	}
}

func read(t *testing.T, a author, path definition.Path) (definition.View, []byte) {
	t.Helper()
	view, content, err := a.Read(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return view, content
}

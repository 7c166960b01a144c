package crdt_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// propertyPaths collide with each other in every way.
var propertyPaths = []string{"a.json", "A.json", "d", "d/a.json", "D/b.json", "z.json"}

// cast is a random set: writers that know a part of it each add to it.
type cast struct {
	*weaver
	writers []*writer
	knows   []map[cid.Cid]*woven // by each writer; the last is the authority's
	blocks  []*woven             // in an order in which they can be admitted
	links   map[cid.Cid][]*woven
	edits   map[cid.Cid][]*crdtpb.Edit
	times   map[cid.Cid]uint64 // of changes
}

// heads returns what of a part of the set is no ancestor of anything in it.
func (c *cast) heads(known map[cid.Cid]*woven) []*woven {
	left := maps.Clone(known)
	for _, b := range known {
		for _, l := range c.links[b.cid] {
			delete(left, l.cid)
		}
	}
	return sorted(slices.Collect(maps.Values(left)))
}

func (c *cast) add(who int, b *woven, after []*woven, edits ...*crdtpb.Edit) {
	if _, ok := c.links[b.cid]; ok {
		return // the same statement once more
	}
	c.blocks = append(c.blocks, b)
	c.links[b.cid] = after
	c.edits[b.cid] = edits
	c.knows[who][b.cid] = b
}

// ancestry returns a block and all its ancestors, found by walking.
func (c *cast) ancestry(b *woven) map[cid.Cid]bool {
	seen := make(map[cid.Cid]bool)
	todo := []*woven{b}
	for len(todo) > 0 {
		b, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if !seen[b.cid] {
			seen[b.cid] = true
			todo = append(todo, c.links[b.cid]...)
		}
	}
	return seen
}

// versions returns the known blocks that edit a path.
func (c *cast) versions(known map[cid.Cid]*woven, path string) []*woven {
	var out []*woven
	for _, b := range c.blocks {
		if known[b.cid] != nil && slices.ContainsFunc(c.edits[b.cid], func(e *crdtpb.Edit) bool { return e.GetPath() == path }) {
			out = append(out, b)
		}
	}
	return out
}

// write lets a writer make a change of one or two paths on top of some versions
// that it knows.
func (c *cast) write(t *rapid.T, who int) {
	known, by := c.knows[who], c.writers[who]
	if fork := rapid.IntRange(0, 9).Draw(t, "fork") == 0; fork && by.last != nil {
		*by = writer{key: by.key, id: by.id} // restored from nothing: a cloned key
	}
	after := c.heads(known)
	if few := rapid.IntRange(0, 3).Draw(t, "few"); few == 0 && by.last != nil {
		after = []*woven{by.last} // it need not link to all that it knows
	}
	reach := make(map[cid.Cid]*woven)
	for _, a := range after {
		for k := range c.ancestry(a) {
			reach[k] = known[k]
		}
	}
	var edits []*crdtpb.Edit
	for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(propertyPaths), 1, 2, rapid.ID[string]).Draw(t, "paths") {
		var parents []*woven
		for _, v := range c.versions(reach, p) {
			if rapid.Bool().Draw(t, "parent") {
				parents = append(parents, v)
			}
		}
		e := edit(p, rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "content"), parents...)
		if len(parents) == 0 && !e.GetDeleted() {
			e.Adopted = rapid.Bool().Draw(t, "adopted")
		}
		edits = append(edits, e)
	}
	slices.SortFunc(edits, func(a, b *crdtpb.Edit) int { return slices.Compare([]byte(a.GetPath()), []byte(b.GetPath())) })
	when := seconds(rapid.Uint64Range(1, 5).Draw(t, "time"))
	b := c.weaver.write(by, when, after, edits...)
	c.add(who, b, after, edits...)
	c.times[b.cid] = when
}

// revoke lets the authority revoke a writer at a change that it knows.
func (c *cast) revoke(t *rapid.T) {
	who := len(c.writers)
	victim := rapid.IntRange(0, len(c.writers)-1).Draw(t, "revoked")
	after := c.heads(c.knows[who])
	var last *woven
	mode := rapid.SampledFrom([]trust.RevocationMode{trust.ModeKeep, trust.ModePurge}).Draw(t, "mode")
	for b := c.writers[victim].last; b != nil && mode == trust.ModeKeep; b = nil {
		if c.knows[who][b.cid] != nil {
			last = b
		}
	}
	c.add(who, c.weaver.revoke(c.writers[victim].id, mode, last, after...), after)
}

// fixedWriter returns the same writer each time, so that a failure can be
// repeated: ids break ties.
func fixedWriter(t fataler, n byte) *writer {
	t.Helper()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &writer{key: key, id: id}
}

func fixedCluster(t fataler) *testCluster {
	t.Helper()
	c := &testCluster{authority: fixedWriter(t, 255).key}
	id, err := trust.ClusterOf(c.authority.GetPublic())
	if err != nil {
		t.Fatal(err)
	}
	c.id = id
	return c
}

// newCast returns three writers and their grants.
func newCast(t fataler, cluster *testCluster) *cast {
	c := &cast{weaver: &weaver{t: t, c: cluster}, links: make(map[cid.Cid][]*woven), edits: make(map[cid.Cid][]*crdtpb.Edit), times: make(map[cid.Cid]uint64)}
	const n = 3
	c.knows = make([]map[cid.Cid]*woven, n+1)
	for i := range c.knows {
		c.knows[i] = make(map[cid.Cid]*woven)
	}
	for i := range n {
		w := fixedWriter(t, byte(i))
		c.writers = append(c.writers, w)
		after := c.heads(c.knows[n])
		c.add(n, c.grant(w.id, trust.RoleWriter, nil, after...), after)
	}
	for i := range n {
		maps.Copy(c.knows[i], c.knows[n])
	}
	return c
}

func drawCast(t *rapid.T, cluster *testCluster) *cast {
	c := newCast(t, cluster)
	n := len(c.writers)
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		switch rapid.IntRange(0, 9).Draw(t, "step") {
		case 0, 1, 2, 3, 4:
			c.write(t, rapid.IntRange(0, n-1).Draw(t, "who"))
		case 5, 6, 7, 8:
			from, to := rapid.IntRange(0, n).Draw(t, "from"), rapid.IntRange(0, n).Draw(t, "to")
			maps.Copy(c.knows[to], c.knows[from])
		case 9:
			c.revoke(t)
		}
	}
	return c
}

// admitted opens a replica in a directory of its own and admits blocks to it.
func admitted(t *testing.T, rt *rapid.T, cluster *testCluster, blocks []*woven) *crdt.Replica {
	r := cluster.open(t, t.TempDir(), newKey(t))
	if n, err := r.Admit(t.Context(), raws(blocks...)...); err != nil || n != len(blocks) {
		_ = r.Close()
		rt.Fatalf("admitted %d of %d blocks: %v", n, len(blocks), err)
	}
	return r
}

func TestRandomSets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		c := drawCast(rt, cluster)
		r := admitted(t, rt, cluster, c.blocks)
		defer closeReplica(t, r)

		for _, b := range c.blocks {
			ancestors := c.ancestry(b)
			for _, other := range c.blocks {
				if got, want := r.Descends(b.cid, other.cid), ancestors[other.cid]; got != want {
					rt.Fatalf("block %s descends from %s: %t, want %t", b.cid, other.cid, got, want)
				}
			}
		}
		everything := make(map[cid.Cid]*woven)
		for _, b := range c.blocks {
			everything[b.cid] = b
		}
		var heads []cid.Cid
		for _, b := range c.heads(everything) {
			heads = append(heads, b.cid)
		}
		if got := r.Heads(); !slices.Equal(got, heads) {
			rt.Fatalf("heads are %v, want %v", got, heads)
		}

		seed := rapid.Uint64().Draw(rt, "order")
		other := admitted(t, rt, cluster, shuffled(c.blocks, rand.New(rand.NewPCG(seed, 0))))
		defer closeReplica(t, other)
		if err := equal(r, other); err != nil {
			rt.Fatal(err)
		}
		if got, want := fmt.Sprint(other.Views()), fmt.Sprint(r.Views()); got != want {
			rt.Fatalf("in another order the views are\n%s, want\n%s", got, want)
		}
		for _, w := range c.writers {
			one, _ := r.Member(w.id)
			two, _ := other.Member(w.id)
			if fmt.Sprint(one) != fmt.Sprint(two) {
				rt.Fatalf("in another order the member is %+v, want %+v", two, one)
			}
		}
		if got, want := fmt.Sprint(histories(other)), fmt.Sprint(histories(r)); got != want {
			rt.Fatalf("in another order the histories are\n%s, want\n%s", got, want)
		}
	})
}

// histories returns the histories of all paths.
func histories(r *crdt.Replica) map[string]string {
	out := make(map[string]string)
	for _, p := range r.Paths() {
		out[p.String()] = fmt.Sprint(slices.Collect(r.History(p, definition.ChangeID{})))
	}
	return out
}

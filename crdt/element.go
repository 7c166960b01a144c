package crdt

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"unique"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// element is what the index remembers of an admitted element: everything but
// the contents of its edits, which stay in its block. There are very many, so it
// holds nothing twice. But for followed, an element is immutable once it is in the
// index.
type element struct {
	id      definition.ChangeID
	block   digest
	prio    uint64
	author  *author
	after   []*element
	charter *charter // the grants in its ancestry, its own included

	lane, pos uint32
	// prior is of the ancestry, without the element itself and those of prev's lane
	// up to prev, which need no clock.
	prior clock

	// Of a change.
	seq      uint64
	prev     *element
	time     Timestamp
	actor    unique.Handle[string]
	versions []version
	followed bool // another change has it as prev

	// Of a statement: one of *trust.Grant, *trust.Revocation, *trust.Rules.
	statement any
}

// digest is what tells the CIDs of blocks apart: they are all CIDv1, dag-pb,
// SHA-256.
type digest [sha256.Size]byte

// cidPrefix begins the bytes of every CID.
var cidPrefix = []byte{1, cid.DagProtobuf, multihash.SHA2_256, sha256.Size}

// digestOf returns a CID's digest; false if it is no CID of a block.
func digestOf(c cid.Cid) (digest, bool) {
	rest, ok := strings.CutPrefix(c.KeyString(), string(cidPrefix))
	if !ok || len(rest) != sha256.Size {
		return digest{}, false
	}
	return digest([]byte(rest)), true
}

func (d digest) cid() cid.Cid {
	return cid.NewCidV1(cid.DagProtobuf, multihash.Multihash(append(slices.Clone(cidPrefix[2:]), d[:]...)))
}

// isChange reports whether e is a change; each has an edit.
func (e *element) isChange() bool { return len(e.versions) > 0 }

// descendsFrom reports whether other is e or one of its ancestors.
func (e *element) descendsFrom(other *element) bool {
	switch {
	case other.lane == e.lane && other.pos <= e.pos:
		return true
	case e.prev != nil && other.lane == e.prev.lane && other.pos <= e.prev.pos:
		return true
	}
	return e.prior.covers(other)
}

// clock returns the clock of e's ancestry, e included.
func (e *element) clock() clock { return e.others().with(e.lane, e.pos) }

// others returns the clock of e's ancestry without its own lane's.
func (e *element) others() clock {
	if e.prev != nil && e.prev.lane != e.lane {
		return e.prior.with(e.prev.lane, e.prev.pos)
	}
	return e.prior
}

// before orders elements so that ancestors come before their descendants.
func (e *element) before(other *element) int {
	return cmp.Or(cmp.Compare(e.prio, other.prio), e.id.Compare(other.id))
}

// version is one edit inside one change.
type version struct {
	*element
	file    *file
	parents []*version // of this file, or of the one it was moved from
	hash    definition.Hash
	size    uint32
	flags   flags
}

type flags uint8

const (
	deleted flags = 1 << iota
	adopted
	resolves
	moved    // from another file
	returned // see definition.Edit.Returned
	settles  // it resolves some conflicts; which ones the file remembers
	renamed  // moved, and its change deletes the other file
	departed // deleted, and its change gives the file another name
)

func (v *version) is(f flags) bool { return v.flags&f != 0 }

// sameFile returns the parents that are versions of the same file.
func (v *version) sameFile() []*version {
	if !v.is(moved) {
		return v.parents
	}
	return slices.DeleteFunc(slices.Clone(v.parents), func(p *version) bool { return p.file != v.file })
}

// basis returns the parents that a version was made on under its name: those of the same file, and
// with them those of another that had followed it there.
func (v *version) basis() []*version {
	own := v.sameFile()
	if len(own) == 0 || v.is(renamed) {
		return own
	}
	return v.parents
}

func (v *version) ref() definition.Version {
	return definition.Version{Change: v.id, Path: v.file.path}
}

// later orders the versions of a path by (time, change id), latest first.
func later(a, b *version) int {
	return cmp.Or(cmp.Compare(b.time, a.time), b.id.Compare(a.id))
}

// charter is the grants in an ancestry. Most elements share the charter of
// their links.
type charter struct {
	has    map[*element]struct{}
	grants map[peer.ID][]*trust.Grant
}

// allows reports whether a grant lets the author make every edit of the change.
func (c *charter) allows(author peer.ID, edits []definition.Edit) bool {
	return !slices.ContainsFunc(edits, func(e definition.Edit) bool { return !c.mayWrite(author, e.Path) })
}

// mayWrite reports whether a grant lets the author edit a path.
func (c *charter) mayWrite(author peer.ID, path definition.Path) bool {
	return c != nil && slices.ContainsFunc(c.grants[author], func(g *trust.Grant) bool { return g.Allows(path) })
}

// unlimited reports whether a grant lets the author edit all paths.
func (c *charter) unlimited(author peer.ID) bool {
	return c != nil && slices.ContainsFunc(c.grants[author], func(g *trust.Grant) bool {
		return g.Role == trust.RoleWriter && len(g.Paths) == 0
	})
}

// knows reports whether the author is granted any role.
func (c *charter) knows(author peer.ID) bool { return c != nil && len(c.grants[author]) > 0 }

// joinCharters returns the charter of the union of the links' ancestries.
func joinCharters(links []*element) *charter {
	var largest *charter
	for _, l := range links {
		if l.charter != nil && (largest == nil || len(l.charter.has) > len(largest.has)) {
			largest = l.charter
		}
	}
	out := largest
	for _, l := range links {
		if l.charter == nil || l.charter == largest {
			continue
		}
		for g := range l.charter.has {
			if _, ok := out.has[g]; !ok {
				if out == largest {
					out = largest.clone()
				}
				out.add(g)
			}
		}
	}
	return out
}

// with returns the charter with one more grant.
func (c *charter) with(e *element) *charter {
	out := c.clone()
	out.add(e)
	return out
}

func (c *charter) clone() *charter {
	out := &charter{has: make(map[*element]struct{}), grants: make(map[peer.ID][]*trust.Grant)}
	if c != nil {
		for g := range c.has {
			out.add(g)
		}
	}
	return out
}

func (c *charter) add(e *element) {
	g := e.statement.(*trust.Grant)
	c.has[e] = struct{}{}
	c.grants[g.Member] = append(c.grants[g.Member], g)
}

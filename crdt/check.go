package crdt

import (
	"fmt"
	"slices"
	"sort"
	"unique"

	"github.com/ipfs/go-cid"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// errLinks is returned by index.check for a block some of whose links are not
// admitted yet. It is no refusal: the links must be fetched first.
type errLinks struct{ missing []cid.Cid }

func (e *errLinks) Error() string {
	return fmt.Sprintf("check block: %d links are not admitted yet", len(e.missing))
}

// check applies the rules that depend on a block's ancestry and returns the
// element as index.add takes it. All of b's links must be in the index
// (otherwise *errLinks); a broken rule is a refusal. Nothing else matters: not
// the clock, not what else has arrived, not revocations.
func (x *index) check(b *block) (*element, error) {
	e := &element{id: b.id, author: x.authors[b.author], after: make([]*element, 0, len(b.After)), prio: 1}
	e.block, _ = digestOf(b.cid)
	if b.change != nil {
		e.prev = x.byID.find(b.change.prev)
	}
	var missing []cid.Cid
	for _, c := range b.After {
		l := x.find(c)
		if l == nil {
			missing = append(missing, c)
			continue
		}
		e.after = append(e.after, l)
		e.prio = max(e.prio, l.prio+1)
		if l == e.prev {
			e.prior = e.prior.join(l.others())
		} else {
			e.prior = e.prior.join(l.clock())
		}
	}
	if len(missing) > 0 {
		return nil, &errLinks{missing}
	}
	if e.prio != b.prio {
		return nil, refuse(ReasonBlock, "priority is %d, its links ask for %d", b.prio, e.prio)
	}
	e.charter = joinCharters(e.after)
	return e, x.checkPayload(b, e)
}

func (x *index) checkPayload(b *block, e *element) error {
	switch {
	case b.change != nil:
		return x.checkChange(b, e)
	case b.grant != nil:
		e.statement = b.grant
		e.charter = e.charter.with(e)
	case b.revocation != nil:
		e.statement = b.revocation
		return x.checkRevocation(b.revocation, e)
	case b.rules != nil:
		e.statement = b.rules
	default:
		if !e.charter.knows(b.author) && !isAuthority(b.author, b.Cluster) {
			return refuse(ReasonGrant, "author of an element of kind %s has no grant in its ancestry", b.kind)
		}
	}
	return nil
}

func (x *index) checkChange(b *block, e *element) error {
	c := b.change
	e.seq, e.time, e.actor = c.seq, c.time, unique.Make(c.actor)
	if !e.charter.allows(b.author, c.edits) {
		return refuse(ReasonGrant, "no grant in the ancestry lets %s make this change", b.author)
	}
	if !c.prev.IsZero() {
		if e.prev == nil || !e.prev.isChange() || e.prev.author != e.author || e.prev.seq != c.seq-1 || !slices.ContainsFunc(e.after, func(l *element) bool { return l.descendsFrom(e.prev) }) {
			return refuse(ReasonChain, "prev of change %d is not its author's change before it", c.seq)
		}
	}
	e.versions = make([]version, len(c.edits))
	for i, edit := range c.edits {
		v := &e.versions[i]
		v.element, v.size = e, uint32(len(edit.Content))
		if !edit.MovedFrom.IsZero() {
			v.flags |= moved
		}
		if edit.Deleted {
			v.flags |= deleted
		} else {
			v.hash = definition.HashOf(edit.Content)
		}
		if edit.Adopted {
			v.flags |= adopted
		}
		if edit.Resolves {
			v.flags |= resolves
		}
		if edit.Returned {
			v.flags |= returned
		}
		if len(edit.Resolved) > 0 {
			v.flags |= settles
		}
		if n := len(edit.Parents); n > 0 {
			v.parents = make([]*version, 0, n)
		}
		for _, p := range edit.Parents {
			parent := x.versionIn(x.ancestor(e, p.Change), p.Path)
			if parent == nil {
				return refuse(ReasonParent, "a parent names no edit of its path in the ancestry")
			}
			v.parents = append(v.parents, parent)
		}
	}
	return nil
}

func (x *index) checkRevocation(r *trust.Revocation, e *element) error {
	if r.LastChange.IsZero() {
		return nil
	}
	last := x.ancestor(e, r.LastChange)
	if last == nil || !last.isChange() || last.author.id != r.Member {
		return refuse(ReasonChain, "last_change of a revocation is no change of its member in the ancestry")
	}
	return nil
}

// ancestor returns the element with this id if it is in e's ancestry.
func (x *index) ancestor(e *element, id definition.ChangeID) *element {
	a := x.byID.find(id)
	if a == nil || !e.descendsFrom(a) {
		return nil
	}
	return a
}

// versionIn returns the edit of path in a change, or nil.
func (x *index) versionIn(e *element, path definition.Path) *version {
	if e == nil {
		return nil
	}
	i, ok := sort.Find(len(e.versions), func(i int) int { return path.Compare(e.versions[i].file.path) })
	if !ok {
		return nil
	}
	return &e.versions[i]
}

package crdt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/trust"
)

// Append signs a draft as this node's next change and returns the version that
// each of its edits became, in the draft's order. It is on disk, and only then
// visible, before Append returns; it blocks for about one fsync. A draft beyond
// the limits of one element becomes several changes. Parents of another path that followed a file
// to its name, as heads of a view do, need no MovedFrom.
//
// records, if not nil, is called once before the last change is written, with the
// versions; what it returns (nil value: delete) is written in the same batch as
// that change and synced with it.
func (r *Replica) Append(ctx context.Context, d definition.Draft, records func([]definition.Version) map[string][]byte) ([]definition.Version, error) {
	d = withOrigins(d)
	if err := checkDraft(d); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	r.appendMu.Lock()
	defer r.appendMu.Unlock()
	if err := r.writable(d); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	parts, err := r.split(d)
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	change := make(map[definition.Path]definition.ChangeID, len(d.Edits))
	var versions []definition.Version
	for i, edits := range parts {
		b, err := r.sign(d, edits)
		if err != nil {
			return nil, fmt.Errorf("append: %w", err)
		}
		for _, e := range edits {
			change[e.Path] = b.id
		}
		var recs map[string][]byte
		if i == len(parts)-1 {
			versions = versionsOf(d, change)
			if records != nil {
				recs = records(versions)
			}
		}
		if err := r.put(ctx, b, recs); err != nil {
			return nil, fmt.Errorf("append: %w", err)
		}
	}
	return versions, nil
}

// withOrigins returns a draft whose edits name the other path that some of their parents are of:
// those that followed the file to its name. There is room for one, that of the first; those of
// others stay heads, or are behind the deletion that a rename makes.
func withOrigins(d definition.Draft) definition.Draft {
	d.Edits = slices.Clone(d.Edits)
	for i := range d.Edits {
		e := &d.Edits[i]
		other := func(v definition.Version) bool { return v.Path != e.Path }
		j := slices.IndexFunc(e.Parents, other)
		if j < 0 {
			continue
		}
		if e.MovedFrom.IsZero() {
			e.MovedFrom = e.Parents[j].Path
		}
		e.Parents = slices.DeleteFunc(slices.Clone(e.Parents), func(v definition.Version) bool { return other(v) && v.Path != e.MovedFrom })
	}
	return d
}

// writable says why this node may not append the draft, or nil.
func (r *Replica) writable(d definition.Draft) error {
	if err := r.open(); err != nil {
		return err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	me := r.index.authors[r.self]
	switch {
	case r.lacking() > 0:
		return fmt.Errorf("%w: the store was lost, or is an old copy", ErrBehind)
	case me == nil || len(me.grants) == 0:
		return ErrNotMember
	case len(me.revocations) > 0:
		return ErrRevoked
	case r.ownKnown > me.seq() && time.Since(r.opened) < restoreTime:
		return fmt.Errorf("%w: peers hold %d of this node's changes, it has %d", ErrBehind, r.ownKnown, me.seq())
	}
	var refused []definition.Path
	for _, e := range d.Edits {
		if !slices.ContainsFunc(me.grants, func(g *trust.Grant) bool { return g.Allows(e.Path) }) {
			refused = append(refused, e.Path)
		}
	}
	if len(refused) > 0 {
		return &pathsError{refused}
	}
	return nil
}

// pathsError refuses a draft because of some of its paths.
type pathsError struct{ paths []definition.Path }

func (e *pathsError) Error() string { return fmt.Sprintf("%v: %s", ErrNotAllowed, e.paths[0]) }

func (e *pathsError) Is(target error) bool { return target == ErrNotAllowed }

// RefusedPaths returns the paths that this node may never write.
func (e *pathsError) RefusedPaths() []definition.Path { return e.paths }

// split resolves the parents of a draft's edits and cuts them, in the order of
// their paths, into what one change each can hold. The caller holds the append
// lock.
func (r *Replica) split(d definition.Draft) ([][]definition.Edit, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	edits := slices.Clone(d.Edits)
	slices.SortFunc(edits, func(a, b definition.Edit) int { return a.Path.Compare(b.Path) })
	most := len(edits) * maxParents
	if len(r.index.heads) > trust.MaxAfter {
		most = maxNeeds
	}
	for i := range edits {
		parents, err := r.index.parentsOf(edits[i], min(most, maxParents))
		if err != nil {
			return nil, err
		}
		edits[i].Parents = nil
		for _, p := range parents {
			edits[i].Parents = append(edits[i].Parents, p.ref())
		}
		slices.SortFunc(edits[i].Parents, compareParents(edits[i].Path))
	}
	return slices.Collect(parts(edits, most)), nil
}

// sign makes the block of this node's next change. The caller holds the append
// lock.
func (r *Replica) sign(d definition.Draft, edits []definition.Edit) (*block, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := change{Header: trust.Header{Cluster: r.opts.Cluster}, seq: 1, edits: edits, note: d.Note, actor: d.Actor}
	seen := []Timestamp{}
	need := []*element{}
	if last := r.index.authors[r.self].last; last != nil {
		c.seq, c.prev = last.seq+1, last.id
		need, seen = append(need, last), append(seen, last.time)
	}
	for _, e := range r.index.grants {
		if e.statement.(*trust.Grant).Member == r.self {
			need = append(need, e)
		}
	}
	for _, e := range edits {
		for _, p := range e.Parents {
			parent := r.index.byID.find(p.Change)
			need, seen = append(need, parent), append(seen, parent.time)
		}
	}
	after := r.index.after(need)
	c.After, c.time = cidsOf(after), nextTimestamp(time.Now(), seen...)
	return sealChange(r.opts.Key, c, prioOf(after))
}

// parentsOf returns the versions that an edit is made on: those it names, the
// latest of them if there are more than most.
func (x *index) parentsOf(e definition.Edit, most int) ([]*version, error) {
	parents := make([]*version, 0, len(e.Parents))
	for _, p := range e.Parents {
		v := x.versionIn(x.byID.find(p.Change), p.Path)
		if v == nil {
			return nil, fmt.Errorf("%w: %s: parent %s is %w", ErrDraft, e.Path, p.Change.Short(), ErrNotFound)
		}
		if !slices.Contains(parents, v) {
			parents = append(parents, v)
		}
	}
	slices.SortFunc(parents, later)
	return parents[:min(len(parents), most)], nil
}

// after chooses the links of a new element: the heads, or of more than
// trust.MaxAfter first the highest, which go-ds-crdt numbers the block by, then
// those that have the needed elements in their ancestry, then those of highest
// priority.
func (x *index) after(need []*element) []*element {
	heads := x.headList()
	if len(heads) <= trust.MaxAfter {
		return heads
	}
	slices.SortStableFunc(heads, func(a, b *element) int { return b.before(a) })
	var chosen []*element
	taken := make(map[*element]bool)
	take := func(h *element) {
		if !taken[h] && len(chosen) < trust.MaxAfter {
			taken[h] = true
			chosen = append(chosen, h)
		}
	}
	take(heads[0])
	for _, n := range need {
		covers := func(h *element) bool { return h.descendsFrom(n) }
		if slices.ContainsFunc(chosen, covers) {
			continue
		}
		if i := slices.IndexFunc(heads, covers); i >= 0 {
			take(heads[i])
		}
	}
	for _, h := range heads {
		take(h)
	}
	sortByCID(chosen)
	return chosen
}

func prioOf(after []*element) uint64 {
	prio := uint64(1)
	for _, e := range after {
		prio = max(prio, e.prio+1)
	}
	return prio
}

// maxNeeds is how many parents the edits of one change have at most while a
// change cannot link to all heads: each may need a link of its own, and so may the
// author's last change and its grants.
const maxNeeds = trust.MaxAfter - 32

// parts cuts sorted edits into pieces that each fit one element and have at most
// so many parents.
func parts(edits []definition.Edit, parents int) func(yield func([]definition.Edit) bool) {
	// What an element holds beside its edits: links, envelope, note, actor.
	const room = MaxElement - trust.MaxAfter*40 - maxNote - maxActor - 1024
	return func(yield func([]definition.Edit) bool) {
		start, size, needs := 0, 0, 0
		for i, e := range edits {
			n := sizeOf(e)
			if i > start && (size+n > room || i-start == MaxEdits || needs+len(e.Parents) > parents) {
				if !yield(edits[start:i]) {
					return
				}
				start, size, needs = i, 0, 0
			}
			size += n
			needs += len(e.Parents)
		}
		yield(edits[start:])
	}
}

// sizeOf bounds the size of an edit on the wire.
func sizeOf(e definition.Edit) int {
	n := len(e.Content) + len(e.Path.String()) + len(e.MovedFrom.String()) + 40*len(e.Parents) + 32
	for _, r := range e.Resolved {
		n += 80 + len(r.Pointer)
	}
	return n
}

// sealChange signs a change and builds its block, and opens that as everybody
// else will.
func sealChange(key crypto.PrivKey, c change, prio uint64) (*block, error) {
	payload, err := c.marshal()
	if err != nil {
		return nil, fmt.Errorf("sign change: %w", err)
	}
	return sealBlock(key, trust.KindChange, payload, c.Header, prio)
}

func sealBlock(key crypto.PrivKey, kind string, payload []byte, h trust.Header, prio uint64) (*block, error) {
	element, err := trust.Seal(key, kind, payload)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	nd, err := buildNode(element, h.After, prio)
	if err != nil {
		return nil, fmt.Errorf("build block: %w", err)
	}
	return openBlock(nd.RawData(), h.Cluster, true)
}

// put writes one block of this node's through go-ds-crdt, syncs it and makes it
// visible. The caller holds the append lock.
func (r *Replica) put(ctx context.Context, b *block, records map[string][]byte) error {
	ctx = context.WithoutCancel(ctx) // a block is written whole or not at all
	r.mu.RLock()
	e, err := r.index.check(b)
	r.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("check own change: %w", err)
	}
	r.dag.work(b, records)
	defer r.dag.work(nil, nil)
	if err := r.set.Put(ctx, elementKey(b.id), b.element); err != nil {
		return r.fail(fmt.Errorf("put: %w", err))
	}
	failpoint.Hit(failpoint.BlockPut, "")
	if err := r.store.sync(ctx); err != nil {
		return r.fail(fmt.Errorf("sync: %w", err))
	}
	failpoint.Hit(failpoint.BlockSynced, "")
	r.addToIndex(b, e)
	r.onAppend(b)
	return nil
}

// versionsOf returns the version of each edit in the draft's order.
func versionsOf(d definition.Draft, change map[definition.Path]definition.ChangeID) []definition.Version {
	versions := make([]definition.Version, len(d.Edits))
	for i, e := range d.Edits {
		versions[i] = definition.Version{Change: change[e.Path], Path: e.Path}
	}
	return versions
}

// SaveRecords writes records (nil value: delete) in one batch; they are durable
// on return if durable is set. Records are this node's own and no part of the set.
func (r *Replica) SaveRecords(ctx context.Context, records map[string][]byte, durable bool) error {
	if err := r.store.write(ctx, nil, records); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	err := r.store.sync(ctx)
	failpoint.Hit(failpoint.RecordsSynced, "")
	return err
}

// LoadRecords returns the records whose key begins with prefix.
func (r *Replica) LoadRecords(ctx context.Context, prefix string) (map[string][]byte, error) {
	return r.store.records(ctx, prefix)
}

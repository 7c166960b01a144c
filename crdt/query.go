package crdt

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// View returns what the directory should hold for a path. It is computed in
// memory.
func (r *Replica) View(path definition.Path) definition.View {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.now().view(path)
}

// Read returns a path's view and the bytes that it stands for, nil if the file
// is absent. It reads from the disk.
func (r *Replica) Read(ctx context.Context, path definition.Path) (definition.View, []byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.now().read(ctx, path)
}

// contentOf reads the bytes of a version. The caller holds the index lock.
func (r *Replica) contentOf(v *version) ([]byte, error) {
	c, err := r.changeOf(context.Background(), v.element)
	if err != nil {
		return nil, err
	}
	edit, ok := editOf(c, v.file.path)
	if !ok {
		return nil, fmt.Errorf("read version %s: %w", v.ref(), ErrNotFound)
	}
	return edit.Content, nil
}

// editOf finds a change's edit of a path.
func editOf(c *change, path definition.Path) (definition.Edit, bool) {
	i, ok := slices.BinarySearchFunc(c.edits, path, func(e definition.Edit, p definition.Path) int { return e.Path.Compare(p) })
	if !ok {
		return definition.Edit{}, false
	}
	return cloneOf(c.edits[i]), true
}

// cloneOf returns an edit that shares no memory with the change that it is of, which may
// be read again.
func cloneOf(e definition.Edit) definition.Edit {
	e.Content, e.Parents, e.Resolved = bytes.Clone(e.Content), slices.Clone(e.Parents), slices.Clone(e.Resolved)
	return e
}

func clonesOf(edits []definition.Edit) []definition.Edit {
	out := make([]definition.Edit, len(edits))
	for i, e := range edits {
		out[i] = cloneOf(e)
	}
	return out
}

// Edit returns the edit that a version names, or ErrNotFound. It reads from the
// disk.
func (r *Replica) Edit(ctx context.Context, v definition.Version) (definition.Edit, error) {
	c, err := r.change(ctx, v.Change)
	if err != nil {
		return definition.Edit{}, err
	}
	edit, ok := editOf(c, v.Path)
	if !ok {
		return definition.Edit{}, fmt.Errorf("read version %s: %w", v, ErrNotFound)
	}
	return edit, nil
}

// VersionInfo is what the index knows about a version.
type VersionInfo struct {
	Author peer.ID
	Time   time.Time
	Size   int // bytes; 0 for a deletion
}

// Version returns what the index knows about a version, or ErrNotFound.
func (r *Replica) Version(v definition.Version) (VersionInfo, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := r.index.versionIn(r.index.byID.find(v.Change), v.Path)
	if found == nil {
		return VersionInfo{}, fmt.Errorf("version %s: %w", v, ErrNotFound)
	}
	return VersionInfo{Author: found.author.id, Time: found.time.Time(), Size: int(found.size)}, nil
}

// change reads a change from its block. The caller must not alter it.
func (r *Replica) change(ctx context.Context, id definition.ChangeID) (*change, error) {
	r.mu.RLock()
	e := r.index.byID.find(id)
	r.mu.RUnlock()
	if e == nil || !e.isChange() {
		return nil, fmt.Errorf("read change %s: %w", id.Short(), ErrNotFound)
	}
	return r.changeOf(ctx, e)
}

func (r *Replica) changeOf(ctx context.Context, e *element) (*change, error) {
	if c := r.recent.get(e.id); c != nil {
		return c, nil
	}
	raw, err := r.store.Get(ctx, blockKey(e.prio, e.block.cid()))
	if err != nil {
		return nil, fmt.Errorf("read change %s: %w", e.id.Short(), err)
	}
	b, err := openBlock(raw, r.opts.Cluster, true)
	if err != nil {
		return nil, fmt.Errorf("read change %s: %w", e.id.Short(), err)
	}
	r.recent.put(e.id, b.change)
	return b.change, nil
}

// Elements calls yield with the bytes of every element, ancestors first, until
// yield returns an error. It reads from the disk.
func (r *Replica) Elements(ctx context.Context, yield func(element []byte) error) error {
	return r.store.blocks(ctx, r.opts.Cluster, func(b *block) error { return yield(b.element) })
}

// Paths returns every path that has a version, present or not, in order.
func (r *Replica) Paths() []definition.Path {
	r.mu.RLock()
	defer r.mu.RUnlock()
	paths := make([]definition.Path, 0, len(r.index.files))
	for p := range r.index.files {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b definition.Path) int { return strings.Compare(a.String(), b.String()) })
	return paths
}

// Views returns the view of every path that has a version, in order.
func (r *Replica) Views() []definition.View {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.now().views()
}

// Summary is what all views together come to.
type Summary struct {
	// Digest is a hash over the paths and hashes of all files that the directory
	// should hold: equal exactly for equal views.
	Digest definition.Hash
	// Definitions and Conflicts count the files that should be there, and the
	// conflicts of all paths. Saves that took a file back are not among the latter: how long
	// they are listed is for who lists them to say.
	Definitions, Conflicts int
}

// Digest returns the digest of the view; see Summary.
func (r *Replica) Digest() definition.Hash { return r.Summary().Digest }

// Summary looks at all views, once for each state of the set.
func (r *Replica) Summary() Summary {
	r.summaryMu.Lock()
	defer r.summaryMu.Unlock()
	r.mu.RLock()
	state := r.changed
	r.mu.RUnlock()
	if r.summaryOf == state {
		return r.summary
	}
	var s Summary
	s.Digest = DigestOf(func(yield func(definition.Path, definition.Hash) bool) {
		for _, v := range r.Views() {
			for _, c := range v.Conflicts {
				if c.Kind != definition.ConflictReverted {
					s.Conflicts++
				}
			}
			if v.Present {
				s.Definitions++
				yield(v.Path, v.Hash) // DigestOf never stops early
			}
		}
	})
	r.summary, r.summaryOf = s, state
	return s
}

// DigestOf returns the digest of files that come in the order of their paths.
func DigestOf(files func(yield func(definition.Path, definition.Hash) bool)) definition.Hash {
	h := sha256.New()
	for path, hash := range files {
		h.Write([]byte(path.String()))
		h.Write([]byte{0}) // no path holds one
		h.Write(hash[:])
	}
	return definition.Hash(h.Sum(nil))
}

// Heads returns the CIDs of the set's heads in order. Two replicas with equal
// heads hold equal sets, since a block names its whole ancestry.
func (r *Replica) Heads() []cid.Cid {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return cidsOf(r.index.headList())
}

// Has reports whether the set holds an element.
func (r *Replica) Has(id definition.ChangeID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.byID.find(id) != nil
}

// Holds reports whether the set holds all these blocks, and so their ancestry.
func (r *Replica) Holds(cids []cid.Cid) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return !slices.ContainsFunc(cids, func(c cid.Cid) bool { return r.index.find(c) == nil })
}

// Missing returns how many elements of this set are not in the ancestry of
// heads; of heads that are unknown here, nothing is known.
func (r *Replica) Missing(heads []cid.Cid) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	have := clockOf(r.index.findAll(heads))
	n := 0
	for lane, all := range r.index.lanes.elements {
		n += len(all) - int(have.at(uint32(lane)))
	}
	return n
}

// Stats counts what a replica holds.
type Stats struct {
	Elements, Changes, Heads int
	Refused                  map[Reason]uint64
	Rules                    uint32 // the merge version in force
}

// Stats returns the replica's counts.
func (r *Replica) Stats() Stats {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := Stats{
		Elements: r.index.byID.len(),
		Heads:    len(r.index.heads),
		Refused:  r.refused.snapshot(),
		Rules:    r.index.rules,
	}
	for _, a := range r.index.authors {
		s.Changes += len(a.changes)
	}
	return s
}

// Member is what the set says about one node key.
type Member struct {
	ID      peer.ID
	Name    string
	Role    trust.Role // the highest granted
	Paths   []string   // the globs of that grant
	Revoked bool

	// Changes is the highest number of its changes that the set holds.
	Changes uint64
	Last    time.Time // of its last change
	// LastChange is the change with that number, zero if there is none.
	LastChange definition.ChangeID
	// Forks counts changes that follow the same change as another one does: the
	// sign of a cloned key.
	Forks int
}

// Members returns every key that was ever granted, the earliest first.
func (r *Replica) Members() []Member {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var members []Member
	listed := make(map[peer.ID]bool)
	for _, e := range r.index.grants {
		id := e.statement.(*trust.Grant).Member
		if !listed[id] {
			listed[id] = true
			members = append(members, r.index.member(id))
		}
	}
	return members
}

// Member returns what the set says about a node key; false if it was never
// granted.
func (r *Replica) Member(id peer.ID) (Member, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := r.index.authors[id]
	if a == nil || len(a.grants) == 0 {
		return Member{}, false
	}
	return r.index.member(id), true
}

func (x *index) member(id peer.ID) Member {
	a := x.authors[id]
	best := slices.MaxFunc(a.grants, func(a, b *trust.Grant) int { return cmp.Compare(a.Role, b.Role) })
	m := Member{ID: id, Name: best.Name, Role: best.Role, Paths: best.Paths, Revoked: len(a.revocations) > 0, Forks: a.forks}
	if a.last != nil {
		m.Changes, m.Last, m.LastChange = a.last.seq, a.last.time.Time(), a.last.id
	}
	return m
}

// Change is one change as history shows it.
type Change struct {
	ID     definition.ChangeID
	Author peer.ID
	Seq    uint64
	Time   time.Time
	Note   string
	Actor  string
	Counts bool // false if its author was revoked before it
	Edits  []definition.Edit
}

// Change reads one change. Errors wrap ErrNotFound.
func (r *Replica) Change(ctx context.Context, id definition.ChangeID) (Change, error) {
	c, err := r.change(ctx, id)
	if err != nil {
		return Change{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.index.byID.find(id)
	return Change{
		ID: id, Author: e.author.id, Seq: c.seq, Time: c.time.Time(), Note: c.note, Actor: c.actor,
		Counts: r.index.counts(&e.versions[0]), Edits: clonesOf(c.edits),
	}, nil
}

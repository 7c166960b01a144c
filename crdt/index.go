package crdt

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// index is what a replica knows about its elements, without their contents: a
// pure function of the set, kept in memory and computed again at every start.
// It has no lock of its own; Replica guards it.
type index struct {
	byBlock lookup[digest]
	byID    lookup[definition.ChangeID]
	heads   map[*element]struct{}
	lanes   lanes
	log     timeline
	// admitted are the changes in order of admission, which is this replica's own.
	admitted []*element

	files   map[definition.Path]*file
	folded  map[string][]*file // by fold key
	below   map[string][]*file // by the fold key of each folder above
	authors map[peer.ID]*author
	rules   uint32     // the highest merge version stated
	grants  []*element // in order of admission
	limited bool       // some grant has globs
	revoked int        // how many revocations there are

	// load reads the bytes of a version from the disk.
	load    func(*version) ([]byte, error)
	merging sync.Mutex // guards what tips remember, which is filled under a reader's lock
	coming  sync.Mutex // guards tips.came and file.moved alone, so that they wait for no merge
}

// file is all that the set says about one path.
type file struct {
	path     definition.Path
	fold     string
	versions []*version // in order of admission: parents before children
	tips                // of all of them
	// left are the renames from it to other files, and sources the files that were renamed to it.
	left    []departure
	sources map[*file]struct{}
	gone    map[*version]*version // for the versions that a rename made, the deletion in the same change
	moved   *tips                 // after renames; nil if they were not asked for since they may have changed
	// settled are the conflicts that versions resolve one by one; nil if none does.
	settled map[*version][]definition.ResolvedConflict
}

// tips is the newest of some versions of a file.
type tips struct {
	heads []*version // those that count and are no ancestor of another that counts; latest first
	own   *tips      // of the file's own versions, if these have heads of other names too
	// What was asked for since the heads changed last.
	came   *version              // see index.cameWith
	merged *mergedFile           // what the heads come to
	past   []definition.Conflict // of the history; nil if it was not asked for
	// unhonoured are the conflicts of the merges that versions were made on, of those
	// that were asked for.
	unhonoured map[*version][]definition.Conflict
}

// author is all that the set says about one node key.
type author struct {
	id          peer.ID
	changes     []*element // in order of admission
	last        *element   // the change with the highest seq
	forks       int        // changes that follow the same change as another does, or nothing
	begun       bool       // a change follows nothing
	grants      []*trust.Grant
	revocations []*trust.Revocation
	// kept are the changes that still count although the key is revoked.
	kept map[*element]struct{}
}

func newIndex(load func(*version) ([]byte, error)) *index {
	return &index{
		load:    load,
		byBlock: newLookup(func(e *element) digest { return e.block }),
		byID:    newLookup(func(e *element) definition.ChangeID { return e.id }),
		heads:   make(map[*element]struct{}),
		files:   make(map[definition.Path]*file),
		folded:  make(map[string][]*file),
		below:   make(map[string][]*file),
		authors: make(map[peer.ID]*author),
	}
}

// add puts a checked element in the index and returns the paths whose view it
// may have changed. b is the block that e was checked from.
func (x *index) add(b *block, e *element) []definition.Path {
	for _, l := range e.after {
		delete(x.heads, l)
	}
	e.author = x.author(b.author)
	x.lanes.place(e)
	x.heads[e] = struct{}{}
	x.byBlock.add(e)
	x.byID.add(e)

	switch s := e.statement.(type) {
	case *trust.Grant:
		x.grants = append(x.grants, e)
		x.limited = x.limited || len(s.Paths) > 0
		a := x.author(s.Member)
		a.grants = append(a.grants, s)
	case *trust.Rules:
		x.rules = max(x.rules, s.Merge)
		dirty := make(map[*file]struct{})
		x.mergeAnew(dirty)
		return pathsOf(dirty)
	case *trust.Revocation:
		return x.revoke(s)
	}
	if b.change == nil {
		return nil
	}
	x.admitted = append(x.admitted, e)
	e.author.add(e)
	x.log.add(e)
	dirty := make(map[*file]struct{}, len(e.versions))
	for i := range e.versions {
		e.versions[i].file = x.file(b.change.edits[i].Path)
	}
	departed := x.depart(e, b.change.edits)
	for i := range e.versions {
		v, f := &e.versions[i], e.versions[i].file
		f.versions = append(f.versions, v)
		if v.is(settles) {
			if f.settled == nil {
				f.settled = make(map[*version][]definition.ResolvedConflict)
			}
			f.settled[v] = b.change.edits[i].Resolved
		}
		if x.counts(v) {
			f.put(v, x.counts)
			x.dirty(f, dirty)
		}
	}
	for _, f := range departed {
		x.dirtyBefore(f, dirty)
	}
	return pathsOf(dirty)
}

func (a *author) add(e *element) {
	switch {
	case e.prev == nil && a.begun || e.prev != nil && e.prev.followed:
		a.forks++
	case e.prev == nil:
		a.begun = true
	default:
		e.prev.followed = true
	}
	a.changes = append(a.changes, e)
	if a.last == nil || e.seq > a.last.seq || e.seq == a.last.seq && e.id.Compare(a.last.id) > 0 {
		a.last = e
	}
}

// seq returns the highest number of the author's changes, 0 if it made none.
func (a *author) seq() uint64 {
	if a.last == nil {
		return 0
	}
	return a.last.seq
}

func (x *index) author(id peer.ID) *author {
	a := x.authors[id]
	if a == nil {
		a = &author{id: id}
		x.authors[id] = a
	}
	return a
}

// revoke applies a revocation: of the member's changes count only those that
// every revocation's last_change reaches by prev, and none under purge.
func (x *index) revoke(r *trust.Revocation) []definition.Path {
	x.revoked++
	a := x.author(r.Member)
	kept := make(map[*element]struct{})
	if r.Mode != trust.ModePurge {
		for e := x.byID.find(r.LastChange); e != nil; e = e.prev {
			if _, ok := a.kept[e]; ok || len(a.revocations) == 0 {
				kept[e] = struct{}{}
			}
		}
	}
	a.revocations = append(a.revocations, r)
	a.kept = kept
	return x.recount(a)
}

// recount computes anew what depends on which of an author's changes count, and returns the paths
// whose view it may have changed.
func (x *index) recount(a *author) []definition.Path {
	touched := make(map[*file]struct{})
	for _, e := range a.changes {
		for i := range e.versions {
			touched[e.versions[i].file] = struct{}{}
		}
	}
	dirty := make(map[*file]struct{})
	for f := range touched {
		f.tips = x.tipsOf(f, func(*version) bool { return true })
		x.dirty(f, dirty)
		if len(f.left) > 0 {
			x.dirtyBefore(f, dirty)
		}
	}
	x.mergeAnew(dirty) // what a merge was based on may count no more
	return pathsOf(dirty)
}

// mergeAnew forgets what was merged.
func (x *index) mergeAnew(dirty map[*file]struct{}) {
	for _, f := range x.files {
		f.past, f.unhonoured, f.moved = nil, nil, nil
		if len(sidesOf(f.heads)) > 1 || len(f.sources) > 0 {
			f.merged, f.past = nil, nil
			x.dirty(f, dirty)
		}
	}
}

// counts reports whether a version gives bytes to the view. One that does not
// still carries ancestry.
func (x *index) counts(v *version) bool {
	a := v.author
	if len(a.revocations) == 0 {
		return true
	}
	_, ok := a.kept[v.element]
	return ok
}

// countsNow returns what counts says now. That needs no lock and does not change.
func (x *index) countsNow() func(*version) bool {
	revoked := make(map[*author]map[*element]struct{})
	for _, a := range x.authors {
		if len(a.revocations) > 0 {
			revoked[a] = a.kept // each revocation makes it anew
		}
	}
	return func(v *version) bool {
		kept, ok := revoked[v.author]
		if ok {
			_, ok = kept[v.element]
			return ok
		}
		return true
	}
}

func (x *index) file(path definition.Path) *file {
	f := x.files[path]
	if f != nil {
		return f
	}
	f = &file{path: path, fold: path.FoldKey()}
	x.files[path] = f
	x.folded[f.fold] = append(x.folded[f.fold], f)
	for folder := range folders(f.fold) {
		x.below[folder] = append(x.below[folder], f)
	}
	return f
}

// put makes a version that counts a head in place of those that it follows.
func (t *tips) put(v *version, counts func(*version) bool) {
	drop := make(map[*version]struct{})
	var follow func(*version)
	follow = func(v *version) {
		for _, p := range v.parents {
			if p.file != v.file {
				continue
			}
			if _, ok := drop[p]; ok {
				continue
			}
			drop[p] = struct{}{}
			if !counts(p) { // nobody dropped what it follows
				follow(p)
			}
		}
	}
	follow(v)
	t.heads = slices.DeleteFunc(t.heads, func(h *version) bool { _, ok := drop[h]; return ok })
	at, _ := slices.BinarySearchFunc(t.heads, v, later)
	t.heads = slices.Insert(t.heads, at, v)
	t.came, t.merged, t.past = nil, nil, nil
}

// ofOwn returns the tips of the file's own versions.
func (t *tips) ofOwn() *tips {
	if t.own != nil {
		return t.own
	}
	return t
}

// tipsOf returns the tips of those versions of a file that are in a part of the
// set. With a version its ancestors are in it.
func (x *index) tipsOf(f *file, in func(*version) bool) tips {
	var t tips
	for _, v := range f.versions {
		if x.counts(v) && in(v) {
			t.put(v, x.counts)
		}
	}
	return t
}

// dirty adds f, and all whose view depends on f's, to the set.
func (x *index) dirty(f *file, set map[*file]struct{}) {
	if _, ok := set[f]; ok {
		return
	}
	set[f] = struct{}{}
	f.moved = nil
	for c := range x.colliders(f) {
		x.dirty(c, set)
	}
	for _, d := range f.left {
		x.dirty(d.came.file, set) // what is edited under the old name may be there
	}
}

func pathsOf(files map[*file]struct{}) []definition.Path {
	paths := make([]definition.Path, 0, len(files))
	for f := range files {
		paths = append(paths, f.path)
	}
	return paths
}

// find returns the element of an admitted block, or nil.
func (x *index) find(c cid.Cid) *element {
	d, ok := digestOf(c)
	if !ok {
		return nil
	}
	return x.byBlock.find(d)
}

// findAll returns the elements of those blocks that are admitted.
func (x *index) findAll(cids []cid.Cid) []*element {
	found := make([]*element, 0, len(cids))
	for _, c := range cids {
		if e := x.find(c); e != nil {
			found = append(found, e)
		}
	}
	return found
}

// headList returns the heads in the order of their CIDs, which is that of an
// element's `after`.
func (x *index) headList() []*element {
	heads := make([]*element, 0, len(x.heads))
	for e := range x.heads {
		heads = append(heads, e)
	}
	sortByCID(heads)
	return heads
}

func sortByCID(elements []*element) {
	slices.SortFunc(elements, func(a, b *element) int { return bytes.Compare(a.block[:], b.block[:]) })
}

func cidsOf(elements []*element) []cid.Cid {
	cids := make([]cid.Cid, len(elements))
	for i, e := range elements {
		cids[i] = e.block.cid()
	}
	return cids
}

// folders yields the folders above a slash-separated name.
func folders(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; ; {
			j := strings.IndexByte(name[i:], '/')
			if j < 0 || !yield(name[:i+j]) {
				return
			}
			i += j + 1
		}
	}
}

package crdt

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// Blame is one field of a file and the version that wrote it.
type Blame struct {
	definition.Field
	Version definition.Version
	// Kept is the version that holds the field, for Remains; else it is zero.
	Kept definition.Version
}

// Blame tells of each field of a file who wrote it: the first version that holds the value
// that stands. From the file as it is now, or as the change of at made it if that is not
// zero, it walks back as long as one of the versions that a version was made on, or what
// these merge to, holds the same value in the same place, as definition.Diff sees it. It
// follows moves, and passes over versions that do not count. Of several that wrote the
// value apart from each other the earliest is blamed, by (time, change id). What no
// version holds yet, such as an object that two have emptied together, is that one's in
// whose text it stands. Comments and layout are not blamed, nor what is gone.
//
// Errors wrap ErrNotFound if there is no file. It reads from the disk, no version twice and
// no further back than it must, and holds no lock meanwhile.
func (r *Replica) Blame(ctx context.Context, at definition.Version) ([]Blame, error) {
	b := &blamer{
		stops: make(map[*version]*stop),
		load: func(v *version) ([]byte, error) {
			c, err := r.changeOf(ctx, v.element)
			if err != nil {
				return nil, err
			}
			edit, _ := editOf(c, v.file.path)
			return edit.Content, ctx.Err()
		},
	}
	heads, err := b.begin(r, at)
	if err == nil {
		err = b.walk(at.Path, heads)
	}
	if err != nil {
		return nil, fmt.Errorf("blame %s: %w", at.Path, err)
	}
	blames := make([]Blame, 0, len(b.writers))
	for i, f := range b.fields.All() {
		blames = append(blames, Blame{Field: f, Version: earliest(b.writers[i]).ref()})
	}
	return blames, nil
}

// blamer walks back through the versions of a file, the latest first. What it uses of
// the index does not change: versions are immutable, and counts is of one moment.
type blamer struct {
	counts func(*version) bool
	load   func(*version) ([]byte, error)
	reader definition.FieldReader

	stops   map[*version]*stop
	queue   stopQueue          // the stops that were not left yet
	fields  *definition.Fields // whose writers are sought
	writers [][]*version       // by field
}

// stop is a text on the way: that of a version, or one that several merge to.
type stop struct {
	version *version // nil for a merge
	path    definition.Path
	hash    definition.Hash
	content []byte
	fields  *definition.Fields // nil until they are asked for
	trails  map[trail]struct{}
}

// trail says that one of the fields that are sought was followed to a field of a stop, both
// by their index.
type trail struct{ sought, here int }

// begin takes what it needs of the index and returns the versions that hold the file.
func (b *blamer) begin(r *Replica, at definition.Version) ([]*version, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b.counts = r.index.countsNow()
	if !at.Change.IsZero() {
		v := r.index.versionIn(r.index.byID.find(at.Change), at.Path)
		if v == nil || v.is(deleted) {
			return nil, fmt.Errorf("in change %s: %w", at.Change.Short(), ErrNotFound)
		}
		return []*version{v}, nil
	}
	f := r.index.files[at.Path]
	if f == nil {
		return nil, ErrNotFound
	}
	now := r.index.now()
	t := now.tips(f)
	if !decide(t.heads).present() || now.holder(f) != f {
		return nil, ErrNotFound
	}
	if len(sidesOf(t.heads)) > 1 {
		if m := r.index.merged(f.path, t); m.withheld != "" {
			return nil, errors.New(m.withheld)
		}
	}
	return slices.Clone(t.heads), nil
}

// walk finds the writers of what heads, the latest first, come to.
func (b *blamer) walk(path definition.Path, heads []*version) error {
	merged, err := b.merge(path, heads)
	if err != nil {
		return err
	}
	b.fields = b.read(merged)
	b.writers = make([][]*version, b.fields.Len())
	for i := range b.writers {
		merged.trails[trail{i, i}] = struct{}{}
	}
	stands := decide(heads).stands
	heads = slices.DeleteFunc(heads, func(h *version) bool { return h.is(deleted) })
	sides, err := b.stopsAt(heads, merged)
	if err != nil {
		return err
	}
	b.divide(merged, sides, stands)
	for len(b.queue) > 0 {
		s := heap.Pop(&b.queue).(*stop)
		delete(b.stops, s.version) // whatever was made on it is done
		if len(s.trails) > 0 {
			if err := b.leave(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave follows the trails that lead to a version to what it was made on. What that does not
// hold is the version's own.
func (b *blamer) leave(s *stop) error {
	before := b.before(s.version)
	stops, err := b.stopsAt(before, s)
	if err != nil {
		return err
	}
	b.follow(s, stops, (*definition.Fields).HeldBy)
	for len(before) > 1 && b.mayBeMerged(s, stops) {
		// The versions of one file, that is.
		path := before[0].file.path
		others := func(v *version) bool { return v.file.path != path }
		same := slices.DeleteFunc(slices.Clone(before), others)
		before = slices.DeleteFunc(before, func(v *version) bool { return !others(v) })
		if len(sidesOf(same)) > 1 {
			merged, err := b.merge(path, same)
			if err != nil {
				return err
			}
			b.follow(s, []*stop{merged}, (*definition.Fields).HeldBy)
			b.divide(merged, stops, decide(same).stands)
		}
	}
	for t := range s.trails {
		b.writers[t.sought] = append(b.writers[t.sought], s.version)
	}
	return nil
}

// mayBeMerged reports whether those before may hold together what none of them does: each
// field of a merge is alike in one of its sides.
func (b *blamer) mayBeMerged(s *stop, before []*stop) bool {
	for _, older := range before {
		if len(s.trails) == 0 {
			return false
		}
		alike := b.read(s).AlikeIn(b.read(older))
		for t := range s.trails {
			if alike[t.here] >= 0 {
				return true
			}
		}
	}
	return false
}

// divide follows the trails that lead to a merge to its sides; stands is the one whose text it
// is.
func (b *blamer) divide(merged *stop, sides []*stop, stands *version) {
	b.follow(merged, sides, (*definition.Fields).HeldBy)
	b.follow(merged, sides, (*definition.Fields).AlikeIn)
	for t := range merged.trails {
		b.writers[t.sought] = append(b.writers[t.sought], stands)
	}
}

// follow leads the trails of a stop on to each of those before it that holds their field.
// The trails that none holds stay.
func (b *blamer) follow(s *stop, before []*stop, holds func(now, older *definition.Fields) []int) {
	if len(s.trails) == 0 {
		return
	}
	on := make(map[trail]struct{})
	for _, older := range before {
		held := holds(b.read(s), b.read(older))
		for t := range s.trails {
			if at := held[t.here]; at >= 0 {
				older.trails[trail{t.sought, at}] = struct{}{}
				on[t] = struct{}{}
			}
		}
	}
	for t := range on {
		delete(s.trails, t)
	}
}

// before returns the versions with bytes that a version was made on, the latest first: as far
// as they count, and in the place of those that do not what they were made on; but
// none that another one of them follows.
func (b *blamer) before(v *version) []*version {
	var before []*version
	seen := make(map[*version]struct{})
	lowest := v.prio
	for todo := slices.Clone(v.parents); len(todo) > 0; todo = todo[1:] {
		p := todo[0]
		if _, ok := seen[p]; ok {
			continue
		}
		seen[p] = struct{}{}
		if !b.counts(p) {
			todo = append(todo, p.parents...)
			continue
		}
		before, lowest = append(before, p), min(lowest, p.prio)
	}
	if len(before) > 1 {
		followed := make(map[*version]struct{})
		todo := slices.Clone(before)
		for ; len(todo) > 0; todo = todo[1:] {
			for _, p := range todo[0].parents {
				if _, ok := followed[p]; !ok && p.prio >= lowest {
					followed[p] = struct{}{}
					todo = append(todo, p)
				}
			}
		}
		before = slices.DeleteFunc(before, func(p *version) bool { _, ok := followed[p]; return ok })
	}
	before = slices.DeleteFunc(before, func(p *version) bool { return p.is(deleted) })
	slices.SortFunc(before, laterOrPath)
	return before
}

// merge returns what versions of one file, the latest first, come to: of several, their merged
// bytes.
func (b *blamer) merge(path definition.Path, versions []*version) (*stop, error) {
	var content []byte
	var err error
	if sides := sidesOf(versions); len(sides) > 1 {
		m := merger{path: path, load: b.contentOf, counts: b.counts, memo: make(map[string][]byte)}
		var out outcome
		out, err = m.merge(sides, 0)
		content = out.content
	} else {
		content, err = b.contentOf(decide(versions).stands)
	}
	return &stop{path: path, hash: definition.HashOf(content), content: content, trails: make(map[trail]struct{})}, err
}

func (b *blamer) contentOf(v *version) ([]byte, error) {
	s, err := b.stopAt(v, nil)
	if err != nil {
		return nil, err
	}
	return s.content, nil
}

// stopsAt returns the stops at versions that were made just before a text.
func (b *blamer) stopsAt(versions []*version, after *stop) ([]*stop, error) {
	stops := make([]*stop, len(versions))
	for i, v := range versions {
		var err error
		if stops[i], err = b.stopAt(v, after); err != nil {
			return nil, err
		}
	}
	return stops, nil
}

// stopAt returns the stop at a version. It reads the version unless it was read before or has
// the bytes of the one after it.
func (b *blamer) stopAt(v *version, after *stop) (*stop, error) {
	if s := b.stops[v]; s != nil {
		return s, nil
	}
	s := &stop{version: v, path: v.file.path, hash: v.hash, trails: make(map[trail]struct{})}
	if after != nil && after.hash == s.hash && after.path.Ext() == s.path.Ext() {
		s.content, s.fields = after.content, b.read(after)
	} else {
		var err error
		if s.content, err = b.load(v); err != nil {
			return nil, err
		}
	}
	b.stops[v] = s
	heap.Push(&b.queue, s)
	return s, nil
}

func (b *blamer) read(s *stop) *definition.Fields {
	if s.fields == nil {
		s.fields = b.reader.Read(s.path, s.content)
	}
	return s.fields
}

// earliest returns the earliest by (time, change id) of those versions that come after no
// other of them.
func earliest(versions []*version) *version {
	first := slices.DeleteFunc(slices.Clone(versions), func(v *version) bool {
		return slices.ContainsFunc(versions, func(o *version) bool { return o.element != v.element && v.descendsFrom(o.element) })
	})
	return slices.MaxFunc(first, laterOrPath)
}

// laterOrPath is later for versions of several paths.
func laterOrPath(a, b *version) int { return cmp.Or(later(a, b), a.file.path.Compare(b.file.path)) }

// stopQueue is a heap of stops at versions, later ones first: what a version was made on comes
// after it.
type stopQueue []*stop

func (q stopQueue) Len() int           { return len(q) }
func (q stopQueue) Less(i, j int) bool { return q[i].version.prio > q[j].version.prio }
func (q stopQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *stopQueue) Push(s any)        { *q = append(*q, s.(*stop)) }

// Pop implements heap.Interface.
func (q *stopQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

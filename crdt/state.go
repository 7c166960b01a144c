package crdt

import (
	"context"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// state is the set as views are computed of it: as it is now, or as it was once.
// Both are computed by the same code, since an earlier set is a part of this one
// that holds all ancestors of what it holds: what it comes to is decided by the
// versions that are in it, and by nothing else. A state remembers what it computed
// and is good only while the index lock is held.
type state struct {
	index *index
	// past is nil for now. Else the state is what upTo names, and past holds the
	// tips of the files that were asked for.
	past        map[*file]*tips
	moved       map[*file]*tips // the same after renames
	upTo        clock
	holders     map[*file]*file      // who holds the place of a file
	precedences map[*file]precedence // of the files that were compared
	reaches     map[reach]bool       // whether that author may write all of that class
}

// now returns the whole set.
func (x *index) now() *state {
	return &state{index: x, holders: make(map[*file]*file), precedences: make(map[*file]precedence), reaches: make(map[reach]bool)}
}

// at returns the part of the set that a clock names.
func (x *index) at(c clock) *state {
	s := x.now()
	s.past, s.moved, s.upTo = make(map[*file]*tips), make(map[*file]*tips), c
	return s
}

// holds reports whether a version is in the state.
func (s *state) holds(v *version) bool { return s.past == nil || s.upTo.covers(v.element) }

// ownTips returns the tips of a file's own versions.
func (s *state) ownTips(f *file) *tips {
	if s.past == nil {
		return &f.tips
	}
	t, ok := s.past[f]
	if !ok {
		if slices.ContainsFunc(f.versions, func(v *version) bool { return !s.holds(v) }) {
			then := s.index.tipsOf(f, s.holds)
			t = &then
		} else {
			t = &f.tips // nothing has come since
		}
		s.past[f] = t
	}
	return t
}

// views returns the view of every path that has a version in the set, in order.
// Paths that have one only since then are among them, and absent.
func (s *state) views() []definition.View {
	views := make([]definition.View, 0, len(s.index.files))
	for p := range s.index.files {
		views = append(views, s.view(p))
	}
	slices.SortFunc(views, func(a, b definition.View) int { return a.Path.Compare(b.Path) })
	return views
}

// read returns a path's view and the bytes that it stands for.
func (s *state) read(ctx context.Context, path definition.Path) (definition.View, []byte, error) {
	view := s.view(path)
	switch {
	case view.Withheld != "":
		return view, nil, fmt.Errorf("read %s: %s", path, view.Withheld)
	case !view.Present:
		return view, nil, ctx.Err()
	}
	content, err := s.index.content(path, s.tips(s.index.files[path]))
	return view, content, err
}

// content returns the bytes that the tips of a path come to, whether or not another
// path is held in its place; nil if no file stands.
func (x *index) content(path definition.Path, t *tips) ([]byte, error) {
	d := decide(t.heads)
	switch {
	case !d.present():
		return nil, nil
	case len(sidesOf(t.heads)) < 2:
		return x.load(d.stands)
	}
	out, err := x.merge(path, t)
	return out.content, err
}

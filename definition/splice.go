package definition

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// errLayout is why a value of the earlier side has no place in the later side's text.
var errLayout = errors.New("a value has no place in the other side's layout")

// splicer writes revisions into the later side's text.
type splicer struct {
	base, later, earlier *side
	patches              []patch
	top                  int  // the lines before this offset are all taken out
	failed               bool // a value has no place
}

// patch replaces src[start:end] of the later side's text.
type patch struct {
	start, end int
	text       string
}

// splice returns the later side's text with all revisions made. The error wraps errLayout.
// That the text is right is for the caller to check, by reading it.
func splice(base, later, earlier *side, revisions []*revision) ([]byte, error) {
	s := &splicer{base: base, later: later, earlier: earlier}
	if bytes.HasPrefix(later.content, []byte(byteOrderMark)) {
		s.top = len(byteOrderMark)
	}
	for _, r := range revisions {
		if r.retag {
			s.retag(r)
		}
		switch {
		case r.container.block:
			s.block(r)
		case r.becomesBlock():
			s.unfold(r)
		default:
			s.enclosed(r)
		}
	}
	if s.failed {
		return nil, errLayout
	}
	return s.apply()
}

// patch notes a replacement. Insertions at one place are made in the order in which they
// were noted, before what is there is replaced.
func (s *splicer) patch(start, end int, text string) {
	if start < end || text != "" {
		s.patches = append(s.patches, patch{start, end, text})
	}
}

// removeLines takes out the lines from that of one offset to the one that ends at tail. It
// leaves the line break at tail in the place of the one before them, so that something can
// still be inserted there; at the top of the text there is none before.
func (s *splicer) removeLines(from, tail int) {
	if start := s.later.lineStart(from); start == s.top {
		s.top = lineEnd(s.later.content, tail)
		s.patch(start, s.top, "")
		return
	}
	before, _ := s.later.breakBefore(from)
	s.patch(before, tail, "")
}

// insertAbove inserts lines above that of an offset, which may be taken out.
func (s *splicer) insertAbove(at int, lines string) {
	if before, ok := s.later.breakBefore(at); ok {
		s.patch(before, before, s.later.newline+lines)
		return
	}
	start := s.later.lineStart(at)
	s.patch(start, start, lines+s.later.newline)
}

func (s *splicer) apply() ([]byte, error) {
	slices.SortStableFunc(s.patches, func(a, b patch) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	src := s.later.content
	out := make([]byte, 0, len(src)+len(s.earlier.content)/4)
	at := 0
	for _, p := range s.patches {
		if p.start < at {
			return nil, errLayout
		}
		out = append(append(out, src[at:p.start]...), p.text...)
		at = p.end
	}
	return append(out, src[at:]...), nil
}

// retag puts the earlier side's tag in the place of the later one's; both have one.
func (s *splicer) retag(r *revision) {
	s.patch(r.container.start, r.container.props, string(s.earlier.content[r.source.start:r.source.props]))
}

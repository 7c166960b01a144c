package definition

import "strings"

// block makes a revision in a mapping or sequence of YAML in block style: one entry after
// the other, each on lines of its own, all in one column.
func (s *splicer) block(r *revision) {
	kids := r.container.kids
	column := s.later.columnOf(kids[0].entry)
	stays := false
	for i := range r.fates {
		stays = stays || !r.fates[i].removed
	}
	if !stays && len(r.insertions) == 0 {
		s.empty(r.container)
		return
	}
	indent := strings.Repeat(" ", column)
	var first []string
	behind := make([][]string, len(kids))
	for _, in := range r.insertions {
		if entry := s.blockEntry(r, &r.source.kids[in.kid], indent); in.after < 0 {
			first = append(first, entry)
		} else {
			behind[in.after] = append(behind[in.after], entry)
		}
	}
	s.insertFirst(r, first, indent)
	gone := 0 // so many entries are taken out already
	if r.fates[0].removed && !s.later.headsLine(kids[0].entry) {
		gone = 1 // insertFirst did
		if len(first) == 0 {
			gone = s.moveUp(r)
		}
	}
	for i := range r.fates {
		switch f := r.fates[i]; {
		case i < gone:
		case f.removed:
			tail, _ := s.later.tail(kids[i].end)
			s.removeLines(kids[i].entry, tail)
		case f.by != nil && r.container.kind == Array:
			s.replaceItem(kids[i].entry, kids[i].end, s.blockEntry(r, f.by, indent), f.by)
		case f.by != nil:
			s.replaceValue(&kids[i], f.by)
		}
		tail, _ := s.later.tail(kids[i].end)
		for _, entry := range behind[i] {
			s.patch(tail, tail, s.later.newline+indent+entry)
		}
	}
}

// insertFirst inserts entries before all that stay. Where the first entry is on its parent's
// line, they take its place there.
func (s *splicer) insertFirst(r *revision, entries []string, indent string) {
	if len(entries) == 0 {
		return
	}
	first, nl := &r.container.kids[0], s.later.newline
	text := strings.Join(entries, nl+indent)
	switch {
	case s.later.headsLine(first.entry):
		s.insertAbove(first.entry, indent+text)
	case r.fates[0].removed:
		s.replaceItem(first.entry, first.end, text, &r.source.kids[r.insertions[len(entries)-1].kid])
	default:
		s.patch(first.entry, first.entry, text+nl+indent)
	}
}

// replaceItem replaces text that begins on a dash's line by text that ends with the value
// last. A comment behind the old text would become a part of a string in block style; then it
// moves to the end of the first line.
func (s *splicer) replaceItem(start, end int, text string, last *node) {
	for last.block && last.isContainer() {
		last = &last.kids[len(last.kids)-1]
	}
	if !last.block {
		s.patch(start, end, text)
		return
	}
	tail, _ := s.later.tail(end)
	line, rest, _ := strings.Cut(text, "\n")
	s.patch(start, tail, line+string(s.later.content[end:tail])+"\n"+rest)
}

// blockEntry returns an entry of the earlier side for a container in block style.
func (s *splicer) blockEntry(r *revision, kid *node, indent string) string {
	e := s.earlier
	strip := e.columnOf(kid.entry)
	if !r.source.block {
		strip = len(e.indentation(kid.entry))
	}
	text := e.piece(kid, kid.entry, strip, indent, len(indent))
	if r.container.kind == Array && !r.source.block {
		return "- " + text
	}
	return text
}

// moveUp takes out the first entry of a container, which is on its parent's line. The first
// entry that stays moves there, unless comments are between; those between are taken
// out too. It returns how many were.
func (s *splicer) moveUp(r *revision) (gone int) {
	src, kids := s.later.content, r.container.kids
	blank := true
	for ; gone < len(kids) && r.fates[gone].removed; gone++ {
		if tail, _ := s.later.tail(kids[gone].end); gone+1 < len(kids) {
			blank = blank && strings.TrimSpace(string(src[tail:kids[gone+1].entry])) == ""
		}
	}
	if gone < len(kids) && blank {
		s.patch(kids[0].entry, kids[gone].entry, "")
		return gone
	}
	tail, _ := s.later.tail(kids[0].end)
	s.patch(trimBlank(src, kids[0].entry), tail, "")
	return 1
}

// empty makes a container in block style an empty one. YAML has no other text for that than
// brackets.
func (s *splicer) empty(n *node) {
	brackets := "{}"
	if n.kind == Array {
		brackets = "[]"
	}
	if n.after == 0 || !s.later.headsLine(n.body) {
		s.patch(n.body, n.end, brackets)
		return
	}
	at := n.after
	if n.props > n.start {
		at = n.props
	}
	tail, _ := s.later.tail(n.end)
	s.patch(at, at, " "+brackets)
	s.removeLines(n.body, tail)
}

// valueParts tells the two parts of a member's value: its head, on the line of the key, and
// its body, the lines after that, from the one that begins at body up to the end of
// the value. body is -1 if there is none.
func (s *side) valueParts(n *node) (headStart, headEnd, body int) {
	switch {
	case n.block && n.isContainer() && n.props > n.start:
		return n.start, n.props, s.lineStart(n.body)
	case n.block && n.isContainer():
		return n.after, n.after, s.lineStart(n.body)
	case n.block: // a string
		headEnd = n.body
		for headEnd < n.end && strings.IndexByte("|>+-0123456789", s.content[headEnd]) >= 0 {
			headEnd++
		}
		tail, _ := s.tail(headEnd)
		if tail >= n.end {
			return n.start, headEnd, -1
		}
		return n.start, headEnd, lineEnd(s.content, tail)
	case n.start == n.end:
		return n.after, n.after, -1
	}
	return n.start, n.end, -1
}

// replaceValue puts the value of a member of the earlier side in the place of one of the
// later side, which is in block style.
func (s *splicer) replaceValue(old, by *node) {
	src, nl := s.later.content, s.later.newline
	oldStart, oldEnd, oldBody := s.later.valueParts(old)
	start, end, body := s.earlier.valueParts(by)
	if by.block && !by.isContainer() && oldBody >= 0 {
		// Comments above the old value's first line would become text of the new one.
		tail, _ := s.later.tail(oldEnd)
		oldBody = lineEnd(src, tail)
	}
	strip, indent := s.earlier.columnOf(by.entry), strings.Repeat(" ", s.later.columnOf(old.entry))

	head := node{end: end}
	text := s.earlier.piece(&head, start, strip, indent, oldStart)
	switch {
	case oldStart == oldEnd && text != "":
		s.patch(old.after, old.after, " "+text)
	case text == "":
		s.patch(old.after, oldEnd, "")
	default:
		s.patch(oldStart, oldEnd, text)
	}

	lines := ""
	if body >= 0 {
		lines = s.earlier.piece(by, body, strip, indent, 0)
		lines = indent + strings.TrimPrefix(lines, strings.Repeat(" ", strip)) // the first line too
	}
	tail, _ := s.later.tail(old.end)
	switch {
	case oldBody >= 0 && lines != "":
		s.patch(oldBody, tail, lines)
	case oldBody >= 0:
		s.removeLines(oldBody, tail)
	case lines != "":
		s.patch(tail, tail, nl+lines)
	}
}

// becomesBlock reports whether the revision fills a collection of YAML that has empty
// brackets from one in block style.
func (r *revision) becomesBlock() bool {
	return len(r.container.kids) == 0 && r.source.block && r.source.isContainer() && !r.container.inFlow
}

// unfold makes such a revision.
func (s *splicer) unfold(r *revision) {
	src, nl := s.later.content, s.later.newline
	l, e := r.container, r.source
	if l.after == 0 { // the root
		indent := ""
		s.patch(trimBlank(src, l.body), l.end, s.unfolded(r, nl, indent, s.later.headsLine(l.body)))
		return
	}
	column := s.later.columnOf(l.entry) + s.earlier.columnOf(e.kids[0].entry) - s.earlier.columnOf(e.entry)
	if src[l.after-1] == '-' { // a compact one, behind its parent's dash
		text := s.unfolded(r, nl, strings.Repeat(" ", s.later.columnOf(l.body)), true)
		s.replaceItem(l.body, l.end, text, &r.source.kids[r.insertions[len(r.insertions)-1].kid])
		return
	}
	tail, _ := s.later.tail(l.end)
	s.patch(trimBlank(src, l.body), l.end, "")
	s.patch(tail, tail, s.unfolded(r, nl, strings.Repeat(" ", max(0, column)), false))
}

// unfolded returns the entries of a revision that fills an empty collection, each on a line.
// first says that the first begins where the collection did.
func (s *splicer) unfolded(r *revision, nl, indent string, first bool) string {
	var b strings.Builder
	for i, in := range r.insertions {
		if i > 0 || !first {
			b.WriteString(nl + indent)
		}
		b.WriteString(s.blockEntry(r, &r.source.kids[in.kid], indent))
	}
	return b.String()
}

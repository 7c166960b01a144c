package definition

import "bytes"

// withComments returns text, the entry of a kid of the earlier side, with the comments that the
// earlier side wrote for it: those on the lines directly above it, and the one behind it.
// Comments that the base or the later side has too are about something else.
func (s *splicer) withComments(r *revision, i int, text, indent string) string {
	src, kid := s.earlier.content, &r.source.kids[i]
	if !s.earlier.headsLine(kid.entry) {
		return text
	}
	isNew := func(comment []byte) bool {
		return len(comment) > 0 && !bytes.Contains(s.base.content, comment) && !bytes.Contains(s.later.content, comment)
	}
	before := r.source.body // the end of what is before the kid
	if i > 0 {
		before = r.source.kids[i-1].end
	}
	var above []string
	for at := s.earlier.lineStart(kid.entry); ; {
		end, ok := s.earlier.breakBefore(at)
		if !ok || s.earlier.lineStart(end) <= before {
			break
		}
		at = s.earlier.lineStart(end)
		line := bytes.TrimSpace(src[at:end])
		if tail, ok := s.earlier.tail(at); !ok || tail < end || !isNew(line) {
			break // no comment, or known
		}
		above = append(above, string(line)+s.later.newline+indent)
	}
	for _, line := range above {
		text = line + text
	}

	next := r.source.end
	if i+1 < len(r.source.kids) {
		next = r.source.kids[i+1].entry
	}
	at := kid.end
	if comma := s.earlier.comma(at, next); comma >= 0 && bytes.IndexByte(src[at:comma], '\n') < 0 {
		at = comma + 1
	}
	if tail, ok := s.earlier.tail(at); ok {
		if behind := bytes.TrimSpace(src[at:tail]); isNew(behind) {
			text += " " + string(behind)
		}
	}
	return text
}

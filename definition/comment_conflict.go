package definition

import "strings"

// note notes a conflict about a comment that belongs to a quad; there is one for each quad and
// outcome, of several lines. It reports whether the earlier side is to be taken there.
func (c *commentMerger) note(quad int, base, later, earlier FieldText) (taken bool) {
	at := pointerTo(c.quads, quad)
	if at == "" {
		at = DocumentComments
	}
	if c.takes(at) {
		return true
	}
	key := notedAt{quad, later.Present, earlier.Present}
	i, ok := c.noted[key]
	if !ok {
		i = len(c.conflicts)
		c.noted[key] = i
		c.conflicts = append(c.conflicts, commentConflict{at: at})
		c.listed += len(at)
	}
	for side, text := range []FieldText{base, later, earlier} {
		c.conflicts[i].texts[side] = append(c.conflicts[i].texts[side], text)
	}
	return false
}

// notedAt is what the comments of one conflict have in common.
type notedAt struct {
	quad           int
	later, earlier bool // there is a text
}

// commentConflict is a conflict with the texts of its comments.
type commentConflict struct {
	at    string
	texts [3][]FieldText
}

// fieldConflicts returns the conflicts that were noted.
func (c *commentMerger) fieldConflicts() []FieldConflict {
	all := make([]FieldConflict, len(c.conflicts))
	for i, one := range c.conflicts {
		all[i] = FieldConflict{
			Kind: FieldComment, Pointer: one.at,
			Base: joined(one.texts[ofBase]), Later: joined(one.texts[ofLater]), Earlier: joined(one.texts[ofEarlier]),
		}
	}
	return all
}

// joined returns texts as one, each on a line.
func joined(texts []FieldText) FieldText {
	var lines []string
	present := false
	for _, t := range texts {
		present = present || t.Present
		if t.Text != "" {
			lines = append(lines, t.Text)
		}
	}
	return FieldText{Text: strings.Join(lines, "\n"), Present: present}
}

package crdt

import (
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// losses is who lost what in the fold of a path's sides: one record for each losing side
// and field, or whole file.
type losses struct {
	fields []contested
	files  []definition.Conflict

	read  map[*version]map[string]string // the fields of sides that were looked at, by pointer
	apart int                            // how many pairs were merged by themselves
}

// contested is one field to which sides gave different values.
type contested struct {
	definition.FieldConflict // as the last merge that was in conflict about it met it

	text   definition.FieldText // what stands
	stands side                 // the latest that wrote it
	lost   []loser
}

// loser is a side whose value of a field does not stand.
type loser struct {
	side side
	text definition.FieldText
}

// maxApart is how many pairs of sides are merged by themselves to find who wrote a value. Beyond
// it the latest of those that may have is named.
const maxApart = 16

// lose notes the fields at which next, a side, and those folded before it are in conflict.
func (m *merger) lose(l *losses, conflicts []definition.FieldConflict, next side, folded []side) error {
	var apart [][]definition.FieldConflict // by folded side; nil until it is needed
	for _, c := range conflicts {
		writers, err := m.holders(l, c, folded)
		if err == nil && len(writers) == 0 && apart == nil {
			apart = make([][]definition.FieldConflict, len(folded))
			for i, s := range folded {
				if l.apart++; l.apart > maxApart {
					break
				}
				if apart[i], err = m.apart(s, next); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
		if len(writers) == 0 {
			writers = writersOf(c, folded, apart)
		}
		if c.Later.Present { // else it stands: an edit stands against a removal
			l.field(c, c.Later, next, writers)
		} else {
			l.field(c, c.Earlier, writers[0].side, []loser{{next, c.Later}})
		}
	}
	return nil
}

// inside is the text of what has fields below it, which is no value's.
const inside = "\x00"

// holders returns the sides that have the earlier value of a conflict in its place, the latest
// first; none where that does not tell, as in a list, whose indices are others in each side.
func (m *merger) holders(l *losses, c definition.FieldConflict, folded []side) ([]loser, error) {
	if len(folded) == 1 {
		return []loser{{folded[0], c.Earlier}}, nil
	}
	if c.Kind != definition.FieldValue || c.Pointer == "" || placeOf(c.Pointer) != c.Pointer {
		return nil, nil
	}
	var holders []loser
	for _, s := range folded {
		fields, ok := l.read[s.latest()]
		if !ok {
			content, err := m.load(s.latest())
			if err != nil {
				return nil, err
			}
			fields = make(map[string]string)
			for _, f := range new(definition.FieldReader).Read(m.path, content).All() {
				fields[f.Pointer] = f.Text
				for i := strings.LastIndexByte(f.Pointer, '/'); i > 0; i = strings.LastIndexByte(f.Pointer[:i], '/') {
					fields[f.Pointer[:i]] = inside // what is above it is there too
				}
			}
			if l.read == nil {
				l.read = make(map[*version]map[string]string)
			}
			l.read[s.latest()] = fields
		}
		if text, ok := fields[c.Pointer]; text != inside && ok == c.Earlier.Present && text == c.Earlier.Text {
			holders = append(holders, loser{s, c.Earlier})
		}
	}
	return holders, nil
}

// apart returns the conflicts that two sides have without the others.
func (m *merger) apart(earlier, later side) ([]definition.FieldConflict, error) {
	base, err := m.base(earlier, later, 0)
	if err != nil {
		return nil, err
	}
	text, err := m.load(later.latest())
	if err != nil {
		return nil, err
	}
	content, err := m.load(earlier.latest())
	if err != nil {
		return nil, err
	}
	merged, err := m.threeWay(base, text, content)
	if err != nil {
		return nil, nil // what they were merged to has a structure all the same
	}
	return merged.Conflicts, nil
}

// writersOf returns the sides that wrote the earlier value of a conflict, the latest first:
// those that are in the same conflict alone. If none is, the value was put together of those
// that are in conflict in that place.
func writersOf(c definition.FieldConflict, folded []side, apart [][]definition.FieldConflict) []loser {
	for _, same := range []func(o definition.FieldConflict) bool{
		func(o definition.FieldConflict) bool { return o.Pointer == c.Pointer && o.Earlier == c.Earlier },
		func(o definition.FieldConflict) bool {
			return placeOf(o.Pointer) == placeOf(c.Pointer) && o.Earlier == c.Earlier
		},
		func(o definition.FieldConflict) bool { return placeOf(o.Pointer) == placeOf(c.Pointer) },
	} {
		var writers []loser
		for i, s := range folded {
			if j := slices.IndexFunc(apart[i], same); j >= 0 {
				writers = append(writers, loser{s, apart[i][j].Earlier})
			}
		}
		if len(writers) > 0 {
			return writers
		}
	}
	return []loser{{folded[0], c.Earlier}}
}

// sameField reports whether two conflicts are about the same. What is a field to two sides may be
// an item or an object to two others, but a comment is another thing than what it is beside.
func sameField(a, b definition.FieldConflict) bool {
	return a.Pointer == b.Pointer && (a.Kind == definition.FieldComment) == (b.Kind == definition.FieldComment)
}

func samePlace(a, b definition.FieldConflict) bool {
	a.Pointer, b.Pointer = placeOf(a.Pointer), placeOf(b.Pointer)
	return sameField(a, b)
}

// placeOf returns a pointer without indices, which differ where more items are merged.
func placeOf(pointer string) string {
	tokens := strings.Split(pointer, "/")
	for i, t := range tokens {
		if t != "" && strings.Trim(t, "0123456789") == "" {
			tokens[i] = "*"
		}
	}
	return strings.Join(tokens, "/")
}

// field notes that a field has a text, which a side wrote, and who lost it. Those who lost the
// field before have lost it to that side now.
func (l *losses) field(c definition.FieldConflict, text definition.FieldText, stands side, lost []loser) {
	if text == c.Later && c.Kind != definition.FieldComment { // what was put together below it stands no more
		l.fields = slices.DeleteFunc(l.fields, func(o contested) bool { return strings.HasPrefix(o.Pointer, c.Pointer+"/") })
	}
	i := slices.IndexFunc(l.fields, func(o contested) bool { return sameField(o.FieldConflict, c) && o.text == c.Earlier })
	if i < 0 {
		i = slices.IndexFunc(l.fields, func(o contested) bool { return samePlace(o.FieldConflict, c) && o.text == c.Earlier })
	}
	if i < 0 {
		i = len(l.fields)
		l.fields = append(l.fields, contested{})
	}
	f := &l.fields[i]
	f.FieldConflict, f.text, f.stands = c, text, stands
	for _, n := range lost {
		if !slices.ContainsFunc(f.lost, func(o loser) bool { return o.side.latest() == n.side.latest() }) {
			f.lost = append(f.lost, n)
		}
	}
}

// file notes that a side stands whole against others, with all that was merged into them.
func (l *losses) file(lost []side, stands side, reason string) {
	l.fields = nil
	for i := range l.files {
		l.files[i].Stands = stands.latest().ref()
	}
	for _, s := range lost {
		l.files = append(l.files, whole(s, stands, reason))
	}
}

// whole is the conflict of a side that does not stand at all.
func whole(lost, stands side, reason string) definition.Conflict {
	return definition.Conflict{Kind: definition.ConflictEdits, Lost: lost.latest().ref(), Stands: stands.latest().ref(), Reason: reason}
}

// conflicts returns the records. A side that wrote what stands in the end has lost nothing.
func (l *losses) conflicts() []definition.Conflict {
	out := l.files
	for _, f := range l.fields {
		for _, lost := range f.lost {
			if lost.text == f.text {
				continue
			}
			c := definition.Conflict{
				Kind: definition.ConflictEdits, Pointer: f.Pointer, FieldKind: f.Kind,
				Lost: lost.side.latest().ref(), Stands: f.stands.latest().ref(),
				Base: f.Base, LostText: lost.text, StandsText: f.text,
			}
			switch {
			case c.Pointer != "":
			case c.FieldKind == definition.FieldObject:
				c.Reason = "both sides gave it another class"
			default:
				c.Reason = "both sides changed it as a whole"
			}
			out = append(out, c)
		}
	}
	return out
}

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

// lose notes the fields at which next, a side, and those folded before it are in conflict.
func (m *merger) lose(l *losses, conflicts []definition.FieldConflict, next side, folded []side) error {
	if len(conflicts) == 0 {
		return nil
	}
	apart := make([][]definition.FieldConflict, len(folded))
	if len(folded) > 1 {
		for i, s := range folded {
			var err error
			if apart[i], err = m.apart(s, next); err != nil {
				return err
			}
		}
	}
	for _, c := range conflicts {
		writers := writersOf(c, folded, apart)
		if c.Later.Present { // else it stands: an edit stands against a removal
			l.field(c, c.Later, next, writers)
		} else {
			l.field(c, c.Earlier, writers[0].side, []loser{{next, c.Later}})
		}
	}
	return nil
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
	if len(folded) == 1 {
		return []loser{{folded[0], c.Earlier}}
	}
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

func sameField(a, b definition.FieldConflict) bool { return a.Kind == b.Kind && a.Pointer == b.Pointer }

func samePlace(a, b definition.FieldConflict) bool {
	return a.Kind == b.Kind && placeOf(a.Pointer) == placeOf(b.Pointer)
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

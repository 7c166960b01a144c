package crdt

import (
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// losses is who lost what in the fold of a path's sides: one record for each losing side
// and field, or whole file.
type losses struct {
	fields  []contested
	byField map[fieldKey][]int // where fields has a text that stands; some may be out of date
	byPlace map[fieldKey][]int // the same without indices
	files   []definition.Conflict

	read  map[*version]map[string]string // the fields of sides that were looked at, by pointer
	apart int                            // how many pairs were merged by themselves
}

// contested is one field to which sides gave different values.
type contested struct {
	definition.FieldConflict // as the last merge that was in conflict about it met it

	text   definition.FieldText // what stands
	stands side                 // the latest that wrote it
	lost   []loser
	gone   bool // what has it below itself was changed as a whole
}

// fieldKey is a text in a field. A comment is another thing than what it is beside; what is a
// field to two sides may be an item or an object to two others.
type fieldKey struct {
	pointer string
	comment bool
	text    definition.FieldText
}

func keyOfField(c definition.FieldConflict, text definition.FieldText) fieldKey {
	return fieldKey{c.Pointer, c.Kind == definition.FieldComment, text}
}

// anywhere is a key without indices.
func (k fieldKey) anywhere() fieldKey {
	k.pointer = placeOf(k.pointer)
	return k
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
	l.overwrite(conflicts)
	var apart []apartFrom // by folded side; nil until it is needed
	for _, c := range conflicts {
		writers, err := m.holders(l, c, folded)
		if err == nil && len(writers) == 0 && apart == nil {
			apart = make([]apartFrom, len(folded))
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
				for i := strings.LastIndexByte(f.Pointer, '/'); i > 0 && fields[f.Pointer[:i]] != inside; i = strings.LastIndexByte(f.Pointer[:i], '/') {
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

// apartFrom is the conflicts that a side has with another without the others: the first of each
// kind, and what the side has there.
type apartFrom struct {
	exact map[fieldKey]bool
	alike map[fieldKey]bool                 // without indices
	place map[fieldKey]definition.FieldText // without indices and texts
}

// apart returns the conflicts that two sides have without the others.
func (m *merger) apart(earlier, later side) (apartFrom, error) {
	base, err := m.base(earlier, later, 0)
	if err != nil {
		return apartFrom{}, err
	}
	text, err := m.load(later.latest())
	if err != nil {
		return apartFrom{}, err
	}
	content, err := m.load(earlier.latest())
	if err != nil {
		return apartFrom{}, err
	}
	// Two that do not merge are in no conflict by field: the value is another's.
	a := apartFrom{make(map[fieldKey]bool), make(map[fieldKey]bool), make(map[fieldKey]definition.FieldText)}
	if merged, err := m.threeWay(base, text, content); err == nil {
		for _, c := range merged.Conflicts {
			exact := keyOfField(c, c.Earlier)
			alike := exact.anywhere()
			a.exact[exact], a.alike[alike] = true, true
			alike.text = definition.FieldText{}
			if _, ok := a.place[alike]; !ok {
				a.place[alike] = c.Earlier
			}
		}
	}
	return a, nil
}

// writersOf returns the sides that wrote the earlier value of a conflict, the latest first:
// those that are in the same conflict alone. If none is, the value was put together of those
// that are in conflict in that place.
func writersOf(c definition.FieldConflict, folded []side, apart []apartFrom) []loser {
	exact := keyOfField(c, c.Earlier)
	alike := exact.anywhere()
	place := alike
	place.text = definition.FieldText{}
	for _, has := range []func(a apartFrom) (definition.FieldText, bool){
		func(a apartFrom) (definition.FieldText, bool) { return c.Earlier, a.exact[exact] },
		func(a apartFrom) (definition.FieldText, bool) { return c.Earlier, a.alike[alike] },
		func(a apartFrom) (definition.FieldText, bool) { text, ok := a.place[place]; return text, ok },
	} {
		var writers []loser
		for i, s := range folded {
			if text, ok := has(apart[i]); ok {
				writers = append(writers, loser{s, text})
			}
		}
		if len(writers) > 0 {
			return writers
		}
	}
	return []loser{{folded[0], c.Earlier}}
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

// overwrite forgets the fields of earlier folds below those that a later side changed as a whole:
// what was put together there stands no more.
func (l *losses) overwrite(conflicts []definition.FieldConflict) {
	if len(l.fields) == 0 {
		return
	}
	whole := make(map[string]bool)
	for _, c := range conflicts {
		if c.Later.Present && c.Kind != definition.FieldComment {
			whole[c.Pointer] = true
		}
	}
	for i := range l.fields {
		f := &l.fields[i]
		for at := strings.LastIndexByte(f.Pointer, '/'); at >= 0 && !f.gone; at = strings.LastIndexByte(f.Pointer[:at], '/') {
			f.gone = whole[f.Pointer[:at]]
		}
	}
}

// find returns the field that has a text, by one of the two maps, or -1.
func (l *losses) find(places map[fieldKey][]int, key fieldKey, current func(fieldKey) fieldKey) int {
	for at := places[key]; len(at) > 0; at = at[1:] {
		if f := &l.fields[at[0]]; !f.gone && current(keyOfField(f.FieldConflict, f.text)) == key {
			places[key] = at
			return at[0]
		}
	}
	delete(places, key)
	return -1
}

// field notes that a field has a text, which a side wrote, and who lost it. Those who lost the
// field before have lost it to that side now.
func (l *losses) field(c definition.FieldConflict, text definition.FieldText, stands side, lost []loser) {
	if l.byField == nil {
		l.byField, l.byPlace = make(map[fieldKey][]int), make(map[fieldKey][]int)
	}
	had := keyOfField(c, c.Earlier)
	i := l.find(l.byField, had, func(k fieldKey) fieldKey { return k })
	if i < 0 {
		i = l.find(l.byPlace, had.anywhere(), fieldKey.anywhere)
	}
	if i < 0 {
		i = len(l.fields)
		l.fields = append(l.fields, contested{})
	}
	f := &l.fields[i]
	f.FieldConflict, f.text, f.stands = c, text, stands
	if has := keyOfField(c, text); has != had || len(l.byField[has]) == 0 || l.byField[has][0] != i {
		l.byField[has] = append(l.byField[has], i)
		l.byPlace[has.anywhere()] = append(l.byPlace[has.anywhere()], i)
	}
	for _, n := range lost {
		if !slices.ContainsFunc(f.lost, func(o loser) bool { return o.side.latest() == n.side.latest() }) {
			f.lost = append(f.lost, n)
		}
	}
}

// file notes that a side stands whole against others, with all that was merged into them.
func (l *losses) file(lost []side, stands side, reason string) {
	l.fields, l.byField, l.byPlace = nil, nil, nil
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
			if f.gone || lost.text == f.text {
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

package definition

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// FieldChange is one field that two versions of a definition do not have in common.
type FieldChange struct {
	// Pointer is the field's JSON pointer (RFC 6901), into the new version if that has
	// the field, else into the old one. See FieldConflict for typed collections.
	Pointer string `json:"pointer"`

	From FieldText `json:"from"`
	To   FieldText `json:"to"`
}

// Diff tells what changed from one version of a definition to another, by structure: it sees
// values as Merge does, so neither layout and comments nor the order of members or of a
// set's elements are changes. Changed and removed fields come in the order of the old
// version, after them for each object the new ones in the order of the new version; a list's
// items come in their order.
//
// Content that has no structure, or YAML with parts whose extent is not
// certain, changes as a whole. The error is Parse's.
func Diff(path Path, from, to []byte) ([]FieldChange, error) {
	if bytes.Equal(from, to) {
		return nil, nil
	}
	var ids identities
	old, err := parseSide(path, from, &ids)
	now, err2 := parseSide(path, to, &ids)
	for _, err := range []error{err, err2} {
		switch {
		case errors.Is(err, errOpaque), errors.Is(err, errExtent):
			return wholeChange(path, from, to)
		case err != nil:
			return nil, fmt.Errorf("compare versions: %w", err)
		}
	}
	var changes []FieldChange
	d := differ{visit: func(at pointer, f, t *node, same bool) {
		if !same {
			changes = append(changes, FieldChange{Pointer: at.String(), From: old.textOf(f), To: now.textOf(t)})
		}
	}}
	d.value(old.root, now.root)
	return changes, nil
}

// wholeChange is the change of all content.
func wholeChange(path Path, from, to []byte) ([]FieldChange, error) {
	for _, content := range [][]byte{from, to} {
		if _, err := Parse(path, content); err != nil {
			return nil, fmt.Errorf("compare versions: %w", err)
		}
	}
	return []FieldChange{{From: FieldText{string(from), true}, To: FieldText{string(to), true}}}, nil
}

// differ walks two documents at once.
type differ struct {
	// visit is called for each value that stayed the same, and for each that did not,
	// the outermost, and of a container that changed for what is in it instead. A
	// value that a version does not have is nil.
	visit func(at pointer, from, to *node, same bool)
	at    pointer
}

// value compares one value. One that a version does not have is nil.
func (d *differ) value(f, t *node) {
	switch {
	case equalNodes(f, t):
		d.visit(d.at, f, t, true)
	case f == nil || t == nil || f.kind != t.kind || f.tag != t.tag || !f.isContainer() || !t.isContainer(), (f.collection == 0) != (t.collection == 0):
		d.visit(d.at, f, t, false)
	case f.kind == Object:
		d.object(f, t)
	case f.collection != 0 && t.collection != 0:
		d.into("0", &f.kids[0], &t.kids[0])
		if f.collection == SetCollection && t.collection == SetCollection {
			d.at = append(d.at, "1")
			d.set(f.elements(), t.elements())
			d.at = d.at[:len(d.at)-1]
			return
		}
		d.into("1", f.elements(), t.elements())
	case collectionKind(f.tag) == SetCollection:
		d.set(f, t)
	default:
		d.list(f, t)
	}
}

// into compares values below the present one.
func (d *differ) into(token string, f, t *node) {
	d.at = append(d.at, token)
	d.value(f, t)
	d.at = d.at[:len(d.at)-1]
}

func (d *differ) object(f, t *node) {
	old, now := membersOf(f), membersOf(t)
	for i := range f.kids {
		kid, _ := now.get(f.kids[i].key)
		d.into(f.kids[i].key, &f.kids[i], kid)
	}
	for i := range t.kids {
		if kid, _ := old.get(t.kids[i].key); kid == nil {
			d.into(t.kids[i].key, nil, &t.kids[i])
		}
	}
}

func (d *differ) set(f, t *node) {
	old, now := placesOf(idsOf(f.kids)), placesOf(idsOf(t.kids))
	for i := range f.kids {
		if _, ok := now[f.kids[i].id]; !ok {
			d.into(strconv.Itoa(i), &f.kids[i], nil)
		}
	}
	for i := range t.kids {
		from := -1
		if at, ok := old[t.kids[i].id]; ok {
			from = at
		}
		d.into(strconv.Itoa(i), itemAt(f.kids, from), &t.kids[i])
	}
}

func (d *differ) list(f, t *node) {
	steps, ok := align(f.kids, t.kids)
	if !ok {
		d.visit(d.at, f, t, false)
		return
	}
	for _, s := range steps {
		index := s.to
		if index < 0 {
			index = s.from
		}
		d.into(strconv.Itoa(index), itemAt(f.kids, s.from), itemAt(t.kids, s.to))
	}
}

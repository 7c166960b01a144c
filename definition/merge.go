package definition

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// ErrNoMerge is returned, wrapped, by Merge where it cannot honour the structure of all
// three texts. The later side then stands whole.
var ErrNoMerge = errors.New("no merge by structure")

var errOpaque = errors.New("the content has no structure")

// Merged is the result of a merge.
type Merged struct {
	// Content is the merged text.
	Content []byte
	// Conflicts are the places where both sides could not be honoured, in the order in
	// which they were met. What stands in Content is FieldConflict.Later, or Earlier
	// if the later side had removed the field.
	Conflicts []FieldConflict
}

// FieldKind says what a FieldConflict is about.
type FieldKind string

const (
	// FieldValue: both sides changed the value of one member, or one changed what the other
	// removed.
	FieldValue FieldKind = "field"
	// FieldItem is an item of a list, whole.
	FieldItem FieldKind = "item"
	// FieldElement is an element of a set, whole.
	FieldElement FieldKind = "element"
	// FieldObject is an object, whole: the sides give it different classes.
	FieldObject FieldKind = "object"
	// FieldCollection is a list, set or map, whole.
	FieldCollection FieldKind = "collection"
	// FieldComment is the comment of a member, an item or a place in the document.
	FieldComment FieldKind = "comment"
)

// DocumentComments stands in the place of a pointer for the comments that belong to no member: at the
// head and the tail of the document. It is no JSON pointer.
const DocumentComments = "#"

// FieldConflict is one field for which a merge could not honour both sides.
type FieldConflict struct {
	Kind FieldKind `json:"kind"`
	// Pointer is the field's JSON pointer (RFC 6901) into the merged document. In a
	// document with typed collections it goes through their form in the file, such
	// as /allowedAttributes/1/0 for the first element of ["java.util.HashSet", [...]].
	// It is empty for the document's root, and DocumentComments for the comments at its head
	// and tail.
	Pointer string `json:"pointer"`

	Base    FieldText `json:"base"`
	Later   FieldText `json:"later"`
	Earlier FieldText `json:"earlier"`
}

// FieldText is the text of a field's value as it is in the file, or says that there is none:
// in YAML a value can be there and have an empty text.
type FieldText struct {
	Text    string `json:"text"`
	Present bool   `json:"present"`
}

// Merge merges two versions of a definition that were made on top of base, by
// structure. later is the side that stands where both changed the same field unequally.
//
// Objects merge by key, typed collections as their class says: sets by adds and removes, lists in
// order, maps by key. Other arrays merge as lists, and all else as a whole. What only one
// side changed is taken from it. A field that both changed unequally is a conflict: the
// later side's value stands, but an edit always stands against a removal. No item, set or
// object comes about that neither side wrote, unless it is listed:
//
//   - Objects in a list or set are merged by key only if they are tied: of one class, and equal
//     in the first that they have of id, name, url and key, or else in a member that tells
//     all objects of the list apart. What both changed without that is a conflict of the item.
//   - A list's item that one side moved keeps what the other made of it, be it a removal. Lists
//     that both put into other orders are a conflict of the collection.
//   - What both put for one element of a set is a conflict of the element.
//   - What one side gave another class, by @class or by its tag in YAML, and the other changed is a
//     conflict of the object; only the document's own class is a member like others.
//   - Lists and sets without a common base are a conflict of the collection.
//   - In a collection that decides who may log in or what a service learns of them, such as
//     the allowedAttributes of a release policy, additions by both merge, and removals by
//     both; an addition by one and a removal by the other are a conflict of the collection.
//
// Which side is later decides only what stands in a conflict: with the sides swapped the
// conflicts are the same, and without conflicts the values.
//
// The text is the later side's own. Only the values that the earlier side changed are
// replaced, removed or inserted in it, with the earlier side's bytes for them; these
// are indented anew, but never encoded anew, unless a text on lines comes into brackets. A
// removed member takes its line with it if it has one for itself; the order and the layout stay.
// A new member comes after the one that it follows in the earlier side. If only one side changed the
// bytes, or both equally, the result is exactly that side.
//
// Comments are content. A comment belongs to what it is beside: it is above a member or an item,
// between its key and its value, behind it, or at the end of a container; or at the head or
// the tail of the document. There both sides' comments merge as values do: what one side adds,
// edits, removes or moves stands, and goes with its member. A comment that both edit is a
// conflict of the kind FieldComment, and so is one that one side edits and the other
// removes: the edit stands. Beside a value in conflict the comments of the side that stands do. What
// was written about a value that is gone stays where that was. A comment that finds no place
// in the text is a conflict in which the later side stands, with an empty text if it has
// none.
//
// A base of nil stands for none: the sides were created apart. What one side alone has is
// taken then, and what both have unequally is a conflict.
//
// A result is read again before it is returned, and holds exactly the values that the
// rules above give; so what both sides kept, such as the id, is kept, and no key comes
// twice. Where that cannot be reached Merge gives up with an error that wraps
// ErrNoMerge and says why: a text does not parse or has no structure, a side changed a value
// of YAML that has an anchor or is an alias, YAML has parts whose extent is not certain
// ("? key", pairs in brackets), the earlier side's text has no place in the layout of the
// later one's, or the merged text or the conflicts would be too large.
//
// Merge is pure and total: equal arguments give equal results, and it takes a time of the order
// of the texts' size; lists without order that have too much in common with their base in too
// many ways are a conflict. It neither keeps nor changes its arguments, but Content may
// be one of them.
func Merge(path Path, base, later, earlier []byte) (Merged, error) {
	return mergeTaking(path, base, later, earlier, nil)
}

// Take is Merge for one who has seen its conflicts and wants the earlier side's value in some of
// them: those at one of the pointers, or below it. There the earlier side's value stands, or
// is gone if it had removed it, and no conflict is returned. The pointers are those of
// Merge's conflicts for the same arguments, and so are those of the conflicts that are left.
func Take(path Path, base, later, earlier []byte, pointers []string) (Merged, error) {
	return mergeTaking(path, base, later, earlier, pointers)
}

func mergeTaking(path Path, base, later, earlier []byte, taken []string) (Merged, error) {
	switch {
	case bytes.Equal(earlier, later), base != nil && bytes.Equal(earlier, base):
		return Merged{Content: later}, nil
	case base != nil && bytes.Equal(later, base):
		return Merged{Content: earlier}, nil
	}
	var ids identities
	var sides [3]*side
	for i, content := range [][]byte{base, later, earlier} {
		if i == 0 && base == nil {
			sides[i] = new(side)
			continue
		}
		var err error
		if sides[i], err = parseSide(path, content, &ids); err != nil {
			return Merged{}, noMerge(i, err)
		}
	}
	if err := checkAnchors(sides[0], sides[1], sides[2]); err != nil {
		return Merged{}, err
	}
	m := merger{ids: &ids, base: sides[0], later: sides[1], earlier: sides[2], taken: taken}
	root := m.value(m.base.root, m.later.root, m.earlier.root)
	if m.listed > maxListed {
		return Merged{}, fmt.Errorf("%w: too many fields are in conflict to list them", ErrNoMerge)
	}
	content := earlier
	if root.from != fromEarlier {
		var err error
		if content, err = splice(m.base, m.later, m.earlier, m.revisions); err != nil {
			return Merged{}, fmt.Errorf("%w: %w", ErrNoMerge, err)
		}
	}
	result, err := parseSide(path, content, &ids)
	if order := finalOrder(m.later.root, m.revisions); err == nil && order != nil {
		content = order.apply(result)
		result, err = parseSide(path, content, &ids)
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return Merged{}, fmt.Errorf("%w: the merged file would be too large: %w", ErrNoMerge, err)
	case err != nil:
		return Merged{}, fmt.Errorf("%w: the layouts of the two versions do not fit into one another: %w", ErrNoMerge, err)
	case result.root.id != root.id:
		return Merged{}, fmt.Errorf("%w: the layouts of the two versions do not fit into one another", ErrNoMerge)
	}
	content, comments := m.withComments(path, result, root.from)
	if m.listed > maxListed {
		return Merged{}, fmt.Errorf("%w: too many comments are in conflict to list them", ErrNoMerge)
	}
	return Merged{Content: content, Conflicts: append(m.conflicts, comments...)}, nil
}

// noMerge says why a side, by its place among Merge's arguments, has no structure to merge.
func noMerge(side int, err error) error {
	name := [...]string{"the version that both were made from", "the later version", "the earlier version"}[side]
	switch {
	case errors.Is(err, errOpaque):
		return fmt.Errorf("%w: files with this ending are kept whole", ErrNoMerge)
	case errors.Is(err, errExtent):
		return fmt.Errorf("%w: %s is written in a way that no field can be cut out of: %w", ErrNoMerge, name, err)
	}
	return fmt.Errorf("%w: %s does not parse: %w", ErrNoMerge, name, err)
}

// textOf returns the text of a value of s, or that there is none if n is nil.
func (s *side) textOf(n *node) FieldText {
	if n == nil {
		return FieldText{}
	}
	return FieldText{Text: string(s.content[n.start:n.end]), Present: true}
}

// pointer is a path of keys and indices into a document.
type pointer []string

// String returns the JSON pointer of RFC 6901.
func (p pointer) String() string {
	var b strings.Builder
	for _, token := range p {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// text is what a file should hold, as far as the oracle can tell.
type text struct {
	// content is the exact bytes; nil if the file is merged.
	content []byte
	// fields are what a merged flat object holds, the text of each value by its
	// key; nil if the oracle cannot tell more than that there is a file.
	fields map[string]string
}

// fold merges edits of one path, the earliest first, as the rules of version 1
// say, where that is simple: an object of scalars, one nearest common ancestor.
func fold(path definition.Path, edits []*version) text {
	sides := unequal(edits)
	out := text{content: sides[0][0].edit.GetContent()}
	merged := slices.Clone(sides[0])
	for _, side := range sides[1:] {
		later := side[0].edit.GetContent()
		bases := nearest(merged, side)
		unsure := out.content == nil && out.fields == nil
		whole := false
		switch {
		case len(bases) > 1 || unsure:
			out = text{}
		case len(bases) == 0 || bases[0].edit.GetDeleted():
			out, whole = threeWay(path, nil, later, out)
		default:
			out, whole = threeWay(path, bases[0].edit.GetContent(), later, out)
		}
		if whole { // nothing of the earlier ones is in it
			merged = nil
		}
		merged = append(merged, side...)
	}
	return out
}

// unequal groups edits by their bytes, in the order of each group's latest, the
// earliest first; the latest of a group comes first.
func unequal(edits []*version) [][]*version {
	var sides [][]*version
	for _, v := range slices.Backward(edits) {
		i := slices.IndexFunc(sides, func(s []*version) bool {
			return bytes.Equal(s[0].edit.GetContent(), v.edit.GetContent())
		})
		if i < 0 {
			sides = append(sides, []*version{v})
		} else {
			sides[i] = append(sides[i], v)
		}
	}
	slices.Reverse(sides)
	return sides
}

// nearest returns the common ancestors that count and are no ancestors of others
// that do. They may be of another path, that the file was moved from. An edit that was made
// several times, on the same, is one.
func nearest(a, b []*version) []*version {
	ofA, ofB := behind(a...), behind(b...)
	var common, parents []*version
	known := make(map[[2]*version]bool)
	for v := range ofA {
		if ofB[v] && v.counts {
			common, parents = append(common, v), append(parents, v.made...)
		}
		for w := range ofB {
			if v != w && !ofB[v] && !ofA[w] && v.counts && w.counts && sameEdit(v, w, known) {
				if !slices.Contains(common, v) {
					common = append(common, v)
				}
				parents = append(append(parents, v.made...), w.made...)
			}
		}
	}
	slices.SortFunc(common, byTimeAndPath)
	for i := 0; i < len(common); i++ { // of several that are the same edit, one
		common = slices.DeleteFunc(common, func(v *version) bool { return v != common[i] && sameEdit(v, common[i], known) })
	}
	above := behind(parents...)
	return slices.DeleteFunc(common, func(v *version) bool { return above[v] })
}

// sameEdit reports whether two versions are one edit that was made twice: of equal content, on
// parents of which each has one that is the same edit among the other's.
func sameEdit(v, w *version, known map[[2]*version]bool) bool {
	if v == w {
		return true
	}
	if v.path != w.path || v.edit.GetAdopted() || w.edit.GetAdopted() || v.edit.GetDeleted() != w.edit.GetDeleted() ||
		!bytes.Equal(v.edit.GetContent(), w.edit.GetContent()) {
		return false
	}
	if same, ok := known[[2]*version{v, w}]; ok {
		return same
	}
	among := func(p *version, all []*version) bool {
		return slices.ContainsFunc(all, func(q *version) bool { return sameEdit(p, q, known) })
	}
	same := !slices.ContainsFunc(v.made, func(p *version) bool { return !among(p, w.made) }) &&
		!slices.ContainsFunc(w.made, func(q *version) bool { return !among(q, v.made) })
	known[[2]*version{v, w}], known[[2]*version{w, v}] = same, same
	return same
}

// behind returns versions with all that they were made on.
func behind(of ...*version) map[*version]bool {
	all := make(map[*version]bool)
	var add func(v *version)
	add = func(v *version) {
		if !all[v] {
			all[v] = true
			for _, p := range v.made {
				add(p)
			}
		}
	}
	for _, v := range of {
		add(v)
	}
	return all
}

// structured reports whether content has a structure that can be merged.
func structured(path definition.Path, content []byte) bool {
	doc, err := definition.Parse(path, content)
	return err == nil && doc.Syntax() != definition.Opaque
}

// threeWay merges two sides on a base, nil if there is none, field by field. It reports whether
// the later stands whole instead.
func threeWay(path definition.Path, base, later []byte, earlier text) (out text, whole bool) {
	switch {
	case base != nil && bytes.Equal(earlier.content, base):
		return text{content: later}, false
	case base != nil && bytes.Equal(later, base):
		return earlier, false
	}
	for _, content := range [][]byte{later, earlier.content} {
		if content != nil && !structured(path, content) {
			return text{content: later}, true // no merge by structure
		}
	}
	b, l, e := flat(base), flat(later), earlier.fields
	switch _, err := definition.Parse(path, base); {
	case base == nil || err != nil: // what does not parse is no base
		b = map[string]string{}
	case !structured(path, base):
		return text{content: later}, true
	}
	if earlier.content != nil {
		e = flat(earlier.content)
	}
	if b == nil || l == nil || e == nil {
		return text{}, false
	}
	fields := make(map[string]string)
	for _, side := range []map[string]string{l, e} {
		for key := range side {
			fields[key] = mergeField(b[key], l[key], e[key])
		}
	}
	maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
	return text{fields: fields}, false
}

// mergeField returns the text of one field, "" if it is gone.
func mergeField(w, l, e string) string {
	switch {
	case l == w:
		return e
	case e == w:
		return l
	case l == "":
		return e // an edit stands against a removal
	default:
		return l
	}
}

// flat returns the fields of a JSON object of scalars, the text of each value by
// its key; nil for anything else.
func flat(content []byte) map[string]string {
	var raw map[string]json.RawMessage
	if json.Unmarshal(content, &raw) != nil || raw == nil {
		return nil
	}
	fields := make(map[string]string, len(raw))
	for key, value := range raw {
		if value[0] == '{' || value[0] == '[' {
			return nil
		}
		fields[key] = string(value)
	}
	return fields
}

// Accepts returns nil if content may be what the directory holds, as far as the
// oracle can tell, and otherwise says why it may not.
func (f File) Accepts(content []byte) error {
	switch {
	case !f.Present:
		return fmt.Errorf("it should be absent")
	case f.Content != nil && !bytes.Equal(f.Content, content):
		return fmt.Errorf("it holds %.200q, want %.200q", content, f.Content)
	case f.Content == nil && f.Fields != nil:
		if got := flat(content); !maps.Equal(got, f.Fields) {
			return fmt.Errorf("it has the fields %.500v, want %.500v", got, f.Fields)
		}
	}
	return nil
}

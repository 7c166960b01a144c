package definition

import (
	"bytes"
	"strings"
)

// Overwritten reports whether newer is no edit of older but something else in its place: what
// a script that went wrong leaves, such as {} or another file's content. It is for counting,
// when many files change at once; one alone may well be meant.
//
// A definition with a CAS id is overwritten by one with another id, or without, by one that has
// lost its class, and by one that has less than a quarter of its fields; any other definition by one that has less than half
// of its fields, whatever their values are, or that is of another kind, or empty. Of content
// without structure less than a quarter of the lines must be left. Content that does not parse
// is no overwriting: nobody publishes it.
func Overwritten(path Path, older, newer []byte) bool {
	o, err := Parse(path, older)
	n, err2 := Parse(path, newer)
	if err != nil || err2 != nil || bytes.Equal(older, newer) {
		return false
	}
	if o.Syntax() == Opaque {
		lines, left := linesLeft(older, newer)
		return 4*left < lines
	}
	if o.root.Kind != n.root.Kind {
		return true
	}
	fields, left := fieldsLeft(o.root, n.root)
	id, ok := o.Service().ID()
	if !ok {
		return 2*left < fields
	}
	now, ok := n.Service().ID()
	return !ok || now != id || lostClass(o, n) || 4*left < fields
}

// lostClass reports whether newer has no class any more: no program loads it then.
func lostClass(older, newer Document) bool {
	_, had := older.Service().Class()
	_, has := newer.Service().Class()
	return had && !has
}

// fieldsLeft counts the fields of older, and those of them that newer has too, with any value.
// A list counts as one field, and so do all items of a list at the root that are objects.
func fieldsLeft(older, newer Value) (fields, left int) {
	o, n := make(map[string]bool), make(map[string]bool)
	collectFields(older, "", o)
	collectFields(newer, "", n)
	for field := range o {
		if n[field] {
			left++
		}
	}
	return len(o), left
}

func collectFields(v Value, at string, fields map[string]bool) {
	switch {
	case v.Kind == Object && len(v.Members) > 0:
		for _, m := range v.Members {
			collectFields(m.Value, at+"/"+m.Key, fields)
		}
	case v.Kind == Array && at == "" && len(v.Items) > 0:
		for _, item := range v.Items {
			collectFields(item, "/*", fields)
		}
	case at != "":
		fields[at] = true
	}
}

// linesLeft counts the lines of older that are not blank, and those of them that newer has too.
func linesLeft(older, newer []byte) (lines, left int) {
	there := make(map[string]bool)
	for line := range strings.Lines(string(newer)) {
		there[strings.TrimSpace(line)] = true
	}
	for line := range strings.Lines(string(older)) {
		if line = strings.TrimSpace(line); line != "" {
			lines++
			if there[line] {
				left++
			}
		}
	}
	return lines, left
}

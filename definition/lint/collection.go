package lint

import (
	"strings"

	"github.com/starling-sync/starling/definition"
)

// collection looks at whether a collection of Java has the form that CAS reads.
func (c *checker) collection(v definition.Value, at pointer, key string) {
	class, elements := collectionClass(v)
	switch {
	case class == "":
		c.untyped(v, at, key)
	case v.Kind == definition.Array && v.Tag == "" && len(v.Items) != 2:
		c.found(ruleCollection, at, `a collection has two elements, the class and the array of what is in it: ["%s", [...]]`, class)
	case elements.Kind == definition.Array && kindOf(class) == definition.MapCollection:
		c.found(ruleCollection, at, "%s is a map and stands here with an array: write an object", class)
	case elements.Kind == definition.Object && isElements(kindOf(class)):
		c.found(ruleCollection, at, "%s is no map and stands here with an object: write an array", class)
	}
}

func isElements(kind definition.CollectionKind) bool {
	return kind == definition.SetCollection || kind == definition.ListCollection
}

// collectionClass returns the class of java.util that a value names, in one of the forms
// that definition.Value.TypedCollection knows, and what is in it, if that is there.
func collectionClass(v definition.Value) (class string, elements definition.Value) {
	const javaUtil = "java.util."
	member, _ := v.Get(classKey)
	switch {
	case strings.HasPrefix(v.Tag, javaUtil):
		return v.Tag, v
	case v.Kind == definition.Array && len(v.Items) > 0 && v.Items[0].Kind == definition.String && strings.HasPrefix(v.Items[0].Text, javaUtil):
		if len(v.Items) > 1 {
			elements = v.Items[1]
		}
		return v.Items[0].Text, elements
	case member.Kind == definition.String && strings.HasPrefix(member.Text, javaUtil):
		return member.Text, v
	}
	return "", definition.Value{}
}

// kindOf returns what kind of collection a class is, 0 if it is none that is known.
func kindOf(class string) definition.CollectionKind {
	for _, kind := range []definition.Kind{definition.Array, definition.Object} {
		if typed, ok := (definition.Value{Kind: kind, Tag: class}).TypedCollection(); ok {
			return typed.Kind
		}
	}
	return 0
}

// untyped looks at a value that names no class of java.util, where CAS wants a
// collection. YAML is left alone.
func (c *checker) untyped(v definition.Value, at pointer, key string) {
	if c.syntax == definition.YAML {
		return
	}
	kind := fieldAt(at, key)
	switch {
	case v.Kind == definition.Array && (kind == listField || kind == listOrMapField):
		if len(v.Items) == 2 && v.Items[0].Kind == definition.String && className.MatchString(v.Items[0].Text) && v.Items[1].Kind == definition.Array {
			return // a collection of another class
		}
		c.found(ruleCollection, at, `%s names no class for its elements: write ["java.util.ArrayList", [...]], or HashSet for a set`, key)
	case v.Kind == definition.Object && (kind == mapField || kind == listOrMapField):
		if _, ok := v.Get(classKey); !ok {
			c.found(ruleCollection, at, `%s names no class: add "@class": "java.util.TreeMap"`, key)
		}
	}
}

package definition

import "strings"

// CollectionKind says how the elements of a typed collection relate.
type CollectionKind uint8

const (
	// SetCollection has elements without order, each once.
	SetCollection CollectionKind = iota + 1
	// ListCollection has elements in order.
	ListCollection
	// MapCollection has elements by key.
	MapCollection
)

// String returns the kind's name.
func (k CollectionKind) String() string {
	switch k {
	case SetCollection:
		return "set"
	case ListCollection:
		return "list"
	case MapCollection:
		return "map"
	}
	return "none"
}

// TypedCollection is a Java collection that Jackson wrote together with its class.
type TypedCollection struct {
	Class string // for example java.util.HashSet
	Kind  CollectionKind
	// Elements is the array of a set or list, the object of a map. The object
	// still has the member @class if the class was given there.
	Elements Value
}

// TypedCollection recognises the three forms that CAS writes: an array of class name
// and elements (["java.util.HashSet", [...]]), an object with the member @class (maps),
// and a value with a YAML tag. It reports false for any other value, and for classes
// outside java.util.
func (v Value) TypedCollection() (TypedCollection, bool) {
	class, elements := v.Tag, v
	switch {
	case class != "":
	case v.Kind == Array && len(v.Items) == 2 && v.Items[0].Kind == String:
		class, elements = v.Items[0].Text, v.Items[1]
	case v.Kind == Object:
		name, ok := v.Get("@class")
		if !ok || name.Kind != String {
			return TypedCollection{}, false
		}
		class = name.Text
	}
	kind := collectionKind(class)
	wants := Array
	if kind == MapCollection {
		wants = Object
	}
	if kind == 0 || elements.Kind != wants {
		return TypedCollection{}, false
	}
	return TypedCollection{Class: class, Kind: kind, Elements: elements}, true
}

// collectionKind tells by a class's name what it is, or returns 0. In java.util
// every collection's name ends in what it is: HashSet, Arrays$ArrayList,
// Collections$UnmodifiableRandomAccessList, and with the number of its elements
// ImmutableCollections$ListN or Map1. Few are exceptions.
func collectionKind(class string) CollectionKind {
	if !strings.HasPrefix(class, "java.util.") {
		return 0
	}
	name := class[strings.LastIndexAny(class, ".$")+1:]
	if name == "SetFromMap" {
		return SetCollection
	}
	if strings.Contains(class, ".ImmutableCollections$") {
		name = strings.TrimRight(name, "N0123456789")
	}
	switch {
	case strings.HasSuffix(name, "Set"):
		return SetCollection
	case strings.HasSuffix(name, "List"), name == "Vector", name == "Stack", name == "ArrayDeque":
		return ListCollection
	case strings.HasSuffix(name, "Map"):
		return MapCollection
	}
	return 0
}

package definition_test

import (
	"fmt"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestTypedCollection(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"set", "a.json", `["java.util.HashSet", ["b", "a"]]`, `set java.util.HashSet ["b", "a"]`},
		{"list", "a.json", `["java.util.ArrayList", []]`, `list java.util.ArrayList []`},
		{"map, as array", "a.json", `["java.util.TreeMap", {"a": 1}]`, `map java.util.TreeMap {"a": 1}`},
		{"map, as object", "a.json", `{"@class": "java.util.HashMap", "a": 1}`, `map java.util.HashMap {"@class": "java.util.HashMap", "a": 1}`},
		{"bare words", "a.json", "[java.util.HashSet\n[a\n]]", `set java.util.HashSet ["a"]`},
		{"YAML, as tag", "a.yml", "!<java.util.LinkedHashSet>\n- a\n", `set java.util.LinkedHashSet <java.util.LinkedHashSet>["a"]`},
		{"YAML map, as tag", "a.yml", "!<java.util.TreeMap>\na: 1\n", `map java.util.TreeMap <java.util.TreeMap>{"a": 1}`},
		{"YAML, as array", "a.yml", "- java.util.HashSet\n- - a\n", `set java.util.HashSet ["a"]`},

		{"an object of CAS", "a.json", `{"@class": "org.x.Y"}`, "no"},
		{"an object without class", "a.json", `{}`, "no"},
		{"a class that is no text", "a.json", `{"@class": 1}`, "no"},
		{"a class outside java.util", "a.json", `["org.x.HashSet", []]`, "no"},
		{"a class that is no collection", "a.json", `["java.util.Date", []]`, "no"},
		{"a set of members", "a.json", `["java.util.HashSet", {}]`, "no"},
		{"a map of items", "a.json", `["java.util.HashMap", []]`, "no"},
		{"an object of class set", "a.json", `{"@class": "java.util.HashSet"}`, "no"},
		{"only a class", "a.json", `["java.util.HashSet"]`, "no"},
		{"three items", "a.json", `["java.util.HashSet", [], []]`, "no"},
		{"a number first", "a.json", `[1, []]`, "no"},
		{"a tag of CAS", "a.yml", "!<org.x.Y>\na: 1\n", "no"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := parse(t, test.file, test.content)
			if err != nil {
				t.Fatal(err)
			}
			got := "no"
			if c, ok := doc.Root().TypedCollection(); ok {
				got = fmt.Sprintf("%v %s %s", c.Kind, c.Class, outline(c.Elements))
			}
			if got != test.want {
				t.Errorf("%s is seen as %s, want %s", test.content, got, test.want)
			}
		})
	}
}

func TestCollectionKinds(t *testing.T) {
	kinds := map[definition.CollectionKind][]string{
		definition.SetCollection: {
			"HashSet", "LinkedHashSet", "TreeSet", "EnumSet", "RegularEnumSet", "Collections$EmptySet",
			"Collections$SingletonSet", "Collections$UnmodifiableSet", "Collections$SynchronizedSet", "Collections$SetFromMap",
			"ImmutableCollections$SetN", "ImmutableCollections$Set12", "concurrent.CopyOnWriteArraySet",
			"concurrent.ConcurrentHashMap$KeySet", "concurrent.ConcurrentSkipListSet",
		},
		definition.ListCollection: {
			"ArrayList", "LinkedList", "Vector", "Stack", "ArrayDeque", "Arrays$ArrayList", "Collections$EmptyList",
			"Collections$SingletonList", "Collections$UnmodifiableList", "Collections$UnmodifiableRandomAccessList",
			"Collections$SynchronizedList", "ImmutableCollections$ListN", "ImmutableCollections$List12",
			"ImmutableCollections$SubList", "concurrent.CopyOnWriteArrayList",
		},
		definition.MapCollection: {
			"HashMap", "LinkedHashMap", "TreeMap", "EnumMap", "Collections$EmptyMap", "Collections$SingletonMap",
			"Collections$UnmodifiableMap", "ImmutableCollections$MapN", "ImmutableCollections$Map1",
			"concurrent.ConcurrentHashMap", "concurrent.ConcurrentSkipListMap",
		},
	}
	for want, classes := range kinds {
		for _, class := range classes {
			content := fmt.Sprintf(`["java.util.%s", []]`, class)
			if want == definition.MapCollection {
				content = fmt.Sprintf(`["java.util.%s", {}]`, class)
			}
			doc, err := parse(t, "a.json", content)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := doc.Root().TypedCollection(); !ok || got.Kind != want {
				t.Errorf("java.util.%s is a %v, want a %v", class, got.Kind, want)
			}
		}
	}
}

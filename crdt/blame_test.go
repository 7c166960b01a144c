package crdt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// move is an edit on top of versions of another path, from which the file came.
func move(name, content, from string, parents ...*woven) *crdtpb.Edit {
	e := edit(name, content, parents...)
	e.MovedFrom = from
	for _, p := range e.GetParents() {
		p.Moved = true
	}
	return e
}

// telling is a story whose changes have names.
type telling struct {
	*story
	names map[definition.ChangeID]string
}

// by lets a writer make a change on top of others.
func (s *telling) by(name string, w *writer, at uint64, parents []*woven, edits ...*crdtpb.Edit) *woven {
	after := parents
	if len(after) == 0 {
		after = []*woven{s.start}
	}
	if w.last != nil {
		after = append(after, w.last)
	}
	b := s.add(s.write(w, seconds(at), after, edits...))
	s.names[b.id] = name
	return b
}

// on makes an edit of x.json on top of others, or its deletion if there are no fields.
func (s *telling) on(name string, w *writer, at uint64, parents []*woven, fields ...string) *woven {
	text := ""
	if len(fields) > 0 {
		text = def(fields...)
	}
	return s.by(name, w, at, parents, edit("x.json", text, parents...))
}

// blames tells who wrote what of a file: "pointer text by name", by field.
func (s *telling) blames(t testing.TB, r *crdt.Replica, at definition.Version) []string {
	t.Helper()
	blames, err := r.Blame(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range blames {
		out = append(out, strings.TrimPrefix(b.Pointer+" ", " ")+b.Text+" by "+s.names[b.Version.Change])
	}
	return out
}

func TestBlame(t *testing.T) {
	tests := []struct {
		name string
		file string // x.json if empty
		tell func(s *telling)
		want []string
	}{
		{"each field is its writer's", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`, `theme: "x"`)
			two := s.on("two", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`, `theme: "x"`)
			s.on("three", s.c, 3, []*woven{two}, `id: 1`, `new: {"a": 1}`, `name: "b"`, `theme: "x"`)
		}, []string{`/id 1 by one`, `/new/a 1 by three`, `/name "b" by two`, `/theme "x" by one`}},

		{"layout and comments are nobody's", "", func(s *telling) {
			one := s.by("one", s.a, 1, nil, edit("x.json", `{"id": 1, "s": ["java.util.HashSet", ["a", "b"]]}`))
			s.by("two", s.b, 2, []*woven{one}, edit("x.json", "{\n  // why\n  s: [\"java.util.HashSet\"\n['b', \"a\"]], 'id': 1}", one))
		}, []string{`/s/0 "java.util.HashSet" by one`, `/s/1/0 'b' by one`, `/s/1/1 "a" by one`, `/id 1 by one`}},

		{"two edits of other fields, merged", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`, `theme: "x"`)
			s.on("left", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`, `theme: "x"`)
			s.on("right", s.b, 3, []*woven{one}, `id: 1`, `name: "a"`, `theme: "y"`)
		}, []string{`/id 1 by one`, `/name "b" by left`, `/theme "y" by right`}},

		{"an edit on top of a merge", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`, `theme: "x"`)
			left := s.on("left", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`, `theme: "x"`)
			right := s.on("right", s.b, 3, []*woven{one}, `id: 1`, `name: "a"`, `theme: "y"`)
			s.on("top", s.c, 4, []*woven{left, right}, `id: 2`, `name: "b"`, `theme: "y"`)
		}, []string{`/id 2 by top`, `/name "b" by left`, `/theme "y" by right`}},

		{"of two edits of one field that which stands", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			s.on("left", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`)
			s.on("right", s.b, 3, []*woven{one}, `id: 1`, `name: "c"`)
		}, []string{`/id 1 by one`, `/name "c" by right`}},

		{"of two who wrote the same apart the earlier", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`, `theme: "x"`)
			s.on("left", s.a, 3, []*woven{one}, `id: 1`, `name: "b"`, `theme: "x"`)
			s.on("right", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`, `theme: "y"`)
		}, []string{`/id 1 by one`, `/name "b" by right`, `/theme "y" by right`}},

		{"whatever the clocks say, an ancestor is earlier", "", func(s *telling) {
			one := s.on("one", s.a, 9, nil, `id: 1`, `name: "a"`)
			away := s.on("away", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`)
			s.on("back", s.b, 3, []*woven{away}, `id: 1`, `name: "a"`)
			s.on("aside", s.c, 4, []*woven{one}, `id: 2`, `name: "a"`)
		}, []string{`/id 2 by aside`, `/name "a" by one`}},

		{"a resolution that takes one side leaves it to that side", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			left := s.on("left", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`)
			right := s.on("right", s.b, 3, []*woven{one}, `id: 1`, `name: "c"`)
			s.by("end", s.c, 4, []*woven{left, right}, resolve("x.json", def(`id: 1`, `name: "b"`), left, right))
		}, []string{`/id 1 by one`, `/name "b" by left`}},

		{"a resolution that takes neither is the writer", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			left := s.on("left", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`)
			right := s.on("right", s.b, 3, []*woven{one}, `id: 1`, `name: "c"`)
			s.by("end", s.c, 4, []*woven{left, right}, resolve("x.json", def(`id: 1`, `name: "d"`), left, right))
		}, []string{`/id 1 by one`, `/name "d" by end`}},

		{"a revert is the writer of what it brings back", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			two := s.on("two", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`)
			s.on("revert", s.c, 3, []*woven{two}, `id: 1`, `name: "a"`)
		}, []string{`/id 1 by one`, `/name "a" by revert`}},

		{"a deletion holds nothing", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			gone := s.on("gone", s.a, 2, []*woven{one})
			s.on("again", s.b, 3, []*woven{gone}, `id: 1`, `name: "a"`)
		}, []string{`/id 1 by again`, `/name "a" by again`}},

		{"an edit that stands against a deletion", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			edited := s.on("edit", s.a, 2, []*woven{one}, `id: 1`, `name: "b"`)
			gone := s.on("gone", s.b, 3, []*woven{one})
			s.on("top", s.c, 4, []*woven{edited, gone}, `id: 2`, `name: "b"`)
			s.on("gone again", s.b, 5, []*woven{gone})
		}, []string{`/id 2 by top`, `/name "b" by edit`}},

		{"a move goes on where the file was", "y.json", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			two := s.on("two", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`)
			moved := s.by("move", s.a, 3, []*woven{two}, edit("x.json", "", two), move("y.json", def(`id: 1`, `name: "b"`, `new: 1`), "x.json", two))
			s.by("after", s.c, 4, []*woven{moved}, edit("y.json", def(`id: 4`, `name: "b"`, `new: 1`), moved))
		}, []string{`/id 4 by after`, `/name "b" by two`, `/new 1 by move`}},

		{"a move of merged bytes", "y.json", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `l: ["a", "b"]`)
			left := s.on("left", s.a, 2, []*woven{one}, `id: 1`, `l: ["x", "a", "b"]`)
			right := s.on("right", s.b, 3, []*woven{one}, `id: 1`, `l: ["a", "b", "y"]`)
			s.by("move", s.c, 4, []*woven{left, right}, edit("x.json", "", left, right),
				move("y.json", def(`id: 1`, `l: ["x", "a", "b", "y"]`), "x.json", left, right))
		}, []string{`/id 1 by one`, `/l/0 "x" by left`, `/l/1 "a" by one`, `/l/2 "b" by one`, `/l/3 "y" by right`}},

		{"a move to another syntax", "y.yml", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			s.by("move", s.a, 2, []*woven{one}, edit("x.json", "", one), move("y.yml", "id: 1\nname: b\n", "x.json", one))
		}, []string{`/id 1 by one`, `/name b by move`}},

		{"elements of a set by their value", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `s: ["java.util.HashSet", ["a", "b", {"n": 1}]]`)
			s.on("left", s.a, 2, []*woven{one}, `s: ["java.util.HashSet", ["c", "a", "b", {"n": 1}]]`)
			right := s.on("right", s.b, 3, []*woven{one}, `s: ["java.util.HashSet", ["b", {"n": 1}, "d", "a"]]`)
			s.on("less", s.b, 4, []*woven{right}, `s: ["java.util.HashSet", [{"n": 1}, "d", "a"]]`)
		}, []string{`/s/0 "java.util.HashSet" by one`, `/s/1/0 "c" by left`, `/s/1/1 {"n": 1} by one`, `/s/1/2 "d" by right`, `/s/1/3 "a" by one`}},

		{"elements of a list by where they come from", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `l: [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}]`)
			two := s.on("two", s.b, 2, []*woven{one}, `l: [{"k": 0, "v": "z"}, {"k": 1, "v": "a"}, {"k": 2, "v": "b"}]`)
			s.on("three", s.c, 3, []*woven{two}, `l: [{"k": 1, "v": "a"}, {"k": 2, "v": "c"}]`)
		}, []string{`/l/0/k 1 by one`, `/l/0/v "a" by one`, `/l/1/k 2 by one`, `/l/1/v "c" by three`}},

		{"an element that went and came again", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `l: ["a", "b"]`)
			two := s.on("two", s.b, 2, []*woven{one}, `l: ["a"]`)
			s.on("three", s.c, 3, []*woven{two}, `l: ["a", "b"]`)
		}, []string{`/l/0 "a" by one`, `/l/1 "b" by three`}},

		{"who emptied a container wrote that it is empty", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `l: ["a"]`, `o: {}`)
			two := s.on("two", s.b, 2, []*woven{one}, `l: []`, `o: {}`)
			s.on("three", s.c, 3, []*woven{two}, `l: []`, `o: { }`, `p: 1`)
		}, []string{`/l [] by two`, `/o { } by one`, `/p 1 by three`}},

		{"what two emptied together is the later's", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `o: {"a": 1, "b": 2}`)
			s.on("left", s.a, 2, []*woven{one}, `id: 1`, `o: {"a": 1}`)
			s.on("right", s.b, 3, []*woven{one}, `id: 1`, `o: {"b": 2}`)
		}, []string{`/id 1 by one`, `/o {} by right`}},

		{"until a version holds it", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `o: {"a": 1, "b": 2}`)
			left := s.on("left", s.a, 2, []*woven{one}, `id: 1`, `o: {"a": 1}`)
			right := s.on("right", s.b, 3, []*woven{one}, `id: 1`, `o: {"b": 2}`)
			top := s.on("top", s.c, 4, []*woven{left, right}, `id: 2`, `o: {}`)
			s.on("more", s.c, 5, []*woven{top}, `id: 5`, `o: {}`)
		}, []string{`/id 5 by more`, `/o {} by top`}},

		{"of a purged edit what others kept is theirs", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`, `theme: "x"`)
			bad := s.on("bad", s.c, 2, []*woven{one}, `id: 1`, `name: "bad"`, `theme: "y"`)
			s.on("kept", s.b, 3, []*woven{bad}, `id: 3`, `name: "bad"`, `theme: "x"`)
			s.add(s.revoke(s.c.id, trust.ModePurge, nil, bad))
		}, []string{`/id 3 by kept`, `/name "bad" by kept`, `/theme "x" by one`}},

		{"a purged edit that brought something back", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			two := s.on("two", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`)
			bad := s.on("bad", s.c, 3, []*woven{two}, `id: 1`, `name: "a"`)
			more := s.on("more", s.c, 4, []*woven{bad, two}, `id: 1`, `name: "a"`)
			s.on("kept", s.b, 5, []*woven{more, one}, `id: 5`, `name: "a"`)
			s.add(s.revoke(s.c.id, trust.ModePurge, nil, more))
		}, []string{`/id 5 by kept`, `/name "a" by kept`}},

		{"what was written before a revocation", "", func(s *telling) {
			one := s.on("one", s.c, 1, nil, `id: 1`, `name: "a"`)
			bad := s.on("bad", s.c, 2, []*woven{one}, `id: 2`, `name: "a"`)
			s.add(s.revoke(s.c.id, trust.ModeKeep, one, bad))
		}, []string{`/id 1 by one`, `/name "a" by one`}},

		{"an adopted file that lost, and what it was resolved to", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
			found := s.by("found", s.b, 2, nil, adopt("x.json", def(`id: 1`, `name: "b"`)))
			s.by("end", s.a, 3, []*woven{one, found}, resolve("x.json", def(`id: 3`, `name: "b"`), one, found))
		}, []string{`/id 3 by end`, `/name "b" by found`}},

		{"YAML", "x.yml", func(s *telling) {
			one := s.by("one", s.a, 1, nil, edit("x.yml", "--- !<x.A>\nid: 1\nname: a\ns: !<java.util.HashSet>\n- b\n- c\n"))
			s.by("left", s.a, 2, []*woven{one}, edit("x.yml", "--- !<x.A>\nid: 1\nname: b\ns: !<java.util.HashSet>\n- b\n- c\n", one))
			s.by("right", s.b, 3, []*woven{one}, edit("x.yml", "--- !<x.A>\n# why\nname: \"a\"\nid: 1\ns: !<java.util.HashSet> [d, c, b]\n", one))
		}, []string{`/name b by left`, `/id 1 by one`, `/s/0 d by right`, `/s/1 c by one`, `/s/2 b by one`}},

		{"a field that was put into another class by a merge", "x.yml", func(s *telling) {
			one := s.by("one", s.a, 1, nil, edit("x.yml", "--- !<x.A>\nb: 1\nc: 1\n"))
			left := s.by("left", s.a, 2, []*woven{one}, edit("x.yml", "--- !<x.B>\nb: 1\nc: 1\n", one))
			right := s.by("right", s.b, 3, []*woven{one}, edit("x.yml", "--- !<x.A>\nb: 1\nc: 2\n", one))
			s.by("top", s.c, 4, []*woven{left, right}, edit("x.yml", "--- !<x.B>\nb: 1\nc: 2\nd: 1\n", left, right))
		}, []string{`/b 1 by left`, `/c 2 by right`, `/d 1 by top`}},

		{"what has no structure is blamed whole", "x.yml", func(s *telling) {
			one := s.by("one", s.a, 1, nil, edit("x.yml", "? a\n: 1\n"))
			s.by("two", s.b, 2, []*woven{one}, edit("x.yml", "? a\n: 1\n", one))
		}, []string{"? a\n: 1\n by one"}},
		{"what does not parse is blamed whole", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`)
			two := s.by("two", s.b, 2, []*woven{one}, edit("x.json", "{", one))
			s.by("three", s.c, 3, []*woven{two}, edit("x.json", "{", two))
		}, []string{"{ by two"}},
		{"and holds no field", "", func(s *telling) {
			one := s.on("one", s.a, 1, nil, `id: 1`)
			two := s.by("two", s.b, 2, []*woven{one}, edit("x.json", "{", one))
			s.on("three", s.c, 3, []*woven{two}, `id: 1`)
		}, []string{"/id 1 by three"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &telling{newStory(t), make(map[definition.ChangeID]string)}
			tt.tell(s)
			file := tt.file
			if file == "" {
				file = "x.json"
			}
			for seed := range uint64(3) {
				r := tell(t, s.weaver.c, shuffled(s.blocks, rand.New(rand.NewPCG(seed, 0))))
				got := s.blames(t, r, definition.Version{Path: path(t, file)})
				if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

func TestBlameOfAVersion(t *testing.T) {
	s := &telling{newStory(t), make(map[definition.ChangeID]string)}
	one := s.on("one", s.a, 1, nil, `id: 1`, `name: "a"`)
	two := s.on("two", s.b, 2, []*woven{one}, `id: 1`, `name: "b"`)
	bad := s.on("bad", s.c, 3, []*woven{two}, `id: 1`, `name: "c"`)
	gone := s.on("gone", s.a, 4, []*woven{bad})
	s.add(s.revoke(s.c.id, trust.ModePurge, nil, gone))
	r := tell(t, s.weaver.c, s.blocks)
	x := path(t, "x.json")
	for _, test := range []struct {
		at   *woven
		want string
	}{
		{one, `[/id 1 by one /name "a" by one]`},
		{two, `[/id 1 by one /name "b" by two]`},
		{bad, `[/id 1 by one /name "c" by bad]`}, // it can be read, so it can be blamed
	} {
		if got := fmt.Sprint(s.blames(t, r, test.at.version(x))); got != test.want {
			t.Errorf("of %s: got %s, want %s", s.names[test.at.id], got, test.want)
		}
	}
	for _, at := range []definition.Version{{Path: x}, gone.version(x), one.version(path(t, "y.json")), {Path: path(t, "y.json")}, {Change: definition.ChangeID{1}, Path: x}} {
		if got, err := r.Blame(t.Context(), at); !errors.Is(err, crdt.ErrNotFound) {
			t.Errorf("of %v: got %v, %v, want ErrNotFound", at, got, err)
		}
	}
}

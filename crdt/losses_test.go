package crdt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// sides are versions by the names that a test gives them.
type sides map[string]*woven

// records writes the conflicts of x.json as "pointer: LOST text, STANDS text", in order.
func (s sides) records(t *testing.T, conflicts []definition.Conflict) []string {
	t.Helper()
	name := func(v definition.Version) string {
		for name, b := range s {
			if b.id == v.Change {
				return name
			}
		}
		return v.String()
	}
	text := func(f definition.FieldText) string {
		if !f.Present {
			return "-"
		}
		return f.Text
	}
	var out []string
	for _, c := range conflicts {
		if (c.Pointer == "") != (c.Reason != "") {
			t.Errorf("the conflict at %q has the reason %q", c.Pointer, c.Reason)
		}
		out = append(out, fmt.Sprintf("%s: %s %s, %s %s", c.Pointer, name(c.Lost), text(c.LostText), name(c.Stands), text(c.StandsText)))
	}
	slices.Sort(out)
	return out
}

// TestEachLosingSideIsListed: whoever wrote a value that does not stand is named with it, and
// whoever wrote what stands instead, however many sides are folded.
func TestEachLosingSideIsListed(t *testing.T) {
	base := def("id: 1", "name: 1", "theme: 1", "order: 1")
	tests := []struct {
		name  string
		heads []string // of a, b, c and d, the earliest first
		view  string
		want  []string
	}{
		{
			"of three, two are in conflict and the one between them is not",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 1", "theme: 1", "order: 7"), def("id: 1", "name: 4", "theme: 1", "order: 1")},
			def("id: 1", "name: 4", "theme: 1", "order: 7"),
			[]string{"/name: a 2, c 4"},
		},
		{
			"the first two are in conflict",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), def("id: 1", "name: 1", "theme: 4", "order: 1")},
			def("id: 1", "name: 3", "theme: 4", "order: 1"),
			[]string{"/name: a 2, b 3"},
		},
		{
			"all three are in conflict",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), def("id: 1", "name: 4", "theme: 1", "order: 1")},
			def("id: 1", "name: 4", "theme: 1", "order: 1"),
			[]string{"/name: a 2, c 4", "/name: b 3, c 4"},
		},
		{
			"the first and the last say the same",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), def("id: 1", "name: 2", "theme: 1", "order: 5")},
			def("id: 1", "name: 2", "theme: 1", "order: 5"),
			[]string{"/name: b 3, c 2"},
		},
		{
			"the first two say the same",
			[]string{def("id: 1", "name: 2", "theme: 2", "order: 1"), def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 4", "theme: 1", "order: 1")},
			def("id: 1", "name: 4", "theme: 2", "order: 1"),
			[]string{"/name: a 2, c 4", "/name: b 2, c 4"},
		},
		{
			"different fields have different losers",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 2"), def("id: 1", "name: 3", "theme: 3", "order: 1"), def("id: 1", "name: 1", "theme: 4", "order: 4")},
			def("id: 1", "name: 3", "theme: 4", "order: 4"),
			[]string{"/name: a 2, b 3", "/order: a 2, c 4", "/theme: b 3, c 4"},
		},
		{
			"removals lose against edits",
			[]string{def("id: 1", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), def("id: 1", "theme: 4", "order: 1")},
			def("id: 1", "name: 3", "theme: 4", "order: 1"),
			[]string{"/name: a -, b 3", "/name: c -, b 3"},
		},
		{
			"an object is removed by one and edited by another",
			[]string{def("id: 1", `theme: 1`, "order: 1"), def("id: 1", `name: {"x": 3}`, "theme: 1", "order: 1"), def("id: 1", `name: {"x": 4}`, "theme: 1", "order: 1")},
			def("id: 1", `name: {"x": 4}`, "theme: 1", "order: 1"),
			[]string{`/name: a -, c {"x": 4}`, `/name: b {"x": 3}, c {"x": 4}`},
		},
		{
			"four, of whom one has nothing to do with it",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), def("id: 1", "name: 1", "theme: 1", "order: 9"), def("id: 1", "name: 5", "theme: 1", "order: 1")},
			def("id: 1", "name: 5", "theme: 1", "order: 9"),
			[]string{"/name: a 2, d 5", "/name: b 3, d 5"},
		},
		{
			"what does not parse takes all with it",
			[]string{def("id: 1", "name: 2", "theme: 1", "order: 1"), def("id: 1", "name: 3", "theme: 1", "order: 1"), "{"},
			"{",
			[]string{": a -, c -", ": b -, c -"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			d := s.writer()
			granted := s.add(s.grant(d.id, trust.RoleWriter, nil, s.start))
			one := s.add(s.write(s.a, seconds(1), []*woven{granted}, edit("x.json", base)))
			named := make(sides)
			var heads []*woven
			for i, content := range tt.heads {
				h := s.add(s.write([]*writer{s.a, s.b, s.c, d}[i], seconds(uint64(i+2)), []*woven{one}, edit("x.json", content, one)))
				named[string("abcd"[i])] = h
				heads = append(heads, h)
			}
			r := tell(t, s.weaver.c, s.blocks)
			if got := content(t, r, "x.json"); got != tt.view {
				t.Errorf("the file is %s, want %s", got, tt.view)
			}
			view := r.View(path(t, "x.json"))
			if got := named.records(t, view.Conflicts); !slices.Equal(got, tt.want) {
				t.Errorf("conflicts are %q, want %q", got, tt.want)
			}

			// An edit on top leaves the same records.
			on := s.add(s.write(s.a, seconds(9), heads, edit("x.json", tt.view, heads...)))
			view = tell(t, s.weaver.c, s.blocks).View(path(t, "x.json"))
			if got := named.records(t, view.Conflicts); !slices.Equal(got, tt.want) {
				t.Errorf("after an edit on top the conflicts are %q, want %q", got, tt.want)
			}
			for _, c := range view.Conflicts {
				if c.At != on.id {
					t.Errorf("the conflict is at %s, want the edit on top", c.At.Short())
				}
			}
		})
	}
}

// TestALosingSideInAListIsListed: indices differ where others' items are merged, and the
// writers are found all the same.
func TestALosingSideInAListIsListed(t *testing.T) {
	list := func(items ...string) string {
		text := `{"id": 1, "list": [`
		for i, item := range items {
			text += []string{"", ", "}[min(i, 1)] + fmt.Sprintf(`{"@class": "x", "name": %s}`, item)
		}
		return text + "]}"
	}
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", list(`"one", "url": 1`, `"two", "url": 1`))))
	a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", list(`"one", "url": 1`, `"two", "url": 2`), one)))
	b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", list(`"zero", "url": 1`, `"one", "url": 1`, `"two", "url": 1`), one)))
	c := s.add(s.write(s.c, seconds(4), []*woven{one}, edit("x.json", list(`"one", "url": 1`, `"two", "url": 4`), one)))
	view := tell(t, s.weaver.c, s.blocks).View(path(t, "x.json"))
	got := sides{"a": a, "b": b, "c": c}.records(t, view.Conflicts)
	if want := []string{"/list/2/url: a 2, c 4"}; !slices.Equal(got, want) {
		t.Errorf("conflicts are %q, want %q", got, want)
	}
}

// TestACommentIsLostBesidesItsValue: the comment of a field in conflict that was lost with its value
// stays listed when somebody edits the file on top.
func TestACommentIsLostBesidesItsValue(t *testing.T) {
	text := func(value, comment string) string {
		return fmt.Sprintf("{\n  \"id\": 1,\n  \"name\": %s // %s\n}\n", value, comment)
	}
	s := newStory(t)
	one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", text("1", "one"))))
	a := s.add(s.write(s.a, seconds(2), []*woven{one}, edit("x.json", text("2", "two"), one)))
	b := s.add(s.write(s.b, seconds(3), []*woven{one}, edit("x.json", text("3", "three"), one)))
	want := []string{"/name: a // two, b // three", "/name: a 2, b 3"}
	for _, when := range []string{"at once", "after an edit on top"} {
		view := tell(t, s.weaver.c, s.blocks).View(path(t, "x.json"))
		if got := (sides{"a": a, "b": b}).records(t, view.Conflicts); !slices.Equal(got, want) {
			t.Errorf("%s the conflicts are %q, want %q", when, got, want)
		}
		s.add(s.write(s.a, seconds(9), []*woven{a, b}, edit("x.json", text("4", "four"), a, b)))
	}
}

// TestManyLossesTakeAShortTime: three sides change each of thousands of members and items. Each
// loss is found in a time that does not grow with their number.
func TestManyLossesTakeAShortTime(t *testing.T) {
	const many = 8000
	members := func(value int) string {
		fields := make([]string, many)
		for i := range fields {
			fields[i] = fmt.Sprintf("k%d: %d", i, value)
		}
		return def(fields...)
	}
	items := func(value int) string {
		list := make([]string, many/2)
		for i := range list {
			list[i] = fmt.Sprintf(`{"id":%d,"v":%d}`, i, value)
		}
		return `{"list": [` + strings.Join(list, ",") + `]}`
	}
	for name, text := range map[string]func(int) string{"members": members, "items": items} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			one := s.add(s.write(s.a, seconds(1), []*woven{s.start}, edit("x.json", text(1))))
			for i, w := range []*writer{s.a, s.b, s.c} {
				s.add(s.write(w, seconds(uint64(2+i)), []*woven{one}, edit("x.json", text(2+i), one)))
			}
			r := tell(t, s.weaver.c, s.blocks)
			began := time.Now()
			listed := len(r.View(path(t, "x.json")).Conflicts)
			if want := 2 * strings.Count(text(1), ": 1"); name == "members" && listed != want || listed < many {
				t.Errorf("%d conflicts are listed, want two for each field", listed)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%d conflicts took %v", listed, took)
			}
		})
	}
}

package crdt_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
)

// A random history is written by several authors who know a part of it each. Some fork,
// some are revoked; they edit on top of what they know, move, delete and adopt files. What
// each field goes back to is found a second time here, by following every branch.

// account is a definition as its author thinks of it.
type account struct {
	scalars map[string]string // f, g and o/x
	set     []string
	list    []string
	broken  bool
}

func (a account) clone() account {
	return account{maps.Clone(a.scalars), slices.Clone(a.set), slices.Clone(a.list), a.broken}
}

// text writes it down, in one of several orders and layouts.
func (a account) text(layout int) string {
	if a.broken {
		return "{"
	}
	quoted := func(items []string) string {
		var out []string
		for _, i := range items {
			out = append(out, fmt.Sprintf("%q", i))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	parts := []string{`"s": ["java.util.HashSet", ` + quoted(a.set) + `]`, `"l": ` + quoted(a.list)}
	object := ""
	for _, key := range slices.Sorted(maps.Keys(a.scalars)) {
		if inner, ok := strings.CutPrefix(key, "o/"); ok {
			object = fmt.Sprintf("%q: %s", inner, a.scalars[key])
		} else {
			parts = append(parts, fmt.Sprintf("%q: %s", key, a.scalars[key]))
		}
	}
	parts = append(parts, `"o": {`+object+`}`)
	if layout&1 > 0 {
		slices.Reverse(parts)
	}
	if layout&2 > 0 {
		return "{\n  " + strings.Join(parts, ",\n  ") + "\n}\n"
	}
	return "{" + strings.Join(parts, ", ") + "} // by hand\n"
}

// edited returns the account with some edits.
func (a account) edited(t *rapid.T) account {
	a = a.clone()
	a.broken = rapid.IntRange(0, 15).Draw(t, "broken") == 0
	for range rapid.IntRange(0, 3).Draw(t, "edits") {
		item := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "item")
		switch key := rapid.SampledFrom([]string{"f", "g", "o/x", "set", "list"}).Draw(t, "in"); key {
		case "set":
			if i := slices.Index(a.set, item); i >= 0 {
				a.set = slices.Delete(a.set, i, i+1)
			} else {
				a.set = slices.Insert(a.set, rapid.IntRange(0, len(a.set)).Draw(t, "place"), item)
			}
		case "list":
			if i := slices.Index(a.list, item); i >= 0 {
				a.list = slices.Delete(a.list, i, i+1)
			} else {
				a.list = slices.Insert(a.list, rapid.IntRange(0, len(a.list)).Draw(t, "place"), item)
			}
		default:
			if a.scalars[key] = rapid.SampledFrom([]string{"1", "2", "3", ""}).Draw(t, "value"); a.scalars[key] == "" {
				delete(a.scalars, key)
			}
		}
	}
	return a
}

// written is a version of a random history.
type written struct {
	block   *woven
	path    string
	at      uint64
	edit    *crdtpb.Edit
	account account
	parents []*written
}

// version names it.
func (w *written) version(t fataler) definition.Version {
	p, err := definition.ParsePath(w.path)
	if err != nil {
		t.Fatal(err)
	}
	return w.block.version(p)
}

// chronicle is a random set of accounts.
type chronicle struct {
	*cast
	versions []*written // in an order in which they can be admitted
}

var historyPaths = []string{"a.json", "b.json"}

// known returns the versions of a path in a part of the set that no other of them was made
// on.
func (h *chronicle) known(reach map[cid.Cid]bool, path string) []*written {
	var of, made []*written
	for _, v := range h.versions {
		if reach[v.block.cid] && v.path == path {
			of, made = append(of, v), append(made, v.parents...)
		}
	}
	return slices.DeleteFunc(of, func(v *written) bool { return slices.Contains(made, v) })
}

// write lets a writer edit a path on top of what it knows of it.
func (h *chronicle) write(t *rapid.T, who int) {
	by := h.writers[who]
	if fork := rapid.IntRange(0, 9).Draw(t, "fork") == 0; fork && by.last != nil {
		*by = writer{key: by.key, id: by.id}
	}
	after := h.heads(h.knows[who])
	reach := make(map[cid.Cid]bool)
	for _, a := range after {
		maps.Copy(reach, h.ancestry(a))
	}
	path := rapid.SampledFrom(historyPaths).Draw(t, "path")
	parents := h.known(reach, path)
	kind := rapid.SampledFrom([]string{"edit", "edit", "edit", "edit", "edit", "move", "delete", "adopt", "any"}).Draw(t, "kind")
	if kind == "any" { // nobody's program does that, but it can be signed
		parents = slices.DeleteFunc(slices.Clone(h.versions), func(v *written) bool {
			return v.path != path || !reach[v.block.cid] || rapid.Bool().Draw(t, "left out")
		})
	}
	made := []*written{{path: path, parents: parents}}
	switch from := historyPaths[1-slices.Index(historyPaths, path)]; {
	case kind == "delete":
		made[0].edit = edit(path, "", blocks(parents)...)
	case kind == "adopt":
		made[0] = &written{path: path, account: account{scalars: map[string]string{}}.edited(t)}
		made[0].edit = adopt(path, made[0].account.text(0))
	case kind == "move" && len(h.known(reach, from)) > 0:
		gone := &written{path: from, parents: h.known(reach, from)}
		gone.edit = edit(from, "", blocks(gone.parents)...)
		made[0].parents = gone.parents
		made[0].edit = move(path, h.draw(t, made[0]), from, blocks(gone.parents)...)
		made = append(made, gone)
	default:
		made[0].edit = edit(path, h.draw(t, made[0]), blocks(parents)...)
	}
	at := seconds(rapid.Uint64Range(1, 9).Draw(t, "time"))
	slices.SortFunc(made, func(a, b *written) int { return cmp.Compare(a.path, b.path) })
	var edits []*crdtpb.Edit
	for _, v := range made {
		edits = append(edits, v.edit)
	}
	b := h.weaver.write(by, at, after, edits...)
	h.add(who, b, after, edits...)
	for _, v := range made {
		v.block, v.at = b, at
	}
	h.versions = append(h.versions, made...)
}

// draw makes up what a version says, beginning with one of its parents, and returns the text.
func (h *chronicle) draw(t *rapid.T, v *written) string {
	v.account = account{scalars: map[string]string{"f": "1", "o/x": "1"}, set: []string{"a"}, list: []string{"a", "b"}}
	if with := slices.DeleteFunc(slices.Clone(v.parents), func(p *written) bool { return p.edit.GetDeleted() }); len(with) > 0 {
		v.account = rapid.SampledFrom(with).Draw(t, "begins with").account.clone()
		mixed := rapid.SampledFrom(with).Draw(t, "mixes in").account
		for _, key := range []string{"f", "g", "o/x"} {
			if value, ok := mixed.scalars[key]; ok && rapid.Bool().Draw(t, key) {
				v.account.scalars[key] = value
			}
		}
	}
	v.account = v.account.edited(t)
	return v.account.text(rapid.IntRange(0, 3).Draw(t, "layout"))
}

func blocks(versions []*written) []*woven {
	var out []*woven
	for _, v := range versions {
		out = append(out, v.block)
	}
	return out
}

// fieldsOf reads the fields of a text, those of a list apart.
func fieldsOf(t fataler, text []byte) (fields map[string]string, list []string) {
	p, err := definition.ParsePath("a.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := definition.Parse(p, text)
	if err != nil {
		return map[string]string{"": string(text)}, nil
	}
	fields = make(map[string]string)
	textOf := func(v definition.Value) string { return string(text[v.Start:v.End]) }
	for _, m := range doc.Root().Members {
		at := "/" + m.Key
		switch c, ok := m.Value.TypedCollection(); {
		case ok && len(c.Elements.Items) == 0:
			fields[at+"/1"] = textOf(c.Elements)
			fallthrough
		case ok:
			fields[at+"/0"] = textOf(m.Value.Items[0])
			for _, e := range c.Elements.Items {
				fields[at+"/1/"+textOf(e)] = textOf(e)
			}
		case m.Key == "l" && len(m.Value.Items) > 0:
			for _, i := range m.Value.Items {
				list = append(list, textOf(i))
			}
		case len(m.Value.Members) > 0:
			for _, inner := range m.Value.Members {
				fields[at+"/"+inner.Key] = textOf(inner.Value)
			}
		default:
			fields[at] = textOf(m.Value)
		}
	}
	return fields, list
}

// inquiry finds out what a field goes back to.
type inquiry struct {
	t       *rapid.T
	h       *chronicle
	counts  map[*written]bool
	key     string
	value   string
	writers map[*written]bool
	seen    map[*written]bool
}

func (q *inquiry) holds(text []byte) bool {
	fields, _ := fieldsOf(q.t, text)
	value, ok := fields[q.key]
	return ok && value == q.value
}

// above returns the versions that some were made on, all the way.
func above(versions []*written) map[*written]bool {
	seen := make(map[*written]bool)
	for todo := slices.Clone(versions); len(todo) > 0; todo = todo[1:] {
		for _, p := range todo[0].parents {
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	return seen
}

// newest returns those of some versions that count and that no other of these was made on.
func (q *inquiry) newest(of map[*written]bool) []*written {
	var counting []*written
	for _, v := range q.h.versions {
		if of[v] && q.counts[v] {
			counting = append(counting, v)
		}
	}
	under := above(counting)
	return slices.DeleteFunc(counting, func(v *written) bool { return under[v] })
}

// askAll goes on to those of some versions that hold the field; it reports whether there
// are such.
func (q *inquiry) askAll(versions []*written) bool {
	found := false
	for _, v := range versions {
		if !v.edit.GetDeleted() && q.holds(v.edit.GetContent()) {
			q.ask(v)
			found = true
		}
	}
	return found
}

func (q *inquiry) ask(v *written) {
	if q.seen[v] {
		return
	}
	q.seen[v] = true
	if !q.askAll(q.newest(above([]*written{v}))) {
		q.writers[v] = true
	}
}

func (h *chronicle) byTime(a, b *written) int {
	return cmp.Or(cmp.Compare(a.at, b.at), a.block.id.Compare(b.block.id))
}

// answer returns the change to blame: of the earliest writer that follows no other.
func (q *inquiry) answer() definition.ChangeID {
	all := slices.Collect(maps.Keys(q.writers))
	first := slices.DeleteFunc(slices.Clone(all), func(v *written) bool {
		return slices.ContainsFunc(all, func(o *written) bool {
			return o.block != v.block && q.h.ancestry(v.block)[o.block.cid]
		})
	})
	return slices.MinFunc(first, q.h.byTime).block.id
}

// drawChronicle tells a random history.
func drawChronicle(t *rapid.T, cluster *testCluster) *chronicle {
	h := &chronicle{cast: newCast(t, cluster)}
	n := len(h.writers)
	for range rapid.IntRange(5, 60).Draw(t, "steps") {
		switch rapid.IntRange(0, 19).Draw(t, "step") {
		case 19: // seldom: who is revoked writes nothing any more that counts
			h.revoke(t)
		case 0, 1, 2, 3, 4, 5, 6:
			from, to := rapid.IntRange(0, n).Draw(t, "from"), rapid.IntRange(0, n).Draw(t, "to")
			maps.Copy(h.knows[to], h.knows[from])
		default:
			h.write(t, rapid.IntRange(0, n-1).Draw(t, "who"))
		}
	}
	return h
}

func TestRandomBlame(t *testing.T) {
	t.Parallel()
	var files, fields, merges, apart int
	rapid.Check(t, func(rt *rapid.T) {
		cluster := fixedCluster(t)
		h := drawChronicle(rt, cluster)
		r := admitted(t, rt, cluster, h.blocks)
		defer closeReplica(t, r)
		counts := make(map[*written]bool)
		for _, v := range h.versions {
			c, err := r.Change(t.Context(), v.block.id)
			if err != nil {
				rt.Fatal(err)
			}
			counts[v] = c.Counts
		}
		for _, name := range historyPaths {
			p := path(t, name)
			view, content, err := r.Read(t.Context(), p)
			if err != nil {
				rt.Fatal(err)
			}
			if !view.Present {
				continue
			}
			files++
			if view.Merged {
				merges++
			}
			blames, err := r.Blame(t.Context(), definition.Version{Path: p})
			if err != nil {
				rt.Fatal(err)
			}
			want, list := fieldsOf(rt, content)
			var items []string
			for _, b := range blames {
				key := b.Pointer
				if strings.HasPrefix(key, "/l/") {
					items = append(items, b.Text)
					checkItem(rt, h, r, b)
					continue
				}
				if strings.HasPrefix(key, "/s/1/") {
					key = "/s/1/" + b.Text
				}
				if value, ok := want[key]; !ok || value != b.Text {
					rt.Fatalf("%s is %s, which is not a field of\n%s", b.Pointer, b.Text, content)
				}
				delete(want, key)
				q := &inquiry{
					t: rt, h: h, counts: counts, key: key, value: b.Text,
					writers: make(map[*written]bool), seen: make(map[*written]bool),
				}
				heads := slices.DeleteFunc(slices.Clone(h.versions), func(v *written) bool {
					return !slices.Contains(view.Heads, v.version(rt)) // some followed a rename from the other path
				})
				if !q.askAll(heads) {
					// Nobody wrote it: two emptied a set or an object together.
					if !view.Merged || b.Text != "[]" && b.Text != "{}" {
						rt.Fatalf("no head holds %s %s of\n%s", b.Pointer, b.Text, content)
					}
					sides := slices.DeleteFunc(heads, func(v *written) bool { return v.edit.GetDeleted() || v.edit.GetAdopted() })
					q.writers[slices.MaxFunc(sides, h.byTime)] = true
				}
				fields++
				if len(q.writers) > 1 {
					apart++
				}
				if got, want := b.Version.Change, q.answer(); got != want {
					rt.Fatalf("%s %s is by %s, want %s", b.Pointer, b.Text, got.Short(), want.Short())
				}
			}
			if len(want) > 0 {
				rt.Fatalf("nobody is blamed for %v", want)
			}
			if !slices.Equal(items, list) {
				rt.Fatalf("the list's blamed items are %v, want %v", items, list)
			}
		}
	})
	t.Logf("%d files, %d of them merged, %d fields, %d of them by several apart", files, merges, fields, apart)
}

// checkItem checks that a blamed change put an item into its list: the item is there, and
// definition.Diff sees that it was not there before.
func checkItem(t *rapid.T, h *chronicle, r *crdt.Replica, b crdt.Blame) {
	i := slices.IndexFunc(h.versions, func(v *written) bool { return v.version(t) == b.Version })
	if i < 0 {
		t.Fatalf("%s %s is by %s, which is no version", b.Pointer, b.Text, b.Version)
	}
	v := h.versions[i]
	_, list := fieldsOf(t, v.edit.GetContent())
	at := slices.Index(list, b.Text)
	if at < 0 {
		t.Fatalf("%s %s is by %s, which says\n%s", b.Pointer, b.Text, b.Version, v.edit.GetContent())
	}
	for _, from := range historyPaths {
		var refs []definition.Version
		for _, p := range v.parents {
			if p.path == from {
				refs = append(refs, p.version(t))
			}
		}
		if len(refs) == 0 {
			continue
		}
		before, err := r.Merged(t.Context(), refs[0].Path, refs...)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := definition.Diff(b.Version.Path, before, v.edit.GetContent())
		if err != nil || bytes.Equal(before, nil) {
			continue // there was no list before
		}
		if !slices.ContainsFunc(changes, func(c definition.FieldChange) bool {
			return c.To.Text == b.Text && c.Pointer == fmt.Sprintf("/l/%d", at) || c.Pointer == "/l" || c.Pointer == ""
		}) {
			t.Fatalf("%s %s is by %s, which says\n%s\nbut before it was\n%s", b.Pointer, b.Text, b.Version, v.edit.GetContent(), before)
		}
	}
}

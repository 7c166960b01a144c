package crdt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestDirty(t *testing.T) {
	r, _ := newCluster(t).found(t)
	put(t, r, "a.json", "1")
	put(t, r, "b.json", "1")
	r.TakeDirty()
	d := r.Dirty()
	wantDirty := func(want string) {
		t.Helper()
		select {
		case <-d.Wake():
		default:
			t.Error("nobody was woken")
		}
		got := d.Take()
		slices.SortFunc(got, definition.Path.Compare)
		if fmt.Sprint(got) != want {
			t.Errorf("dirty are %v, want %s", got, want)
		}
	}
	wantDirty("[a.json b.json]") // all that was there
	put(t, r, "b.json", "2")
	put(t, r, "B.json", "1") // cannot stand beside b.json
	wantDirty("[B.json b.json]")
	if got := d.Take(); len(got) != 0 {
		t.Errorf("taken twice: %v", got)
	}
	d.Add([]definition.Path{path(t, "a.json")})
	wantDirty("[a.json]")
	if got := len(r.TakeDirty()); got != 2 {
		t.Errorf("the mirror has %d dirty paths, want 2, whoever else took them", got)
	}
}

// TestDirtyOrder: what one change edited last comes together, the oldest change first.
func TestDirtyOrder(t *testing.T) {
	r, _ := newCluster(t).found(t)
	for _, names := range [][]string{{"a.json", "c.json", "e.json"}, {"b.json", "d.json"}, {"c.json"}} {
		var draft definition.Draft
		for _, name := range names {
			p := path(t, name)
			draft.Edits = append(draft.Edits, definition.Edit{Path: p, Parents: r.View(p).Heads, Content: []byte("1")})
		}
		if _, err := r.Append(t.Context(), draft, nil); err != nil {
			t.Fatal(err)
		}
	}
	d := r.Dirty()
	d.Add([]definition.Path{path(t, "never-heard-of.json")})
	if got, want := fmt.Sprint(d.Take()), "[never-heard-of.json a.json e.json b.json d.json c.json]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

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

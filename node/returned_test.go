package node_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// TestASaveThatReturnedIsListedForADay: it is a conflict like any other, in the status, the list
// and the log, until it is resolved or a day has passed.
func TestASaveThatReturnedIsListedForADay(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: t.TempDir(), Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), node.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	<-n.Ready()
	p, err := definition.ParsePath("a-1.json")
	if err != nil {
		t.Fatal(err)
	}
	write := func(e definition.Edit) definition.Version {
		t.Helper()
		e.Path = p
		versions, err := n.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{e}})
		if err != nil {
			t.Fatal(err)
		}
		return versions[0]
	}
	first := write(definition.Edit{Content: []byte(`{"id": 1}`)})
	undone := write(definition.Edit{Content: []byte(`{"id": 1, "name": "b"}`)})
	back := write(definition.Edit{Content: []byte(`{"id": 1}`), Returned: true})
	write(definition.Edit{Content: []byte(`{"id": 1, "theme": "c"}`)})

	listed, err := n.Conflicts(t.Context(), "")
	if err != nil || len(listed) != 1 {
		t.Fatalf("listed are %+v, %v, want one conflict", listed, err)
	}
	c := listed[0]
	if c.Kind != definition.ConflictReverted || c.Lost.Version != undone || c.Stands.Version != back || c.Reason == "" {
		t.Errorf("listed is %+v, want that %s took %s back", c, back, undone)
	}
	if got := n.Status(t.Context()).Conflicts; got != 1 {
		t.Errorf("status: got %d conflicts, want 1", got)
	}
	log, err := n.Log(t.Context(), node.LogQuery{Path: p})
	if err != nil || len(log) != 4 {
		t.Fatalf("log: got %+v, %v", log, err)
	}
	if e := log[1].Edits[0]; !e.Returned || e.BackTo != first.Change {
		t.Errorf("log: got %+v, want that it went back to %s", e, first)
	}
	for after, want := range map[time.Duration]int{0: 1, 23 * time.Hour: 1, 25 * time.Hour: 0} {
		if got := n.ListedAt(p, time.Now().Add(after)); got != want {
			t.Errorf("after %v: got %d conflicts, want %d", after, got, want)
		}
	}

	if _, err := n.ResolveConflicts(t.Context(), node.Resolution{Paths: []string{"a-1.json"}, Merged: true}); err != nil {
		t.Fatal(err)
	}
	if listed, err := n.Conflicts(t.Context(), ""); err != nil || len(listed) != 0 {
		t.Errorf("after the resolution: got %+v, %v, want none", listed, err)
	}
	if got := n.Status(t.Context()).Conflicts; got != 0 {
		t.Errorf("status after the resolution: got %d conflicts, want 0", got)
	}
}

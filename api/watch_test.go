package api_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/starling-sync/starling/api"
)

func watch(t *testing.T, client *api.Client, q api.WatchQuery) *api.Watch {
	t.Helper()
	w, err := client.Watch(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// wantNext reads the changes that are next, by their ids.
func wantNext(t *testing.T, w *api.Watch, want ...string) {
	t.Helper()
	for i, id := range want {
		got, err := w.Next()
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		if got.ID != id {
			t.Fatalf("change %d: got %+v, want %s", i, got, id)
		}
	}
}

func TestWatch(t *testing.T) {
	client, _, _ := serve(t)
	put := func(paths ...string) string {
		t.Helper()
		var d api.Draft
		for _, path := range paths {
			d.Edits = append(d.Edits, api.Edit{Path: path, Content: []byte(service)})
		}
		made, err := client.Edit(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return made.Changes[0]
	}
	first := put("a/one.json")
	all := watch(t, client, api.WatchQuery{})
	second, third := put("a/two.json"), put("a/three.json", "b/three.json")
	wantNext(t, all, second, third)
	wantNext(t, watch(t, client, api.WatchQuery{Since: first[:12]}), second, third)
	wantNext(t, watch(t, client, api.WatchQuery{Since: second}), third)

	some := watch(t, client, api.WatchQuery{Since: first, Match: []string{"b/*", "none"}})
	c, err := some.Next()
	if err != nil || c.ID != third || len(c.Edits) != 1 || c.Edits[0].Path != "b/three.json" || c.Author != "node-a" || c.Seq != 3 {
		t.Errorf("what a glob matches: got %+v, %v, want one edit of %s", c, err, third)
	}

	wantProblem(t, api.CodeNotFound)(client.Watch(t.Context(), api.WatchQuery{Since: "aaaaaaaa"}))
	wantProblem(t, api.CodeInvalid)(client.Watch(t.Context(), api.WatchQuery{Since: "abc"}))
	wantProblem(t, api.CodeInvalid)(client.Watch(t.Context(), api.WatchQuery{Match: []string{"[a"}}))
}

func TestWatchEnds(t *testing.T) {
	client, server, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	given, err := client.Watch(ctx, api.WatchQuery{})
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	cancel()
	if _, err := given.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("the reader gives up: got %v, want %v", err, context.Canceled)
	}
	w := watch(t, client, api.WatchQuery{})
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	wantProblem(t, api.CodeUnavailable)(w.Next())
	if _, err := w.Next(); !errors.Is(err, api.ErrNoNode) {
		t.Errorf("after the end: got %v, want %v", err, api.ErrNoNode)
	}
}

// TestASlowReaderDelaysNobody: who watches and does not read holds up neither edits nor
// the end of the server, and misses nothing when it reads on.
func TestASlowReaderDelaysNobody(t *testing.T) {
	client, server, _ := start(t)
	slow, slower := watch(t, client, api.WatchQuery{}), watch(t, client, api.WatchQuery{})
	const drafts, edits = 8, 500 // some 70 KB each in the stream, more than sockets hold
	var ids []string
	for i := range drafts {
		var d api.Draft
		for j := range edits {
			d.Edits = append(d.Edits, api.Edit{Path: fmt.Sprintf("s-%d.json", j), Content: fmt.Appendf(nil, `{"n": %d}`, i)})
		}
		made, err := client.Edit(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.Changes...)
	}
	wantNext(t, slow, ids...)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	for {
		if _, err := slower.Next(); err != nil {
			break // it was cut off
		}
	}
}

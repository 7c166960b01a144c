package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/starling-sync/starling/api"
)

func TestPast(t *testing.T) {
	client, _, _ := serve(t)
	edit := func(e ...api.Edit) time.Time {
		t.Helper()
		if _, err := client.Edit(t.Context(), api.Draft{Edits: e, Actor: "who"}); err != nil {
			t.Fatal(err)
		}
		list, err := client.Changes(t.Context(), api.ChangesQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		poll(t, func() error { // the next change is made later by any clock
			if !time.Now().After(list.Changes[0].Time.Add(time.Millisecond)) {
				return context.DeadlineExceeded
			}
			return nil
		})
		return list.Changes[0].Time
	}
	one, two := []byte(`{"id": 1}`), []byte(`{"id": 2}`)
	first := edit(api.Edit{Path: "a.json", Content: one}, api.Edit{Path: "b.json", Content: one})
	second := edit(api.Edit{Path: "a.json", Content: two}, api.Edit{Path: "b.json", Deleted: true}, api.Edit{Path: "c.json", Content: two})
	early := first.Add(-time.Hour)

	for _, tt := range []struct {
		at   time.Time
		want string
	}{{early, ""}, {first, "a.json b.json "}, {second, "a.json c.json "}, {time.Time{}, "a.json c.json "}} {
		list, err := client.DefinitionsAt(t.Context(), "", tt.at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, d := range list.Definitions {
			got += d.Path + " "
		}
		if got != tt.want {
			t.Errorf("definitions at %v: got %s, want %s", tt.at, got, tt.want)
		}
	}
	if got, err := client.ContentAt(t.Context(), "a.json", first); err != nil || string(got) != string(one) {
		t.Errorf("content then: got %s, %v, want %s", got, err, one)
	}
	wantProblem(t, api.CodeNotFound)(client.ContentAt(t.Context(), "c.json", first))
	files, err := client.Snapshot(t.Context(), first)
	if err != nil || len(files) != 2 || files[0].Path != "a.json" || string(files[0].Content) != string(one) {
		t.Errorf("snapshot: got %+v, %v, want what was there", files, err)
	}

	plan, err := client.PreviewRollback(t.Context(), api.Rollback{At: first, Paths: []string{"?.json"}})
	if err != nil || len(plan.Changes) != 0 || len(plan.Edits) != 3 {
		t.Fatalf("preview: got %+v, %v, want 3 edits", plan, err)
	}
	for i, kind := range []string{"edit", "create", "delete"} {
		if got := plan.Edits[i].Kind; got != kind {
			t.Errorf("edit %d: got %s, want %s", i, got, kind)
		}
	}
	done, err := client.RollBack(t.Context(), api.Rollback{At: first, Paths: []string{"b.json"}, Actor: "who"})
	if err != nil || len(done.Changes) != 1 || len(done.Edits) != 1 {
		t.Fatalf("roll back one: got %+v, %v, want one edit", done, err)
	}
	if done, err = client.RollBack(t.Context(), api.Rollback{At: first, Note: "why"}); err != nil || len(done.Edits) != 2 {
		t.Fatalf("roll back the rest: got %+v, %v, want two edits", done, err)
	}
	if done, err = client.RollBack(t.Context(), api.Rollback{At: first}); err != nil || len(done.Changes) != 0 {
		t.Errorf("roll back once more: got %+v, %v, want nothing to do", done, err)
	}
	wantProblem(t, api.CodeNotFound)(client.RollBack(t.Context(), api.Rollback{At: first, Paths: []string{"none.json"}}))
	wantProblem(t, api.CodeInvalid)(client.RollBack(t.Context(), api.Rollback{At: first, Paths: []string{"[a"}}))
	wantProblem(t, api.CodeInvalid)(client.RollBack(t.Context(), api.Rollback{}))
	wantProblem(t, api.CodeInvalid)(client.PreviewRollback(t.Context(), api.Rollback{}))

	for _, tt := range []struct {
		name  string
		query api.ChangesQuery
		want  int
	}{
		{"all", api.ChangesQuery{}, 4},
		{"of a path", api.ChangesQuery{Path: "b.json"}, 3},
		{"by the node", api.ChangesQuery{Author: "node-a"}, 4},
		{"by an actor", api.ChangesQuery{Author: "who"}, 3},
		{"since", api.ChangesQuery{Since: second}, 3},
		{"until", api.ChangesQuery{Until: second}, 2},
		{"between", api.ChangesQuery{Since: first, Until: first}, 1},
		{"before all", api.ChangesQuery{Until: early}, 0},
		{"an actor's of a path, paged", api.ChangesQuery{Path: "b.json", Author: "who", Limit: 2}, 2},
	} {
		if list, err := client.Changes(t.Context(), tt.query); err != nil || len(list.Changes) != tt.want {
			t.Errorf("changes %s: got %d, %v, want %d", tt.name, len(list.Changes), err, tt.want)
		}
	}
	wantProblem(t, api.CodeNotFound)(client.Changes(t.Context(), api.ChangesQuery{Author: "nobody at all"}))
}

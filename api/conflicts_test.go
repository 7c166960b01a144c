package api_test

import (
	"testing"

	"github.com/starling-sync/starling/api"
)

func TestConflicts(t *testing.T) {
	client, _, _ := serve(t)
	put := func(path string) {
		t.Helper()
		if _, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: path, Content: []byte(service)}}}); err != nil {
			t.Fatal(err)
		}
	}
	put("app-1.json")
	if l, err := client.Conflicts(t.Context(), ""); err != nil || l.Conflicts == nil || len(l.Conflicts) != 0 {
		t.Errorf("one definition: got %+v, %v, want no conflict", l, err)
	}
	put("App-1.json") // it cannot be beside the first
	put("two-1.json") // with the id of the first
	l, err := client.Conflicts(t.Context(), "**")
	if err != nil || len(l.Conflicts) != 2 {
		t.Fatalf("got %+v, %v, want 2 conflicts", l, err)
	}
	held := l.Conflicts[0]
	if held.Path != "App-1.json" || held.Kind != "path" || held.Lost.Path != "App-1.json" || held.Stands.Path != "app-1.json" || held.Lost.Author != "node-a" {
		t.Errorf("colliding paths: got %+v", held)
	}
	twice := l.Conflicts[1]
	if twice.Path != "app-1.json" || twice.Kind != "duplicate_id" || twice.Lost != nil || twice.Stands != nil || len(twice.Paths) != 2 {
		t.Errorf("duplicate id: got %+v", twice)
	}
	d, err := client.Dispute(t.Context(), "App-1.json")
	if err != nil || d.Now != nil || len(d.Conflicts) != 1 || *d.Conflicts[0].LostText != service || *d.Conflicts[0].StandsText != service {
		t.Errorf("dispute: got %+v, %v", d, err)
	}

	wantProblem(t, api.CodeInvalid)(client.Conflicts(t.Context(), "[a"))
	wantProblem(t, api.CodeInvalid)(client.Dispute(t.Context(), "../a.json"))
	if d, err := client.Dispute(t.Context(), "two-1.json"); err != nil || d.Now == nil || len(d.Conflicts) != 1 || len(d.Conflicts[0].Paths) != 2 {
		t.Errorf("dispute about an id: got %+v, %v, want the two paths", d, err)
	}
	if s, err := client.Status(t.Context()); err != nil || s.Conflicts != 2 {
		t.Errorf("status: got %d conflicts, %v, want 2", s.Conflicts, err)
	}
	wantProblem(t, api.CodeNotFound)(client.Dispute(t.Context(), "none.json"))
	wantProblem(t, api.CodeRefused)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"two-1.json"}, Merged: true}))
	wantProblem(t, api.CodeNotFound)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"none/**"}, Merged: true}))
	wantProblem(t, api.CodeRefused)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"App-1.json"}, Merged: true}))
	wantProblem(t, api.CodeInvalid)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"App-1.json"}}))
	wantProblem(t, api.CodeInvalid)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"App-1.json"}, Merged: true, Content: []byte("{}")}))
	wantProblem(t, api.CodeInvalid)(client.Resolve(t.Context(), api.Resolution{Merged: true}))
	wantProblem(t, api.CodeInvalid)(client.Resolve(t.Context(), api.Resolution{Paths: []string{"[a"}, Merged: true}))
}

func TestMembershipAndRules(t *testing.T) {
	client, _, _ := serve(t)
	if got, err := client.Rules(t.Context()); err != nil || got != (api.Rules{InForce: 1, Known: 1}) {
		t.Errorf("rules: got %+v, %v, want 1 in force", got, err)
	}
	if got, err := client.SetRules(t.Context(), 1); err != nil || got.InForce != 1 {
		t.Errorf("rules 1: got %+v, %v, want 1 in force", got, err)
	}
	wantProblem(t, api.CodeRefused)(client.SetRules(t.Context(), 2))
	wantProblem(t, api.CodeInvalid)(client.SetRules(t.Context(), 0))

	wantProblem(t, api.CodeNotFound)(client.PreviewRevoke(t.Context(), api.RevocationRequest{Member: "node-x", Mode: "keep"}))
	wantProblem(t, api.CodeInvalid)(client.PreviewRevoke(t.Context(), api.RevocationRequest{Member: "node-a", Mode: "burn"}))
	wantProblem(t, api.CodeRefused)(client.PreviewRevoke(t.Context(), api.RevocationRequest{Member: "node-a", Mode: "purge"}))
	wantProblem(t, api.CodeNotFound)(client.Revoke(t.Context(), api.RevocationRequest{Member: "node-x", Mode: "keep"}))
	wantProblem(t, api.CodeRefused)(client.Revoke(t.Context(), api.RevocationRequest{Member: "node-a", Mode: "keep"}))
}

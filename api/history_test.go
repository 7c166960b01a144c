package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/api"
)

func TestHistory(t *testing.T) {
	client, _, _ := serve(t)
	put := func(path, content string) string {
		t.Helper()
		made, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: path, Content: []byte(content)}}})
		if err != nil {
			t.Fatal(err)
		}
		return made.Changes[0]
	}
	renamed := strings.Replace(service, `"app"`, `"portal"`, 1)
	first, second := put("app-1.json", service), put("app-1.json", renamed)

	shown, err := client.Show(t.Context(), second[:12])
	if err != nil || shown.ID != second || len(shown.Edits) != 1 || !shown.Counts {
		t.Fatalf("show: got %+v, %v", shown, err)
	}
	if e := shown.Edits[0]; e.Against != first || e.Extent != "fields" || len(e.Fields) != 1 || e.Fields[0].Pointer != "/name" || *e.Fields[0].From != `"app"` || *e.Fields[0].To != `"portal"` {
		t.Errorf("show: got %+v, want the name", e)
	}
	if shown, err := client.Show(t.Context(), first); err != nil || shown.Edits[0].Extent != "whole" || shown.Edits[0].Against != "" || shown.Edits[0].Kind != "create" {
		t.Errorf("show the first change: got %+v, %v, want a new file", shown, err)
	}

	d, err := client.Compare(t.Context(), api.Point{Path: "app-1.json"}, api.Point{Path: "app-1.json", Change: first})
	if err != nil || d.From.Change != "" || !d.From.Present || d.To.Change != first || len(d.Fields) != 1 || *d.Fields[0].To != `"app"` {
		t.Errorf("compare: got %+v, %v, want the name", d, err)
	}

	if plan, err := client.PreviewRevert(t.Context(), second); err != nil || len(plan.Changes) != 0 || len(plan.Edits) != 1 || plan.Edits[0].Extent != "fields" {
		t.Errorf("preview: got %+v, %v, want one edit", plan, err)
	}
	wantProblem(t, api.CodeRefused)(client.PreviewRevert(t.Context(), first)) // edited since
	wantProblem(t, api.CodeRefused)(client.Revert(t.Context(), api.Reversion{Change: first}))
	done, err := client.Revert(t.Context(), api.Reversion{Change: second, Note: "back"})
	if err != nil || len(done.Changes) != 1 {
		t.Fatalf("revert: got %+v, %v, want one change", done, err)
	}
	if got, err := client.Content(t.Context(), "app-1.json", ""); err != nil || string(got) != service {
		t.Errorf("after the revert: got %s, %v, want what was before", got, err)
	}
	if shown, err := client.Show(t.Context(), done.Changes[0]); err != nil || shown.Note != "back" || shown.Edits[0].Against != second {
		t.Errorf("show the revert: got %+v, %v", shown, err)
	}

	// Another path is held in this one's place: a revert cannot bring anything back.
	displaced := put("App-1.json", service)
	wantProblem(t, api.CodeRefused)(client.Revert(t.Context(), api.Reversion{Change: displaced}))

	wantProblem(t, api.CodeNotFound)(client.Show(t.Context(), "aaaaaaaa"))
	wantProblem(t, api.CodeInvalid)(client.Show(t.Context(), "aaa"))
	wantProblem(t, api.CodeNotFound)(client.Compare(t.Context(), api.Point{Path: "none.json"}, api.Point{Path: "app-1.json"}))
	wantProblem(t, api.CodeNotFound)(client.Compare(t.Context(), api.Point{Path: "none.json", Change: first}, api.Point{Path: "app-1.json"}))
	wantProblem(t, api.CodeInvalid)(client.Compare(t.Context(), api.Point{Path: "../a.json"}, api.Point{Path: "app-1.json"}))
	wantProblem(t, api.CodeNotFound)(client.PreviewRevert(t.Context(), "aaaaaaaa"))
	wantProblem(t, api.CodeInvalid)(client.Revert(t.Context(), api.Reversion{}))
}

// TestWhatWasRead: the ETag of a content is the base of an edit of it, which is merged with what
// came since.
func TestWhatWasRead(t *testing.T) {
	client, socket, _ := serve(t)
	raw := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer raw.CloseIdleConnections()
	do := func(method, path, match string, body any, want int) http.Header {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), method, "http://starling"+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if match != "" {
			request.Header.Set("If-Match", match)
		}
		answer, err := raw.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != want {
			said, _ := io.ReadAll(answer.Body)
			t.Fatalf("%s %s: got %s, want %d: %s", method, path, answer.Status, want, said)
		}
		return answer.Header
	}
	edit := func(content string, base ...string) api.Draft {
		return api.Draft{Edits: []api.Edit{{Path: "app-1.json", Content: []byte(content), Base: base}}}
	}
	made, err := client.Edit(t.Context(), edit(`{"id": 1, "name": "a", "theme": "a"}`))
	if err != nil {
		t.Fatal(err)
	}
	tag := do("GET", "/v1/content?path=app-1.json", "", nil, http.StatusOK).Get("ETag")
	if want := `"` + made.Changes[0] + `"`; tag != want {
		t.Errorf("the tag is %s, want %s", tag, want)
	}
	do("POST", "/v1/changes", tag, edit(`{"id": 1, "name": "b", "theme": "a"}`), http.StatusCreated)
	do("POST", "/v1/changes", tag, edit(`{"id": 1, "name": "a", "theme": "c"}`), http.StatusCreated)
	if got, err := client.Content(t.Context(), "app-1.json", ""); err != nil || string(got) != `{"id": 1, "name": "b", "theme": "c"}` {
		t.Errorf("got %s, %v, want both edits", got, err)
	}
	tag = do("GET", "/v1/content?path=app-1.json", "", nil, http.StatusOK).Get("ETag")
	if strings.Count(tag, ",") != 1 {
		t.Errorf("the tag of a merge is %s, want two changes", tag)
	}
	do("POST", "/v1/changes", tag, edit(`{"id": 1, "name": "d", "theme": "c"}`), http.StatusCreated)
	do("POST", "/v1/changes", "*", edit(`{"id": 1, "name": "e", "theme": "c"}`), http.StatusCreated)
	if l, err := client.Conflicts(t.Context(), ""); err != nil || len(l.Conflicts) != 0 {
		t.Errorf("got %+v, %v, want no conflict", l, err)
	}

	// An older version, by the first characters of its id, and the same field.
	if _, err := client.Edit(t.Context(), edit(`{"id": 1, "name": "f", "theme": "a"}`, made.Changes[0][:8])); err != nil {
		t.Fatal(err)
	}
	if l, err := client.Conflicts(t.Context(), ""); err != nil || len(l.Conflicts) != 1 || l.Conflicts[0].Pointers[0] != "/name" {
		t.Errorf("got %+v, %v, want a conflict of the name", l, err)
	}
	list, err := client.Changes(t.Context(), api.ChangesQuery{Path: "app-1.json", Limit: 1})
	if err != nil || list.Changes[0].Edits[0].Older != made.Changes[0] {
		t.Errorf("got %+v, %v, want an edit of the older version", list, err)
	}
	wantProblem(t, api.CodeNotFound)(client.Edit(t.Context(), edit("{}", "aaaaaaaa")))
	do("POST", "/v1/changes", tag, edit("{}", made.Changes[0]), http.StatusUnprocessableEntity)
	do("POST", "/v1/changes", `"aaaaaaaa"`, edit("{}"), http.StatusNotFound)
	other := edit("{}", made.Changes[0])
	other.Edits[0].Path = "other-2.json"
	wantProblem(t, api.CodeNotFound)(client.Edit(t.Context(), other))
}

func TestBlame(t *testing.T) {
	client, _, _ := serve(t)
	put := func(content, note, actor string) string {
		t.Helper()
		made, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: "app-1.json", Content: []byte(content)}}, Note: note, Actor: actor})
		if err != nil {
			t.Fatal(err)
		}
		return made.Changes[0]
	}
	first := put(`{"id": 1, "name": "app"}`, "", "")
	second := put(`{"id": 1, "name": "portal"}`, "why", "alice")
	b, err := client.Blame(t.Context(), "app-1.json", "")
	if err != nil || len(b.Fields) != 2 {
		t.Fatalf("got %+v, %v, want two fields", b, err)
	}
	if f := b.Fields[0]; f.Pointer != "/id" || f.Value != "1" || f.Change != first || f.Note != "" || f.Path != "app-1.json" || f.Author == "" || f.Time.IsZero() {
		t.Errorf("got %+v, want the id by the first change", f)
	}
	if f := b.Fields[1]; f.Pointer != "/name" || f.Value != `"portal"` || f.Change != second || f.Note != "why" || f.Actor != "alice" {
		t.Errorf("got %+v, want the name by the second change", f)
	}
	if b, err := client.Blame(t.Context(), "app-1.json", first[:8]); err != nil || len(b.Fields) != 2 || b.Fields[1].Change != first {
		t.Errorf("of the first change: got %+v, %v", b, err)
	}
	wantProblem(t, api.CodeNotFound)(client.Blame(t.Context(), "none.json", ""))
	wantProblem(t, api.CodeNotFound)(client.Blame(t.Context(), "none.json", first))
	wantProblem(t, api.CodeNotFound)(client.Blame(t.Context(), "app-1.json", "aaaaaaaa"))
	wantProblem(t, api.CodeInvalid)(client.Blame(t.Context(), "../a.json", ""))
}

func TestSnapshot(t *testing.T) {
	client, _, _ := serve(t)
	if files, err := client.Snapshot(t.Context(), time.Time{}); err != nil || len(files) != 0 {
		t.Errorf("no definitions: got %+v, %v", files, err)
	}
	draft := api.Draft{Edits: []api.Edit{
		{Path: "a/one-1.json", Content: []byte(`{"id": 1}`)},
		{Path: "same-1.json", Content: []byte(`{"id": 1}`)},
		{Path: "two-2.json", Content: []byte(`{"id": 2}`)},
	}}
	if _, err := client.Edit(t.Context(), draft); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: "two-2.json", Deleted: true}}}); err != nil {
		t.Fatal(err)
	}
	files, err := client.Snapshot(t.Context(), time.Time{})
	if err != nil || len(files) != 2 {
		t.Fatalf("got %+v, %v, want 2 files", files, err)
	}
	for i, path := range []string{"a/one-1.json", "same-1.json"} {
		if f := files[i]; f.Path != path || string(f.Content) != `{"id": 1}` {
			t.Errorf("got %s with %s, want %s", f.Path, f.Content, path)
		}
	}
}

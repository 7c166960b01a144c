package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/node"
)

const service = `{"@class": "org.apereo.cas.services.CasRegisteredService", "serviceId": "^https://app", "name": "app", "id": 12345678901234567}`

// serve runs a node of a new cluster with its API on a socket.
func serve(t *testing.T) (client *api.Client, socket, dir string) {
	t.Helper()
	client, _, config := start(t)
	return client, config.Socket, config.Dir
}

// start is serve, for tests that end the server themselves.
func start(t *testing.T) (*api.Client, *api.Server, node.Config) {
	t.Helper()
	data, dir := t.TempDir(), t.TempDir()
	if err := os.Chmod(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "config.yaml"), []byte("mdns: false\ndht: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: dir, Name: "node-a", Listen: "/ip4/127.0.0.1/tcp/0"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), node.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	l, err := api.Listen(t.Context(), n.Config().Socket, "")
	if err != nil {
		t.Fatal(errors.Join(err, n.Close()))
	}
	server := api.Serve(l, n, nil)
	client := api.Dial(n.Config().Socket)
	t.Cleanup(func() {
		client.Close()
		if err := errors.Join(server.Close(), n.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-n.Ready():
	case <-time.After(10 * time.Second):
		t.Fatalf("the node is not ready after 10 s: %+v", n.Status(t.Context()))
	}
	return client, server, n.Config()
}

// call sends one raw request.
func call(t *testing.T, socket, method, path, body string) (status int, contentType, answer string) {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://starling"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(content)
}

func TestEditAndRead(t *testing.T) {
	client, _, dir := serve(t)
	edited, err := client.Edit(t.Context(), api.Draft{
		Edits: []api.Edit{{Path: "app-1.json", Content: []byte(service)}},
		Note:  "why", Actor: "who",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(edited.Changes), 1; got != want {
		t.Fatalf("changes: got %d, want %d", got, want)
	}
	id := edited.Changes[0]

	got, err := client.Content(t.Context(), "app-1.json", "")
	if err != nil || string(got) != service {
		t.Errorf("present bytes: got %q, %v, want %q", got, err, service)
	}
	reached, err := client.Reach(t.Context(), id[:12], time.Second)
	if err != nil || len(reached.Have) != 1 || len(reached.Missing) != 0 {
		t.Errorf("reach: got %+v, %v, want node-a alone", reached, err)
	}

	if _, err := client.Edit(t.Context(), api.Draft{Edits: []api.Edit{{Path: "app-1.json", Deleted: true}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Content(t.Context(), "app-1.json", id); err != nil || string(got) != service {
		t.Errorf("earlier bytes: got %q, %v, want %q", got, err, service)
	}
	wantProblem(t, api.CodeNotFound)(client.Content(t.Context(), "app-1.json", ""))

	log, err := client.Changes(t.Context(), api.ChangesQuery{Path: "app-1.json"})
	if err != nil || len(log.Changes) != 2 {
		t.Fatalf("history: got %+v, %v, want 2 changes", log, err)
	}
	first := log.Changes[1]
	if first.ID != id || first.Author != "node-a" || first.Note != "why" || first.Actor != "who" || first.Edits[0].Kind != "create" {
		t.Errorf("first change: got %+v", first)
	}
	page, err := client.Changes(t.Context(), api.ChangesQuery{Before: log.Changes[0].ID, Limit: 1})
	if err != nil || len(page.Changes) != 1 || page.Changes[0].ID != id {
		t.Errorf("second page: got %+v, %v, want %s", page, err, id)
	}

	poll(t, func() error {
		if _, err := os.Lstat(filepath.Join(dir, "app-1.json")); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the file is still there: %w", err)
		}
		v, err := client.Verify(t.Context())
		if err == nil && !v.Equal {
			err = fmt.Errorf("verify: got %+v, want equal", v)
		}
		return err
	})
}

func TestStatusAndPeers(t *testing.T) {
	client, _, dir := serve(t)
	s, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "node-a" || s.Role != "writer" || s.Dir != dir || !s.Ready || s.Members != 1 || len(s.Problems) != 0 {
		t.Errorf("status: got %+v", s)
	}
	l, err := client.Peers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Peers) != 1 || !l.Peers[0].Self || l.Peers[0].ID != s.ID {
		t.Errorf("peers: got %+v, want node-a alone", l)
	}
}

func TestInvite(t *testing.T) {
	client, _, _ := serve(t)
	got, err := client.Invite(t.Context(), api.InvitationRequest{Role: "reader", Uses: 3, TTL: "2h", Paths: []string{"a/**"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Token, "starling1.") || got.Role != "reader" || got.Uses != 3 || time.Until(got.Expires) > 2*time.Hour {
		t.Errorf("invitation: got role %s, %d uses, until %v", got.Role, got.Uses, got.Expires)
	}
}

func TestProblems(t *testing.T) {
	client, socket, _ := serve(t)
	edit := func(e api.Edit) (api.Edited, error) {
		return client.Edit(t.Context(), api.Draft{Edits: []api.Edit{e}})
	}
	wantProblem(t, api.CodeInvalid)(edit(api.Edit{Path: "../a.json", Content: []byte("{}")}))
	wantProblem(t, api.CodeInvalid)(edit(api.Edit{Path: "a.json", Content: []byte("{")}))
	wantProblem(t, api.CodeInvalid)(edit(api.Edit{Path: "a.json", Content: []byte("{}"), Deleted: true}))
	wantProblem(t, api.CodeNotFound)(edit(api.Edit{Path: "a.json", Deleted: true}))
	wantProblem(t, api.CodeInvalid)(client.Edit(t.Context(), api.Draft{}))
	wantProblem(t, api.CodeInvalid)(client.Content(t.Context(), "a.json", "abc"))
	wantProblem(t, api.CodeNotFound)(client.Content(t.Context(), "a.json", "abcd"))
	wantProblem(t, api.CodeInvalid)(client.Definitions(t.Context(), "[a"))
	wantProblem(t, api.CodeInvalid)(client.Invite(t.Context(), api.InvitationRequest{Role: "king", Uses: 1, TTL: "1h"}))
	wantProblem(t, api.CodeInvalid)(client.Invite(t.Context(), api.InvitationRequest{Role: "writer", Uses: 1, TTL: "soon"}))
	wantProblem(t, api.CodeNotFound)(client.Approve(t.Context(), "nothing"))
	wantProblem(t, api.CodeNotFound)(client.Restore(t.Context(), "nothing"))

	// What the library refuses by itself has the same form, and says nothing of
	// what was sent.
	for _, body := range []string{
		`{"edits": [{"path": "a.json", "content": "open sesame"}]}`,
		`{"edits": [{"path": "a.json", "sesame": true}]}`,
		`{"edits": [{"path": "a.json", "content": "` + strings.Repeat("sesame", 2<<20) + `"}]}`,
		`open sesame`,
	} {
		status, contentType, answer := call(t, socket, http.MethodPost, "/v1/changes", body)
		var problem api.Problem
		if err := json.Unmarshal([]byte(answer), &problem); err != nil {
			t.Fatal(err)
		}
		if status < 400 || status >= 500 || contentType != "application/problem+json" || problem.Code != api.CodeInvalid || problem.Detail == "" {
			t.Errorf("bad body: got %d, %s, %s", status, contentType, answer)
		}
		if bytes.Contains([]byte(answer), []byte("open")) {
			t.Errorf("the answer repeats what was sent: %s", answer)
		}
	}
	if status, _, answer := call(t, socket, http.MethodGet, "/v1/definitions?mach=a", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("unknown query parameter: got %d %s, want %d", status, answer, http.StatusUnprocessableEntity)
	}
}

func TestHealthAndDescription(t *testing.T) {
	_, socket, _ := serve(t)
	for _, path := range []string{"/livez", "/readyz", "/openapi.json", "/openapi.yaml"} {
		if status, _, answer := call(t, socket, http.MethodGet, path, ""); status != http.StatusOK {
			t.Errorf("%s: got %d %s, want 200", path, status, answer)
		}
	}
	for _, path := range []string{"/", "/docs", "/schemas/Status.json"} {
		if status, _, answer := call(t, socket, http.MethodGet, path, ""); status != http.StatusNotFound {
			t.Errorf("%s: got %d %s, want 404", path, status, answer)
		}
	}
}

// wantProblem returns a function that takes the results of a client's method.
func wantProblem(t *testing.T, want api.Code) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		problem, ok := errors.AsType[*api.Problem](err)
		if !ok || problem.Code != want {
			t.Errorf("got %v, want a problem %q", err, want)
		}
	}
}

func poll(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %v", err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

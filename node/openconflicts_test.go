package node_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// found returns what a pattern's group finds in the log, sorted.
func (l *logbook) found(pattern string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(l.text.String(), -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}

func edit(t *testing.T, n *node.Node, name, content string) {
	t.Helper()
	p, err := definition.ParsePath(name)
	if err != nil {
		t.Fatal(err)
	}
	e := definition.Edit{Path: p, Content: []byte(content), Deleted: content == ""}
	if _, err := n.Edit(t.Context(), definition.Draft{Edits: []definition.Edit{e}}); err != nil {
		t.Fatal(err)
	}
}

// TestAConflictIsLoggedOnce: when it opens, not again after a restart, and again if it
// ended meanwhile.
func TestAConflictIsLoggedOnce(t *testing.T) {
	t.Parallel()
	data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: dir, Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
		t.Fatal(err)
	}
	var log *logbook
	open := func() *node.Node {
		t.Helper()
		log = new(logbook)
		n, err := node.Open(t.Context(), node.Options{Data: data, Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	stop := func(n *node.Node) {
		t.Helper()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantLogged := func(want ...string) {
		t.Helper()
		eventually(t, func() error {
			if got := log.found(`level=WARN msg="a conflict is open" path=(\S+ kind=\S+)`); !slices.Equal(got, want) {
				return fmt.Errorf("logged are %q, want %q", got, want)
			}
			return nil
		})
	}

	n := open()
	edit(t, n, "app-1.json", `{"id": 1}`)
	edit(t, n, "App-1.json", `{"id": 1, "name": "sesame"}`)
	edit(t, n, "b-2.json", `{"id": 2}`)
	edit(t, n, "c-2.json", `{"id": 2}`)
	wantLogged("App-1.json kind=path", "b-2.json kind=duplicate_id")
	edit(t, n, "app-1.json", `{"id": 1, "name": "x"}`)
	edit(t, n, "d-3.json", `{"id": 3}`)
	edit(t, n, "D-3.json", `{"id": 3}`)
	wantLogged("App-1.json kind=path", "D-3.json kind=path", "b-2.json kind=duplicate_id")
	if s := n.Status(t.Context()); s.Conflicts != 3 {
		t.Errorf("status: got %d conflicts, want 3", s.Conflicts)
	}
	if got := log.found("(sesame)"); got != nil {
		t.Error("the log holds contents")
	}
	stop(n)

	n = open()
	edit(t, n, "e-2.json", `{"id": 2}`)
	wantLogged("b-2.json kind=duplicate_id") // of three now
	edit(t, n, "D-3.json", "")
	eventually(t, func() error {
		if got := n.Status(t.Context()).Conflicts; got != 2 {
			return fmt.Errorf("%d conflicts are open, want 2", got)
		}
		return nil
	})
	edit(t, n, "f-4.json", `{"id": 4}`)
	edit(t, n, "g-4.json", `{"id": 4}`)
	wantLogged("b-2.json kind=duplicate_id", "f-4.json kind=duplicate_id") // the log has looked by now
	stop(n)

	n = open()
	defer stop(n)
	edit(t, n, "D-3.json", `{"id": 3}`)
	wantLogged("D-3.json kind=path")
}

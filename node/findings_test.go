package node_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

// clean is a service of this name and id that nothing is wrong with.
func clean(name string, id int) string {
	return fmt.Sprintf(`{"@class": "org.apereo.cas.services.CasRegisteredService", "serviceId": "https://%s.example.org", "name": %[1]q, "id": %d}`, name, id)
}

// TestFindings follows what is wrong in definitions as they come, change and go.
func TestFindings(t *testing.T) {
	t.Parallel()
	data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: dir, Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), node.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	want := func(errs, warnings, notes, files int, listed ...string) {
		t.Helper()
		eventually(t, func() error {
			f := n.Status(t.Context()).Findings
			var got []string
			for _, l := range f.Listed {
				got = append(got, l.Path+" "+l.Rule)
			}
			if f.Pending != 0 || f.Errors != errs || f.Warnings != warnings || f.Notes != notes || f.FilesWithErrors != files || !slices.Equal(got, listed) {
				return fmt.Errorf("got %+v, want %d errors, %d warnings, %d notes, %d files, %q", f, errs, warnings, notes, files, listed)
			}
			return nil
		})
	}
	want(0, 0, 0, 0)
	edit(t, n, "a-1.json", clean("a", 1))
	edit(t, n, "wide.json", `{"serviceId": ".*", "id": 7}`) // no @class, no name
	want(1, 1, 1, 1, "wide.json class", "wide.json service-id-matches-all")
	edit(t, n, "b-1.json", clean("b", 1))
	want(3, 1, 1, 3, "a-1.json duplicate-id", "b-1.json duplicate-id", "wide.json class", "wide.json service-id-matches-all")
	edit(t, n, "b-1.json", "")
	edit(t, n, "wide.json", `{"no": "service"}`)
	want(0, 0, 0, 0)
	for i := range 60 {
		edit(t, n, fmt.Sprintf("c%d-9.json", i), clean(fmt.Sprintf("c%d", i), 9))
	}
	eventually(t, func() error {
		if f := n.Status(t.Context()).Findings; f.Errors != 60 || len(f.Listed) != 50 {
			return fmt.Errorf("%d errors, %d of them listed, want 60 and 50", f.Errors, len(f.Listed))
		}
		return nil
	})
}

func TestReview(t *testing.T) {
	t.Parallel()
	data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, err := node.Init(t.Context(), node.InitOptions{Data: data, Dir: dir, Name: "a", Listen: "/ip4/127.0.0.1/tcp/0"}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), node.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	edit(t, n, "a-1.json", clean("a", 1))
	edit(t, n, "b-1.json", clean("b", 1))
	edit(t, n, "c-3.json", clean("c", 3))
	for _, tt := range []struct {
		name  string
		edits map[string]string
		want  string
	}{
		{"nothing wrong", map[string]string{"d-4.json": clean("d", 4)}, ""},
		{"warnings", map[string]string{"d-4.json": strings.Replace(clean("d", 4), "https://d.example.org", ".*", 1)}, ""},
		{"no definition", map[string]string{"d-4.json": "{"}, "d-4.json:1:2: "},
		{"an error", map[string]string{"d-4.json": strings.Replace(clean("d", 4), "https://", "(", 1)}, "d-4.json:1:73: "},
		{"an id that another has", map[string]string{"d-3.json": clean("d", 3)}, "c-3.json has the id 3 too"},
		{"its own id", map[string]string{"c-3.json": clean("c", 3)}, ""},
		{"an id that moves", map[string]string{"c-3.json": "", "d-3.json": clean("d", 3)}, ""},
		{"an id twice in one draft", map[string]string{"d-4.json": clean("d", 4), "e-4.json": clean("e", 4)}, "d-4.json:1:"},
		{"others that were wrong before", map[string]string{"d-4.json": clean("d", 4)}, ""},
		{"many", map[string]string{"d.json": "", "e.json": "{", "f.json": "{", "g.json": "{", "h.json": "{", "i.json": "{"}, "; 2 more"},
	} {
		var edits []definition.Edit
		for name, content := range tt.edits {
			p, err := definition.ParsePath(name)
			if err != nil {
				t.Fatal(err)
			}
			edits = append(edits, definition.Edit{Path: p, Content: []byte(content), Deleted: content == ""})
		}
		err := n.Review(t.Context(), edits)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v", tt.name, err)
		case tt.want != "" && (!errors.Is(err, node.ErrRefused) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %v with %q", tt.name, err, node.ErrRefused, tt.want)
		}
	}
}

package crdt_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

func TestAppendIsThereAfterReopening(t *testing.T) {
	c, key, dir := newCluster(t), newKey(t), t.TempDir()
	r := c.open(t, dir, key)
	c.grant(t, r, key, "a", trust.RoleWriter)
	put(t, r, "a.json", "one")
	put(t, r, "a.json", "two")
	put(t, r, "b.json", "three")
	put(t, r, "b.json", "")
	heads, digest := fmt.Sprint(r.Heads()), r.Digest()
	closeReplica(t, r)

	for _, unclean := range []bool{false, true} {
		if unclean { // the marker makes it drop and rebuild go-ds-crdt's records
			if err := os.WriteFile(filepath.Join(dir, "unclean"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r = c.open(t, dir, key)
		if got := fmt.Sprint(r.Heads()); got != heads {
			t.Errorf("unclean %t: heads are %s, want %s", unclean, got, heads)
		}
		if got := r.Digest(); got != digest {
			t.Errorf("unclean %t: digest is %s, want %s", unclean, got, digest)
		}
		if got := content(t, r, "a.json"); got != "two" {
			t.Errorf("unclean %t: content is %q, want two", unclean, got)
		}
		put(t, r, "a.json", "three") // fails unless go-ds-crdt's heads are right
		put(t, r, "a.json", "two")
		heads, digest = fmt.Sprint(r.Heads()), r.Digest()
		closeReplica(t, r)
	}
}

func TestAppendRefuses(t *testing.T) {
	c, key := newCluster(t), newKey(t)
	r := c.open(t, t.TempDir(), key)
	defer closeReplica(t, r)
	edit := func(e definition.Edit) error {
		if e.Path.IsZero() {
			e.Path = path(t, "a.json")
		}
		_, err := r.Append(t.Context(), definition.Draft{Edits: []definition.Edit{e}}, nil)
		return err
	}
	if err := edit(definition.Edit{Content: []byte("x")}); !errors.Is(err, crdt.ErrNotMember) {
		t.Errorf("before the grant: got %v, want ErrNotMember", err)
	}
	if _, _, err := r.Grant(t.Context(), newKey(t), trust.Grant{Member: idOf(t, key), Name: "a", Role: trust.RoleWriter}); !errors.Is(err, crdt.ErrNotAllowed) {
		t.Errorf("grant by another key: got %v, want ErrNotAllowed", err)
	}
	c.grant(t, r, key, "a", trust.RoleReader)
	if err := edit(definition.Edit{Content: []byte("x")}); !errors.Is(err, crdt.ErrNotAllowed) {
		t.Errorf("as a reader: got %v, want ErrNotAllowed", err)
	}
	if _, _, err := r.Grant(t.Context(), c.authority, trust.Grant{Member: idOf(t, key), Name: "a", Role: trust.RoleWriter, Paths: []string{"*.json"}}); err != nil {
		t.Fatal(err)
	}
	if err := edit(definition.Edit{Path: path(t, "sub/a.json"), Content: []byte("x")}); !errors.Is(err, crdt.ErrNotAllowed) {
		t.Errorf("outside the globs: got %v, want ErrNotAllowed", err)
	}
	for name, e := range map[string]definition.Edit{
		"no content":         {},
		"deletion with some": {Deleted: true, Content: []byte("x")},
		"too large":          {Content: make([]byte, definition.MaxSize+1)},
		"unknown parent":     {Content: []byte("x"), Parents: []definition.Version{{Path: path(t, "a.json")}}},
		"adopted deletion":   {Deleted: true, Adopted: true},
	} {
		if err := edit(e); !errors.Is(err, crdt.ErrDraft) {
			t.Errorf("%s: got %v, want ErrDraft", name, err)
		}
	}
	if err := edit(definition.Edit{Content: []byte("x")}); err != nil {
		t.Errorf("a good edit: %v", err)
	}
	if err := r.Revoke(t.Context(), c.authority, trust.Revocation{Member: idOf(t, key), Mode: trust.ModePurge}); err != nil {
		t.Fatal(err)
	}
	if err := edit(definition.Edit{Content: []byte("y")}); !errors.Is(err, crdt.ErrRevoked) {
		t.Errorf("once revoked: got %v, want ErrRevoked", err)
	}
	if r.View(path(t, "a.json")).Present {
		t.Error("a purged change still stands")
	}
}

func TestAppendSplitsWhatIsTooLarge(t *testing.T) {
	r, _ := newCluster(t).found(t)
	var d definition.Draft
	const n = 5000
	for i := range n {
		d.Edits = append(d.Edits, definition.Edit{Path: path(t, fmt.Sprintf("s-%d.json", i)), Content: fmt.Appendf(nil, "%01000d", i)})
	}
	var recorded []definition.Version
	versions, err := r.Append(t.Context(), d, func(v []definition.Version) map[string][]byte {
		recorded = v
		return map[string][]byte{"base/x": []byte("y")}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != n || len(recorded) != n {
		t.Fatalf("got %d versions and %d recorded, want %d", len(versions), len(recorded), n)
	}
	for i, v := range versions {
		if v.Path != d.Edits[i].Path || !r.Has(v.Change) {
			t.Fatalf("version %d is %v", i, v)
		}
	}
	if got := content(t, r, "s-4321.json"); got != string(d.Edits[4321].Content) {
		t.Errorf("content is %q", got)
	}
	records, err := r.LoadRecords(t.Context(), "base/")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(records["base/x"]); got != "y" {
		t.Errorf("record is %q, want y", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	r, _ := newCluster(b).found(b)
	for i := 0; b.Loop(); i++ {
		put(b, r, fmt.Sprintf("s-%d.json", i%100), fmt.Sprintf("%01000d", i))
	}
}

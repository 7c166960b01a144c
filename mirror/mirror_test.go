package mirror_test

import (
	"testing"
)

func TestFounderImports(t *testing.T) {
	n := run(t, newDir(t, services(3)), newMemReplica(), founder)
	for name, want := range services(3) {
		n.wantsView(name, want)
	}
	if got, want := len(n.replica.drafts()), 1; got != want {
		t.Errorf("changes = %d, want %d: all edits of one pass are one change", got, want)
	}
	for _, e := range n.replica.edits() {
		if e.Adopted || len(e.Parents) > 0 {
			t.Errorf("edit of %s: adopted %v, parents %v, want a plain first version", e.Path, e.Adopted, e.Parents)
		}
	}
}

func TestEdits(t *testing.T) {
	n := run(t, newDir(t, nil), newMemReplica(), founder, quickDeletes)

	save(t, n.dir, "a.json", service(1, "one"))
	n.wantsView("a.json", service(1, "one"))
	write(t, n.dir, "a.json", service(1, "two"))
	n.wantsView("a.json", service(1, "two"))

	n.replica.remote(map[string][]byte{"a.json": []byte(service(1, "three")), "sub/folder/b.yaml": []byte("id: 2\n")})
	n.wants("a.json", service(1, "three"))
	n.wants("sub/folder/b.yaml", "id: 2\n")
	write(t, n.dir, "sub/folder/b.yaml", "id: 22\n")
	n.wantsView("sub/folder/b.yaml", "id: 22\n")

	remove(t, n.dir, "a.json")
	n.wantsView("a.json", "absent")
	n.replica.remote(map[string][]byte{"sub/folder/b.yaml": nil})
	n.wants("sub/folder/b.yaml", "absent")

	save(t, n.dir, "a.json", service(1, "again"))
	n.wantsView("a.json", service(1, "again"))
	edits := n.replica.edits()
	if got, want := len(edits), 5; got != want {
		t.Errorf("edits = %d, want %d: %v", got, want, edits)
	}
	if last := edits[len(edits)-1]; len(last.Parents) != 1 {
		t.Errorf("the recreated file has parents %v, want the deletion", last.Parents)
	}
	n.pass()
	if got := n.replica.edits(); len(got) != len(edits) {
		t.Errorf("a pass over an equal directory made edits: %v", got[len(edits):])
	}
	if got := leftovers(t, n.dir); len(got) > 0 {
		t.Errorf("temporary files are left: %v", got)
	}
}

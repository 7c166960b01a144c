package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/starling-sync/starling/mirror"
)

// age gives files the modification time that a backup of yesterday brings back.
func age(t *testing.T, dir string, names ...string) {
	t.Helper()
	yesterday := time.Now().Add(-24 * time.Hour)
	for _, name := range names {
		if err := os.Chtimes(filepath.Join(dir, name), yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
	}
}

// copyOld saves a file with yesterday's modification time, as cp -a does.
func copyOld(t *testing.T, dir, name, content string) {
	t.Helper()
	temp := "." + filepath.Base(name) + ".old"
	write(t, dir, temp, content)
	age(t, dir, temp)
	if err := os.Rename(filepath.Join(dir, temp), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// unpublished fails if the mirror has appended anything since.
func (n *node) unpublished(before int) {
	n.t.Helper()
	n.pass()
	if got := n.replica.drafts()[before:]; len(got) > 0 {
		n.t.Errorf("published: %v", got)
	}
}

// restart stops the mirror and runs it again.
func (n *node) restart() *node {
	n.t.Helper()
	n.stop()
	return run(n.t, n.dir, n.replica, func(o *mirror.Options) { *o = n.opts })
}

// TestAFileFromABackupIsHeld, be it one: it has the modification time from before its bytes
// were replaced, by an export or by somebody here.
func TestAFileFromABackupIsHeld(t *testing.T) {
	n := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes)
	n.arrives("service-0.json", service(0, "second"))
	save(t, n.dir, "service-1.json", service(1, "second"))
	n.wantsView("service-1.json", service(1, "second"))
	before := len(n.replica.drafts())
	copyOld(t, n.dir, "service-0.json", service(0, "first"))
	copyOld(t, n.dir, "service-1.json", service(1, "first"))
	set := n.wantsApproval(mirror.Reversion, 2)
	n = n.restart()
	if got := n.wantsApproval(mirror.Reversion, 2); got.ID != set.ID {
		t.Errorf("after a restart the set is %s, want %s", got.ID, set.ID)
	}
	n.unpublished(before)
	if _, err := n.Restore(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	n.wants("service-0.json", service(0, "second"))
	n.wants("service-1.json", service(1, "second"))

	// Approved, it is published. Written again by hand, it is an edit.
	copyOld(t, n.dir, "service-0.json", service(0, "first"))
	set = n.wantsApproval(mirror.Reversion, 1)
	if _, err := n.Approve(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	n.wantsView("service-0.json", service(0, "first"))
	save(t, n.dir, "service-1.json", service(1, "first"))
	n.wantsView("service-1.json", service(1, "first"))
}

// TestABackupOfWhatThisMirrorNeverHeld: the history knows the bytes.
func TestABackupOfWhatThisMirrorNeverHeld(t *testing.T) {
	r := newMemReplica()
	r.remote(asBytes(map[string]string{"a.json": service(1, "first")}))
	r.remote(asBytes(map[string]string{"a.json": service(1, "second")}))
	n := run(t, newDir(t, nil), r, quickDeletes)
	n.wants("a.json", service(1, "second"))
	copyOld(t, n.dir, "a.json", service(1, "first"))
	n.wantsApproval(mirror.Reversion, 1)
}

// TestSeveralFilesThatReturnAreHeld, however many others there are.
func TestSeveralFilesThatReturnAreHeld(t *testing.T) {
	for _, tt := range []struct{ files, held int }{{3, 0}, {4, 4}, {6, 6}} {
		t.Run(fmt.Sprint(tt.files), func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(40)), newMemReplica(), founder, quickDeletes)
			newer := make(map[string]string)
			for i := range tt.files {
				newer[fmt.Sprintf("service-%d.json", i)] = service(i, "second")
			}
			n.replica.remote(asBytes(newer))
			for name, want := range newer {
				n.wants(name, want)
			}
			for name := range newer {
				save(t, n.dir, name, services(40)[name])
			}
			if tt.held > 0 {
				n.wantsApproval(mirror.Reversion, tt.held)
				return
			}
			for name := range newer {
				n.wantsView(name, services(40)[name])
			}
		})
	}
}

// TestOneAccidentIsOneSet, however long it takes between two files.
func TestOneAccidentIsOneSet(t *testing.T) {
	n := run(t, newDir(t, services(30)), newMemReplica(), founder, quickDeletes)
	for i := range 12 {
		write(t, n.dir, names(12)[i], "{}")
		if i >= 6 { // the limit is six of 30
			continue
		}
		n.wantsView(names(12)[i], "{}")
	}
	first := n.wantsApproval(mirror.Overwriting, 6)
	write(t, n.dir, "service-12.json", "{}")
	second := n.wantsApproval(mirror.Overwriting, 7)
	if _, err := n.Approve(t.Context(), first.ID); !errors.Is(err, mirror.ErrNoApproval) {
		t.Errorf("Approve of the set that has grown = %v, want ErrNoApproval", err)
	}
	n = n.restart()
	if got := n.wantsApproval(mirror.Overwriting, 7); got.ID != second.ID {
		t.Errorf("after a restart the set is %s, want %s", got.ID, second.ID)
	}
}

// TestOverwritingInBulkIsHeld: a script that went wrong.
func TestOverwritingInBulkIsHeld(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content func(i int) string
	}{
		{"emptied", func(int) string { return "{}\n" }},
		{"something else", func(int) string { return `{"hello": "world"}` }},
		{"one definition in all", func(int) string { return service(7, "first") }},
		{"each is another's", func(i int) string { return service(1000+i, "other") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			aside := t.TempDir()
			n := run(t, newDir(t, services(30)), newMemReplica(), founder, quickDeletes, func(o *mirror.Options) { o.Aside = aside })
			before := len(n.replica.drafts())
			changed := 0
			for i, name := range names(30) {
				if tt.content(i) != service(i, "first") {
					write(t, n.dir, name, tt.content(i))
					changed++
				}
			}
			set := n.wantsApproval(mirror.Overwriting, changed)
			n = n.restart()
			n.wantsApproval(mirror.Overwriting, changed)
			n.unpublished(before)
			if _, err := n.Restore(t.Context(), set.ID); err != nil {
				t.Fatal(err)
			}
			for name, want := range services(30) {
				n.wants(name, want)
			}
			n.unpublished(before)
			kept, err := filepath.Glob(filepath.Join(aside, "service-1.json@*"))
			if err != nil || len(kept) != 1 {
				t.Errorf("aside is %v, %v, want what was in service-1.json", kept, err)
			}

			for i, name := range names(30) {
				write(t, n.dir, name, tt.content(i))
			}
			set = n.wantsApproval(mirror.Overwriting, changed)
			if _, err := n.Approve(t.Context(), set.ID); err != nil {
				t.Fatal(err)
			}
			n.wantsView("service-29.json", tt.content(29))
		})
	}
}

// TestChangingAllFilesIsPublished: what people and programs do to all files at once.
func TestChangingAllFilesIsPublished(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(i int) string
	}{
		{"one field, as sed does", func(i int) string { return service(i, "second") }},
		{"CAS saves them again", func(i int) string {
			return fmt.Sprintf("{\n  @class: org.apereo.cas.services.CasRegisteredService\n  name: first\n  id: %d\n}", i)
		}},
		{"new content, as git pull brings", func(i int) string {
			return fmt.Sprintf(`{"@class": "org.apereo.cas.services.OidcRegisteredService", "id": %d, "name": "new", "clientId": "c%d", "serviceId": "https://%d"}`, i, i, i)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(30)), newMemReplica(), founder, quickDeletes)
			for i, name := range names(30) {
				save(t, n.dir, name, tt.change(i))
			}
			for i, name := range names(30) {
				n.wantsView(name, tt.change(i))
			}
			n.pass()
			if held := n.Approvals(); len(held) > 0 {
				t.Errorf("held: %v", held)
			}
		})
	}
}

// TestExchangedFilesAreNotOverwritten: the bytes of each are there under the other's name.
func TestExchangedFilesAreNotOverwritten(t *testing.T) {
	n := run(t, newDir(t, services(2)), newMemReplica(), founder, quickDeletes)
	write(t, n.dir, ".one", service(1, "first"))
	save(t, n.dir, "service-1.json", service(0, "first"))
	save(t, n.dir, "service-0.json", service(1, "first"))
	n.wantsView("service-0.json", service(1, "first"))
	n.wantsView("service-1.json", service(0, "first"))
}

// TestCopiesInBulkAreHeld: a folder that was copied bears every id twice.
func TestCopiesInBulkAreHeld(t *testing.T) {
	aside := t.TempDir()
	n := run(t, newDir(t, nil), newMemReplica(), founder, quickDeletes, func(o *mirror.Options) { o.Aside = aside })
	for i, name := range names(66) { // which are new themselves
		write(t, n.dir, name, service(i, "first"))
	}
	for i, name := range names(66) {
		n.wantsView(name, service(i, "first"))
	}
	n.pass()
	before := len(n.replica.drafts())
	copied := filepath.Join(t.TempDir(), "copy")
	for i, name := range names(66) {
		write(t, copied, name, service(i, "copy"))
	}
	if err := os.Rename(copied, filepath.Join(n.dir, "copy")); err != nil {
		t.Fatal(err)
	}
	set := n.wantsApproval(mirror.Copying, 66)
	n = n.restart()
	n.wantsApproval(mirror.Copying, 66)
	n.unpublished(before)

	// One that gets an id of its own is a new definition.
	save(t, n.dir, "copy/service-0.json", service(1000, "new"))
	n.wantsView("copy/service-0.json", service(1000, "new"))
	n.wantsApproval(mirror.Copying, 65)
	if _, err := n.Restore(t.Context(), set.ID); err != nil {
		t.Fatal(err)
	}
	n.wants("copy/service-1.json", "absent")
	n.wants("copy/service-0.json", service(1000, "new"))
	n.wants("service-1.json", service(1, "first"))
	if kept, err := filepath.Glob(filepath.Join(aside, "copy/*")); err != nil || len(kept) != 65 {
		t.Errorf("%d copies are put aside (%v), want 65", len(kept), err)
	}
}

// TestCopiesOneByOneAreHeld: the first few go, and count.
func TestCopiesOneByOneAreHeld(t *testing.T) {
	n := run(t, newDir(t, services(30)), newMemReplica(), founder, quickDeletes)
	for i := range 3 {
		write(t, n.dir, fmt.Sprintf("copy-%d.json", i), service(i, "copy"))
		n.wantsView(fmt.Sprintf("copy-%d.json", i), service(i, "copy"))
	}
	for i := range 3 {
		write(t, n.dir, fmt.Sprintf("more/copy-%d.json", i), service(10+i, "copy"))
		n.wantsApproval(mirror.Copying, 1+i)
	}
}

// TestNewFilesOfATemplateAreNotHeld: each is a copy, until it gets an id of its own.
func TestNewFilesOfATemplateAreNotHeld(t *testing.T) {
	n := run(t, newDir(t, services(10)), newMemReplica(), founder, quickDeletes)
	for i := range 12 {
		name := fmt.Sprintf("new-%d.json", i)
		write(t, n.dir, name, service(1, "first"))
		n.wantsView(name, service(1, "first"))
		save(t, n.dir, name, service(100+i, "new"))
		n.wantsView(name, service(100+i, "new"))
	}
	if held := n.Approvals(); len(held) > 0 {
		t.Errorf("held: %v", held)
	}
}

// TestNewFilesAreNotHeld: a first import, new definitions by the dozen, a few
// copies, and many of one template whose id nobody has changed yet.
func TestNewFilesAreNotHeld(t *testing.T) {
	n := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes)
	for i := range 60 {
		write(t, n.dir, fmt.Sprintf("new/%d.json", i), service(1000+i, "new"))
	}
	for i := range 60 {
		n.wantsView(fmt.Sprintf("new/%d.json", i), service(1000+i, "new"))
	}
	n.pass()
	if held := n.Approvals(); len(held) > 0 {
		t.Errorf("held: %v", held)
	}
	few := run(t, newDir(t, services(20)), newMemReplica(), founder, quickDeletes)
	for i := range 3 {
		write(t, few.dir, fmt.Sprintf("copy-%d.json", i), service(i, "first"))
	}
	for i := range 3 {
		few.wantsView(fmt.Sprintf("copy-%d.json", i), service(i, "first"))
	}
	template := run(t, newDir(t, services(3)), newMemReplica(), founder, quickDeletes)
	for i := range 40 {
		write(t, template.dir, fmt.Sprintf("from-template-%d.json", i), service(7, fmt.Sprint("variant ", i)))
	}
	for i := range 40 {
		template.wantsView(fmt.Sprintf("from-template-%d.json", i), service(7, fmt.Sprint("variant ", i)))
	}
}

// TestABulkRenameThatIsUndoneIsAMove, as is a folder that is moved out and back.
func TestABulkRenameThatIsUndoneIsAMove(t *testing.T) {
	rename := func(t *testing.T, dir, from, to string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o755), os.Rename(filepath.Join(dir, from), filepath.Join(dir, to))); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		to   func(name string) string
	}{
		{"renamed", func(name string) string { return strings.Replace(name, "service", "new", 1) }},
		{"into a folder", func(name string) string { return "sub/" + name }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := run(t, newDir(t, services(30)), newMemReplica(), founder, quickDeletes)
			for round := range 3 {
				before := len(n.replica.edits())
				for _, name := range names(12) {
					if round%2 == 0 {
						rename(t, n.dir, name, tt.to(name))
					} else {
						rename(t, n.dir, tt.to(name), name)
					}
				}
				for i, name := range names(12) {
					there, gone := tt.to(name), name
					if round%2 == 1 {
						there, gone = gone, there
					}
					n.wantsView(there, service(i, "first"))
					n.wantsView(gone, "absent")
				}
				n.pass()
				if held := n.Approvals(); len(held) > 0 {
					t.Fatalf("round %d: held: %v", round, held)
				}
				for _, e := range n.replica.edits()[before:] {
					if !e.Deleted && e.MovedFrom.IsZero() {
						t.Errorf("round %d: %s came from nowhere", round, e.Path)
					}
				}
			}
		})
	}
}

// TestAFolderThatIsCopiedAndThenRemovedIsAMove, though the copies were held meanwhile; so is
// one that is gone, and comes back elsewhere.
func TestAFolderThatIsCopiedAndThenRemovedIsAMove(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind mirror.LossKind
		do   [2]func(t *testing.T, dir string)
	}{
		{"copied, then removed", mirror.Copying, [2]func(t *testing.T, dir string){copyAll, removeAll}},
		{"removed, then elsewhere", mirror.Deletion, [2]func(t *testing.T, dir string){removeAll, copyAll}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := services(30)
			n := run(t, newDir(t, files), newMemReplica(), founder, quickDeletes)
			before := len(n.replica.edits())
			tt.do[0](t, n.dir)
			n.wantsApproval(tt.kind, 12)
			n = n.restart()
			n.wantsApproval(tt.kind, 12)
			tt.do[1](t, n.dir)
			for i, name := range names(12) {
				n.wantsView("sub/"+name, service(i, "first"))
				n.wantsView(name, "absent")
			}
			n.pass()
			if held := n.Approvals(); len(held) > 0 {
				t.Errorf("held: %v", held)
			}
			if got := len(n.replica.edits()) - before; got != 24 {
				t.Errorf("%d edits, want 24", got)
			}
		})
	}
}

func copyAll(t *testing.T, dir string) {
	t.Helper()
	outside := filepath.Join(t.TempDir(), "sub")
	for i, name := range names(12) {
		write(t, outside, name, service(i, "first"))
	}
	if err := os.Rename(outside, filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
}

func removeAll(t *testing.T, dir string) {
	t.Helper()
	remove(t, dir, names(12)...)
}

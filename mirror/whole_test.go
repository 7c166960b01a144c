package mirror_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// inParts writes a file under its own name, part by part, and leaves it open for a while
// after each part.
func inParts(t *testing.T, dir, name string, flags int, gap time.Duration, parts ...string) {
	t.Helper()
	f := partsOf(t, dir, name, flags, gap, parts...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func partsOf(t *testing.T, dir, name string, flags int, gap time.Duration, parts ...string) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|flags, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if _, err := f.WriteString(part); err != nil {
			t.Fatal(err)
		}
		if gap > 0 {
			<-time.After(gap)
		}
	}
	return f
}

// TestSaveInPlaceIsNoMixture: a file that is written over without being cut first, in two
// halves, however long the writer stops between them, is taken in when it is whole.
func TestSaveInPlaceIsNoMixture(t *testing.T) {
	texts := map[string]string{
		"a.json": "{\n  \"id\": 1,\n  \"name\": \"kept\",\n  \"order\": %[1]d,\n  \"allow\": \"%[1]d\",\n  \"pad\": \"%[2]s\",\n  \"deny\": \"%[1]d\"\n}\n",
		"b.json": "id: 1\nname: kept\norder: %[1]d\nallow: %[1]d\npad: %[2]s\ndeny: %[1]d\n", // HJSON without braces
		"c.yml":  "id: 1\nname: kept\norder: %[1]d\nallow: %[1]d\npad: %[2]s\ndeny: %[1]d\n",
	}
	for _, gap := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond} {
		t.Run(gap.String(), func(t *testing.T) {
			t.Parallel()
			files := make(map[string]string)
			for name, text := range texts {
				files[name] = fmt.Sprintf(text, 100, strings.Repeat("x", 2000))
			}
			n := run(t, newDir(t, files), newMemReplica(), founder)
			wanted := map[string]bool{}
			for name, content := range files {
				wanted[content] = true
				n.wantsView(name, content)
			}
			for round := range 5 {
				for name, text := range texts {
					whole := fmt.Sprintf(text, 101+round, strings.Repeat("x", 2000))
					wanted[whole] = true
					inParts(t, n.dir, name, 0, gap, whole[:1000], whole[1000:])
					n.wantsView(name, whole)
				}
			}
			for _, e := range n.replica.edits() {
				if !wanted[string(e.Content)] {
					t.Errorf("a mixture of %s was taken in: %q", e.Path, e.Content)
				}
			}
		})
	}
}

// TestSlowWriterMakesOneChange: a file whose every beginning parses, written with pauses
// that are longer than any file rests, is one change: a new one, and one that is replaced.
func TestSlowWriterMakesOneChange(t *testing.T) {
	settle := func(o *mirror.Options) { o.SettleTime = 20 * time.Millisecond }
	for _, name := range []string{"a.yml", "a.json"} {
		for _, old := range []string{"", "id: 1\nname: old\n"} {
			t.Run(fmt.Sprintf("%s over %d bytes", name, len(old)), func(t *testing.T) {
				n := run(t, newDir(t, nil), newMemReplica(), founder, settle)
				if old != "" {
					save(t, n.dir, name, old)
					n.wantsView(name, old)
				}
				before := len(n.replica.edits())
				parts := []string{"id: 1\n", "name: new\n", "accessStrategy:\n  ", "enabled: false\n"}
				inParts(t, n.dir, name, os.O_TRUNC, 100*time.Millisecond, parts...)
				n.wantsView(name, strings.Join(parts, ""))
				if got := n.replica.edits()[before:]; len(got) != 1 {
					t.Errorf("got %d edits, want 1: %v", len(got), got)
				}
			})
		}
	}
}

// TestOpenFileWaits: a file that somebody keeps open for writing waits, status names it
// after a while, and nothing else waits for it; untouched for a minute it waits no more.
func TestOpenFileWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := newDir(t, map[string]string{"a.yml": "id: 1\n"})
		n := open(t, dir, newMemReplica(), founder)
		for n.replica.content("a.yml") != "id: 1\n" {
			n.DoPass(t.Context(), true)
			<-time.After(50 * time.Millisecond)
		}
		f := partsOf(t, dir, "a.yml", os.O_TRUNC, 0, "id: 1\nname: kept open\n")
		defer f.Close()
		write(t, dir, "b.json", one)
		began := time.Now()
		for n.replica.content("a.yml") == "id: 1\n" {
			if age := time.Since(began); age > 2*time.Minute {
				t.Fatalf("it still waits after %v: %+v", age, n.Status())
			}
			n.DoPass(t.Context(), true)
			waiting, _ := n.NextPass()
			if got := n.replica.content("b.json"); got != one {
				t.Fatalf("another file waits with it: %q", got)
			}
			age, status := time.Since(began), n.Status()
			named := len(status.Waiting) == 1 && status.Waiting[0].Path == path("a.yml") &&
				strings.Contains(status.Waiting[0].Reason, "open for writing")
			if want := age >= 10*time.Second && age < time.Minute; named != want || named == status.Busy && age < time.Minute {
				t.Fatalf("after %v: busy %t, waiting %+v", age, status.Busy, status.Waiting)
			}
			<-time.After(max(waiting, time.Millisecond))
		}
		if age := time.Since(began); age < time.Minute {
			t.Errorf("it was taken in after %v, want a minute", age)
		}
	})
}

// TestCutOffFiles: what a writer leaves that was stopped in the middle, and that parses.
func TestCutOffFiles(t *testing.T) {
	const (
		old  = "--- !<org.example.Service>\nid: 1\nname: old\nroles:\n  - a\n  - b\naccessStrategy:\n  enabled: false\n  sso: false\n"
		slow = 500 * time.Millisecond
	)
	tests := []struct {
		name, file, old string
		gap             time.Duration
		parts           []string
		rename          bool
		held            string // a part of the reason; empty: it is taken in
	}{
		{name: "the beginning of what was there", gap: slow, parts: []string{old[:43]}, held: "the end of what the cluster has"},
		{name: "a new text without the last member", gap: slow, parts: []string{"id: 1\nname: new\n", "roles:\n  - a\n  - b\n"}, held: "/accessStrategy"},
		{name: "within the last member", gap: slow, parts: []string{"id: 1\nname: new\nroles: [a, b]\naccessStrategy:\n  enabled: false\n"}, held: "/accessStrategy/sso"},
		{name: "a key without its value", gap: slow, parts: []string{"id: 1\nname: new\nroles: [a, b]\naccessStrategy:\n"}, held: "/accessStrategy"},
		{name: "within a list", gap: slow, parts: []string{"id: 1\nname: new\nroles:\n  - a\n"}, held: "/accessStrategy"},
		{name: "within the last line, quick", parts: []string{"id: 1\nname: new\nroles: [a, b]\naccessStrategy:\n  enabled: fal"}, held: "/accessStrategy/sso"},
		{name: "within the last value, quick", parts: []string{"id: 1\nname: new\nroles: [a, b]\naccessStrategy:\n  enabled: false\n  sso: f"}, held: "/accessStrategy/sso"},
		{name: "HJSON without braces", file: "a.json", old: "id: 1\nname: old\nenabled: false\n", gap: slow, parts: []string{"id: 1\nname: new\n"}, held: "/enabled"},
		{name: "a new file within a line", file: "new.yml", gap: slow, parts: []string{"id: 1\nname: n"}, held: "the end of its last line"},
		{name: "a new file with a key only", file: "new.yml", gap: slow, parts: []string{"id: 1\naccessStrategy:\n"}, held: "the value of its last key"},

		{name: "the last member removed by an editor that renames", parts: []string{old[:43]}, rename: true},
		{name: "the last member removed by an editor that renames, no line feed", parts: []string{old[:42]}, rename: true},
		{name: "the last member removed in place, at once", parts: []string{old[:43]}},
		{name: "a member in the middle removed, slowly", gap: slow, parts: []string{"id: 1\n", old[43:]}},
		{name: "a value changed, slowly", gap: slow, parts: []string{"id: 1\nname: n\n", old[43:]}},
		{name: "a member added, slowly", gap: slow, parts: []string{old, "more: 1\n"}},
		{name: "another text, slowly", gap: slow, parts: []string{"groups:\n", "  - name: x\n"}},
		{name: "a new file, slowly", file: "new.yml", gap: slow, parts: []string{"id: 1\n", "name: new\n"}},
		{name: "a new file without a line feed, at once", file: "new.yml", parts: []string{"id: 1\nname: new"}},
		{name: "braces", file: "a.json", old: "{\"id\": 1, \"enabled\": false}", gap: slow, parts: []string{"{\"id\"", ": 1}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newMemReplica()
			dir := newDir(t, nil)
			n := run(t, dir, r, founder)
			file, before := tt.file, tt.old
			if file == "" {
				file, before = "a.yml", old
			}
			if before != "" {
				write(t, dir, file, before)
				n.wantsView(file, before)
				n.pass()
			}
			text := strings.Join(tt.parts, "")
			if tt.rename {
				save(t, dir, file, text)
			} else {
				inParts(t, dir, file, os.O_TRUNC, tt.gap, tt.parts...)
			}
			if tt.held == "" {
				n.wantsView(file, text)
				return
			}
			n.wantsHeld(file, tt.held)
			edits := len(r.edits())
			n.pass()
			n.stop()
			n = run(t, dir, r, founder) // a restart lets nothing through
			n.pass()
			n.wantsHeld(file, tt.held)
			if got := r.edits(); len(got) != edits {
				t.Fatalf("it was taken in: %v", got)
			}
			if len(tt.name)%2 == 0 { // either way out
				text = before + "done: 1\n"
				inParts(t, dir, file, os.O_TRUNC, 0, text)
			} else {
				inParts(t, dir, file, os.O_TRUNC, 0, text)
			}
			n.wantsView(file, text)
			eventually(t, func() error {
				if held := n.Status().Held; len(held) > 0 {
					return fmt.Errorf("held: %+v", held)
				}
				return nil
			})
		})
	}
}

// TestSavesInPlaceWithoutLeases: where the system does not tell who has a file open, a file
// that is saved in place must rest, and one that is renamed in need not.
func TestSavesInPlaceWithoutLeases(t *testing.T) {
	settle := func(o *mirror.Options) { o.SettleTime = time.Second }
	n := open(t, newDir(t, map[string]string{"a.json": one, "b.json": one}), newMemReplica(), founder, settle)
	n.BelieveNetwork("NFS")
	n.start()
	half := strings.Replace(one, "1", "7", 1)
	f := partsOf(t, n.dir, "a.json", 0, 100*time.Millisecond, half)
	save(t, n.dir, "b.json", two)
	n.wantsView("b.json", two)
	if got := n.replica.content("a.json"); got != one {
		t.Errorf("a file that is being written was taken in: %q", got)
	}
	if err := os.WriteFile(f.Name(), []byte(three), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	n.wantsView("a.json", three)
	if slices.ContainsFunc(n.replica.edits(), func(e definition.Edit) bool { return string(e.Content) == half }) {
		t.Error("half of a save was taken in")
	}
}

package definition_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/starling-sync/starling/definition"
)

// corpus returns collected definitions by name, or none where they are not at hand.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	const root = "../../shared/corpus"
	files := map[string][]byte{}
	if _, err := os.Stat(root); err != nil {
		return files
	}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch filepath.Ext(name) {
		case ".json", ".yml", ".yaml":
		default:
			if !strings.HasSuffix(name, ".hjson.txt") {
				return nil
			}
		}
		content, err := os.ReadFile(name)
		name = strings.Replace(filepath.ToSlash(name), ".hjson.txt", ".json", 1)
		files[norm.NFC.String(strings.TrimPrefix(name, root+"/"))] = content
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// topID finds the id of a service by its look alone.
var topID = regexp.MustCompile(`(?m)^[\t ]{0,4}"?id"?\s*:\s*(\d+)`)

func TestCorpus(t *testing.T) {
	files := corpus(t)
	if len(files) == 0 {
		t.Skip("no collected definitions beside this checkout")
	}
	syntaxes := map[definition.Syntax]int{}
	withID := 0
	for name, content := range files {
		doc, err := parse(t, name, string(content))
		if err != nil {
			t.Error(err)
			continue
		}
		syntaxes[doc.Syntax()]++
		if got, want := doc.Complete(), doc.Syntax() != definition.YAML; got != want {
			t.Errorf("%s is complete: %v, want %v", name, got, want)
		}
		got, _ := doc.Service().ID()
		want := ""
		if m := topID.FindSubmatch(content); m != nil {
			want = string(m[1])
			withID++
		}
		if got != want {
			t.Errorf("the id of %s is %q, want %q", name, got, want)
		}
		if doc.Syntax() == definition.YAML {
			continue
		}
		walk(doc.Root(), func(start, end int) {
			if start >= end || end > len(content) {
				t.Errorf("%s has a value from %d to %d", name, start, end)
			}
		})
		for n := range bytes.LastIndexByte(content, '}') {
			if doc, _ := parse(t, name, string(content[:n])); doc.Complete() {
				t.Errorf("%s is complete after %d of %d bytes", name, n, len(content))
			}
		}
	}
	t.Logf("%d files, %d with an id: %v", len(files), withID, syntaxes)
}

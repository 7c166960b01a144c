package lint_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/definition/lint"
)

// corpus returns collected definitions by where they come from and path, or none where they
// are not at hand. Files of one folder there are together here, of different pages they
// are not.
func corpus(tb testing.TB) map[string]map[definition.Path][]byte {
	tb.Helper()
	const root = "../../../shared/corpus"
	folders := make(map[string]map[definition.Path][]byte)
	if _, err := os.Stat(root); err != nil {
		return folders
	}
	manifest, err := os.ReadFile(root + "/MANIFEST.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	sources := make(map[string]string)
	for line := range strings.Lines(string(manifest)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		source := fields[len(fields)-1]
		if fields[3] == "file" {
			source = source[:strings.LastIndex(source, "/")+1]
		}
		sources[norm.NFC.String(fields[0])] = source
	}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name = strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		folder := sources[norm.NFC.String(name)]
		_, base := filepath.Split(norm.NFC.String(strings.Replace(name, ".hjson.txt", ".json", 1)))
		path, err := definition.ParsePath(base)
		if err != nil {
			return err
		}
		if ext := path.Ext(); ext != ".json" && ext != ".yml" && ext != ".yaml" {
			return nil
		}
		if folders[folder] == nil {
			folders[folder] = make(map[definition.Path][]byte)
		}
		folders[folder][path], err = os.ReadFile(filepath.Join(root, name))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return folders
}

// TestCorpus shows what the rules find in collected definitions: with -v every finding, to
// be judged, and how many there are of each rule.
func TestCorpus(t *testing.T) {
	folders := corpus(t)
	if len(folders) == 0 {
		t.Skip("no collected definitions beside this checkout")
	}
	hits := make(map[string]int)
	files := 0
	for folder, contents := range folders {
		var reports []lint.Report
		var findings []lint.Finding
		for path, content := range contents {
			files++
			report := lint.Check(path, content)
			reports = append(reports, report)
			findings = append(findings, report.Findings...)
		}
		for _, f := range append(findings, lint.Duplicates(reports)...) {
			hits[f.Rule]++
			t.Logf("%s: %s:%d:%d: %s: %s: %s %s", folder, f.Path, f.Line, f.Column, f.Severity, f.Rule, f.Pointer, f.Message)
		}
	}
	var table strings.Builder
	for _, rule := range lint.Rules() {
		fmt.Fprintf(&table, "\n%-8s %-24s %4d", rule.Severity, rule.ID, hits[rule.ID])
	}
	t.Logf("%d files%s", files, table.String())

	// All of them parse and have their class, so these would be false alarms.
	for _, rule := range []string{"syntax", "empty-file", "too-large", "path", "class", "yaml-tag", "field-type", "unknown-ignore"} {
		if hits[rule] > 0 {
			t.Errorf("%s: got %d findings, want none", rule, hits[rule])
		}
	}
}

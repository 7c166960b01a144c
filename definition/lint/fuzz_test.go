package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition/lint"
)

// FuzzCheck holds that Check neither panics nor quotes a secret, and that what it finds is in
// the file and by a known rule.
func FuzzCheck(f *testing.F) {
	for _, contents := range corpus(f) {
		for path, content := range contents {
			f.Add(content, path.Ext() != ".json")
		}
	}
	for _, s := range []string{
		service(`"clientSecret": "opensesame"`), matching(`^https://(a|b*+)[^/]+.*`), matching("[a&&[b]"),
		"{ # starling:ignore class\n@class: x.MyRegisteredService\nserviceId: .*\nid: 1,\n}", `{"serviceId": {}, "id": 1, "scopes": ["java.util.TreeMap", []]}`,
	} {
		f.Add([]byte(s), false)
	}
	f.Add([]byte("--- !<x.MyRegisteredService>\nserviceId: &a .*\nname: *a # starling:ignore a,b\nid: 1\n"), true)
	f.Fuzz(func(t *testing.T, content []byte, yaml bool) {
		name := "a-1.json"
		if yaml {
			name = "a-1.yml"
		}
		path := mustPath(t, name)
		report := lint.Check(path, content)
		if len(report.Findings) > lint.MaxFindings {
			t.Errorf("findings: got %d, want at most %d", len(report.Findings), lint.MaxFindings)
		}
		for _, found := range append(report.Findings, lint.Duplicates([]lint.Report{report})...) {
			switch {
			case !lint.Known(found.Rule) || found.Severity == 0 || found.Message == "":
				t.Errorf("got %+v", found)
			case found.Line < 1 || found.Column < 1:
				t.Errorf("%s is at %d:%d", found.Rule, found.Line, found.Column)
			case found.Rule == "clear-secret" && strings.Contains(found.Message, "opensesame"):
				t.Errorf("the secret is told: %s", found.Message)
			}
		}
	})
}

// TestHostileFiles holds that awkward files are done with, whatever they ask for.
func TestHostileFiles(t *testing.T) {
	repeat := strings.Repeat
	for name, content := range map[string]string{
		"nested groups":     matching(repeat("(", 60_000)),
		"nested classes":    matching(repeat("[", 60_000)),
		"nested repeats":    matching("^https://" + repeat("(", 30) + "a" + repeat("{9})", 30)),
		"large repeats":     matching("(" + repeat("(a{1000}b{1000})", 50) + "){1000}"),
		"backtracking":      matching("^https://" + repeat("(a*)*", 200) + "b"),
		"alternatives":      matching(repeat("a|b|", 30_000)),
		"open places":       matching("^https://" + repeat(".*x", 300)),
		"long class":        matching("[" + repeat("a-z", 60_000) + "]"),
		"quotes":            matching(repeat(`\Q(\E`, 30_000)),
		"deep":              repeat("[", 1000) + repeat("]", 1000),
		"deep members":      service(`"a": ` + repeat(`{"a": `, 90) + "1" + repeat("}", 90)),
		"deep YAML":         repeat("[", 1000) + repeat("]", 1000),
		"many findings":     service(`"a": [` + repeat(`["java.util.HashSet"],`, 10_000) + `1]`),
		"many secrets":      service(`"a": [` + repeat(`{"password": "x1"},`, 10_000) + `1]`),
		"many ignores":      repeat("#starling:ignore x\n", 13_000) + "{}",
		"many known ones":   "{@class: a.MyRegisteredService\n" + repeat("#starling:ignore class,syntax\n", 8_000) + "}",
		"one long comment":  "{/*" + repeat("starling:ignore class\n", 11_000) + "*/}",
		"hashes":            service() + "\n" + repeat("#", 200_000),
		"YAML aliases":      "--- !<a.MyRegisteredService>\na: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\nid: 1\nserviceId: x\n",
		"YAML comments":     "--- !<a.MyRegisteredService>\nserviceId: x\n" + repeat("# # # # # # # # #\n", 12_000) + "id: 1\n",
		"long number":       `{"@class": "a.MyRegisteredService", "id": ` + repeat("9", 250_000) + `}`,
		"protected pattern": service(fmt.Sprintf(`"clientSecret": %q`, repeat("${", 60_000))),
	} {
		t.Run(name, func(t *testing.T) {
			file := "a-1.json"
			if strings.HasPrefix(name, "YAML") || strings.HasSuffix(name, "YAML") {
				file = "a-1.yml"
			}
			report := lint.Check(mustPath(t, file), []byte(content))
			t.Logf("%d findings, %d ignored", len(report.Findings), report.Ignored)
			if len(report.Findings) > lint.MaxFindings {
				t.Errorf("findings: got %d, want at most %d", len(report.Findings), lint.MaxFindings)
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	path := mustPath(b, "app-7.json")
	content := []byte(service(`"clientSecret": "x1"`, `"evaluationOrder": 3`, `"scopes": ["java.util.HashSet", ["openid"]]`,
		`"attributeReleasePolicy": {"@class": "org.apereo.cas.services.ReturnAllAttributeReleasePolicy"}`))
	b.ReportAllocs()
	for b.Loop() {
		lint.Check(path, content)
	}
}

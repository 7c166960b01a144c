package lint_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition/lint"
)

var update = flag.Bool("update", false, "write RULES.md anew")

func TestRules(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := make(map[string]bool)
	for _, r := range lint.Rules() {
		switch {
		case !kebab.MatchString(r.ID) || seen[r.ID] || !lint.Known(r.ID):
			t.Errorf("id: got %q", r.ID)
		case r.Severity.String() == "none" || r.Summary == "" || r.Source == "" || !strings.HasSuffix(r.Why, "."):
			t.Errorf("rule %s: got %+v", r.ID, r)
		}
		seen[r.ID] = true
	}
	if lint.Known("nonsense") {
		t.Error("nonsense is known")
	}
}

func TestSeverity(t *testing.T) {
	for _, want := range []lint.Severity{lint.Note, lint.Warning, lint.Error} {
		var got lint.Severity
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("severity %q: got %v, %v", want, got, err)
		}
	}
	var s lint.Severity
	if err := s.UnmarshalText([]byte("bad")); err == nil {
		t.Errorf("severity bad: got %v", s)
	}
}

// TestRulesAreDocumented holds that RULES.md lists the rules as they are.
func TestRulesAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Rules of starling check

An error keeps CAS from loading or matching the service, or Starling from mirroring the file; a warning works, and probably not as
meant, or not safely; a note harms nobody today. ` + "`go test ./definition/lint -update`" + ` makes this page from the code.

A comment ends an alarm that somebody has looked at: ` + "`# starling:ignore RULE[,RULE] [why]`" + `, behind the value or on the line above it;
before the first key it is about the whole file. In YAML it must be below the tag, because CAS reads no file that begins with
anything else. A ` + "`.json`" + ` file may have comments, because CAS reads HJSON, but CAS drops them when it saves the service: where that
happens, or where no comment may be, use ` + "`starling check --ignore RULE`" + `.

| rule | severity | means | why | comes from |
|---|---|---|---|---|
`)
	escape := strings.NewReplacer("|", `\|`)
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, r.Severity, escape.Replace(r.Summary), escape.Replace(r.Why), escape.Replace(r.Source))
	}
	want := b.String()
	if *update {
		if err := os.WriteFile("RULES.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("RULES.md is not what the rules are: go test ./definition/lint -update")
	}
}

package lint_test

import (
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition/lint"
)

func TestIgnore(t *testing.T) {
	const head = `"@class": "org.apereo.cas.services.CasRegisteredService", "serviceId": "^https://app\\.example\\.org/.*", "name": "app", "id": 7`
	const secret = "clear-secret %:17 /clientSecret"
	json := func(lines ...string) string { return "{" + head + ",\n" + strings.Join(lines, "\n") + "\n}" }
	at := func(line string) string { return strings.Replace(secret, "%", line, 1) }

	wantFindings(t, "app-7.json", json(`"clientSecret": "x1", // starling:ignore clear-secret`))
	wantFindings(t, "app-7.json", json(`"clientSecret": "x1", /* starling:ignore clear-secret the test system's */`))
	wantFindings(t, "app-7.json", json(`"clientSecret": "x1" # starling:ignore file-name,clear-secret why`))
	wantFindings(t, "app-7.json", json(`// starling:ignore clear-secret`, `"clientSecret": "x1"`))
	wantFindings(t, "app-7.json", json(`// starling:ignore clear-secret`, ``, `// another comment`, `/* and`, `*/`, `"clientSecret": "x1"`))
	wantFindings(t, "app-7.json", json(`/*`, ` * starling:ignore clear-secret`, ` */`, `"clientSecret": "x1"`))
	wantFindings(t, "app-7.json", "// starling:ignore clear-secret\n"+json(`"theme": "x",`, `"clientSecret": "x1"`))
	wantFindings(t, "app-7.json", "{ // starling:ignore clear-secret\n"+head+",\n\"clientSecret\": \"x1\"}")
	wantFindings(t, "app-7.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\n# starling:ignore clear-secret\nserviceId: x\nname: app\nid: 7\nclientSecret: x1\n")
	wantFindings(t, "app-7.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 7\n# starling:ignore clear-secret\nclientSecret: x1\n")
	wantFindings(t, "app-7.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 7\nclientSecret: x1 # starling:ignore clear-secret\n")

	// These say it of something else, or do not say it.
	wantFindings(t, "app-7.json", json(`// starling:ignore clear-secret`, `"theme": "x",`, `"clientSecret": "x1"`), at("4"))
	wantFindings(t, "app-7.json", json(`"theme": "x", // starling:ignore clear-secret`, `"clientSecret": "x1"`), at("3"))
	wantFindings(t, "app-7.json", json(`"clientSecret": "x1"`, `// starling:ignore clear-secret`), at("2"))
	wantFindings(t, "app-7.json", json(`// starling:ignore file-name`, `"clientSecret": "x1"`), at("3"))
	wantFindings(t, "app-7.json", json(`// starling:ignore`, `"clientSecret": "x1"`), at("3"))
	wantFindings(t, "app-7.json", json(`// starling:ignored clear-secret`, `"clientSecret": "x1"`), at("3"))
	wantFindings(t, "app-7.json", json(`"theme": "// starling:ignore clear-secret",`, `"clientSecret": "x1"`), at("3"))
	wantFindings(t, "app-7.json", json(`// starling:ignore clear-secrets`, `"clientSecret": "x1"`), "unknown-ignore 2:1", at("3"))
	wantFindings(t, "app-7.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 7\ndescription: |\n  # starling:ignore clear-secret\nclientSecret: x1\n",
		"clear-secret 7:15 /clientSecret")

	report := lint.Check(mustPath(t, "app-7.json"), []byte(json(`// starling:ignore clear-secret`, `"clientSecret": "x1"`)))
	if got, want := report.Ignored, 1; got != want {
		t.Errorf("ignored: got %d, want %d", got, want)
	}
}

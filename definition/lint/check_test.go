package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/definition/lint"
)

func mustPath(tb testing.TB, s string) definition.Path {
	tb.Helper()
	p, err := definition.ParsePath(s)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// brief is a finding without its message.
func brief(f lint.Finding) string {
	return strings.TrimSpace(fmt.Sprintf("%s %d:%d %s", f.Rule, f.Line, f.Column, f.Pointer))
}

// wantFindings checks one file and wants these findings, as brief writes them.
func wantFindings(t *testing.T, name, content string, want ...string) {
	t.Helper()
	var got []string
	for _, f := range lint.Check(mustPath(t, name), []byte(content)).Findings {
		got = append(got, brief(f))
		switch {
		case f.Path != name:
			t.Errorf("path: got %q, want %q", f.Path, name)
		case f.Message == "" || strings.Contains(f.Message, "\n"):
			t.Errorf("message: got %q, want one line", f.Message)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", content, got, want)
	}
}

// service returns a service in JSON that nothing is wrong with, and the members on lines of their
// own, from line 3 on.
func service(members ...string) string {
	return `{"@class": "org.apereo.cas.services.CasRegisteredService", "name": "app", "id": 7` +
		", \"serviceId\": \"^https://app\\\\.example\\\\.org/.*\"\n\n" +
		", " + strings.Join(append(members, `"description": "x"`), "\n, ") + "}"
}

// matching returns a service with a serviceId, on line 2.
func matching(serviceID string) string {
	return `{"@class": "org.apereo.cas.services.CasRegisteredService", "name": "app", "id": 7, "serviceId":` +
		"\n" + fmt.Sprintf("%q", serviceID) + "}"
}

func TestFilesThatAreRight(t *testing.T) {
	for name, content := range map[string]string{
		"app-7.json": service(),
		"LongName-12345678901234567.json": `{
			// a comment
			@class: org.apereo.cas.services.OidcRegisteredService
			serviceId: ^https://app\.example\.org/[a-z]{2,3}
			name: Long Name
			id: 12345678901234567
			evaluationOrder: 10
			scopes: [ "java.util.HashSet", [ "openid", "profile" ] ]
			attributeReleasePolicy: {
				@class: org.apereo.cas.services.ReturnMappedAttributeReleasePolicy
				allowedAttributes: {
					@class: java.util.TreeMap
					userPassword: theirSecret
				}
			}
		}`,
		"yaml-1.yml": "--- !<org.apereo.cas.services.CasRegisteredService>\n# a comment\nserviceId: 'https://app\\.example\\.org/.*'\nname: yaml\nid: 1\n" +
			"requiredHandlers: !<java.util.HashSet> [a, b]\nenvironments: [a]\n" +
			"accessStrategy: !<org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy>\n  enabled: true\n" +
			"attributeReleasePolicy: !<org.apereo.cas.services.ReturnAllAttributeReleasePolicy> {}\n",
		"template.json":     `{"@class": "org.apereo.cas.services.CasRegisteredService", "templateName": "all"}`,
		"legacy-3.json":     `{"@class": "org.jasig.cas.services.RegexRegisteredService", "serviceId": "x", "name": "legacy", "id": 3}`,
		"own-3.json":        `{"@class": "org.example.sso.SpecialRegisteredService", "serviceId": "x", "name": "own", "id": "3", "special": [1, 2]}`,
		"package.json":      `{"name": "x", "version": "1", "scripts": {"password": "open sesame"}, "scopes": ["a"], "id": "no number"}`,
		"spring.json":       `{"serviceId": "billing", "clientSecret": "open sesame", "id": "b-1"}`,
		"list.json":         `["java.util.HashSet", "java.util.TreeSet", "java.util.Map"]`,
		"compose.yaml":      "services:\n  db: {image: x, environment: {password: secret}}\n",
		"playbook.yml":      "- hosts: all\n  tasks: !foo []\n",
		"nulls-1.json":      strings.Replace(service(`"theme": null`, `"accessStrategy": null`, `"properties": null`), `"name": "app", "id": 7`, `"name": "nulls", "id": 1`, 1),
		"notes.txt":         "# anything",
		"app with blanks-7": "opaque",
	} {
		t.Run(name, func(t *testing.T) { wantFindings(t, name, content) })
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	wantFindings(t, "a.json", "", "empty-file 1:1")
	wantFindings(t, "a.json", " \n", "syntax 2:1")
	wantFindings(t, "a.json", "{\n  \"a\": 1,\n  \"a\": 2\n}", "syntax 3:3")
	wantFindings(t, "a.yml", "a: [1\nb: 2\n", "syntax 2:2")
	wantFindings(t, "a.json", "{"+strings.Repeat(" ", definition.MaxSize)+"}", "too-large 1:1")
	wantFindings(t, "a.json", strings.Repeat("[", 1000)+strings.Repeat("]", 1000), "syntax 1:101")
}

func TestClass(t *testing.T) {
	wantFindings(t, "app-7.json", `{"serviceId": "x", "name": "app", "id": 7}`, "class 1:1")
	wantFindings(t, "app-7.json", `{"@class": "CasRegisteredService", "serviceId": "x", "name": "app", "id": 7}`, "class 1:12 /@class")
	wantFindings(t, "app-7.json", `{"@class": "org.apereo.cas.services. CasRegisteredService", "serviceId": "x", "name": "app", "id": 7}`, "class 1:12 /@class")
	wantFindings(t, "app-7.json", `{"@class": {}, "serviceId": "x", "name": "app", "id": 7}`, "class 1:12 /@class")
	wantFindings(t, "app-7.json", service(`"accessStrategy": {"enabled": true}`, `"proxyPolicy": {"@class": "Refuse"}`),
		"class 3:21 /accessStrategy", "class 4:29 /proxyPolicy/@class")
	wantFindings(t, "app-7.json", service(`"accessStrategy": {"@class": "org.example.Mine$Inner", "own": {"enabled": true}}`))
	wantFindings(t, "app-7.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 7\naccessStrategy:\n  enabled: true\n",
		"class 6:3 /accessStrategy")
}

func TestYAMLTag(t *testing.T) {
	const rest = "serviceId: x\nname: app\nid: 7\n"
	const right = "--- !<org.apereo.cas.services.CasRegisteredService>\n"
	wantFindings(t, "app-7.yml", right+rest)
	wantFindings(t, "app-7.yml", "\n  \n"+right+rest)
	wantFindings(t, "app-7.yml", rest, "yaml-tag 1:1")
	wantFindings(t, "app-7.yml", "# first\n"+right+rest, "yaml-tag 2:5")
	wantFindings(t, "app-7.yml", "!<org.apereo.cas.services.CasRegisteredService>\n"+rest, "yaml-tag 1:1")
	wantFindings(t, "app-7.yml", "--- !!org.apereo.cas.services.CasRegisteredService\n"+rest, "yaml-tag 1:5")
	wantFindings(t, "app-7.yml", "--- !org.apereo.cas.services.CasRegisteredService\n"+rest, "yaml-tag 1:5")
	wantFindings(t, "app-7.yml", "---\n\"@class\": org.apereo.cas.services.CasRegisteredService\n"+rest, "yaml-tag 2:1")
	wantFindings(t, "app-7.yml", "--- !<CasRegisteredService>\n"+rest, "yaml-tag 1:5")
	wantFindings(t, "app-7.yml", right+rest+"accessStrategy: !<Default> {}\n", "yaml-tag 5:17 /accessStrategy")
	wantFindings(t, "app-7.yml", right+rest+"accessStrategy: !<org.example.A>\n  '@class': org.example.B\n", "yaml-tag 5:17 /accessStrategy")
}

func TestFieldType(t *testing.T) {
	for _, right := range []string{
		`"evaluationOrder": "10"`, `"evaluationOrder": -5`, `"theme": 3`, `"bypassApprovalPrompt": "true"`, `"bypassApprovalPrompt": 0`,
		`"logo": true`, `"unknown": {"id": "x", "name": [], "publicKey": 1, "scopes": ["a"], "properties": {}}`, `"ssoEnabled": null`,
		`"accessStrategy": {"@class": "org.example.A", "name": [], "id": "text"}`,
	} {
		wantFindings(t, "app-7.json", service(right))
	}
	for wrong, at := range map[string]string{
		`"evaluationOrder": 1.5`:               "3:22 /evaluationOrder",
		`"evaluationOrder": "first"`:           "3:22 /evaluationOrder",
		`"evaluationOrder": 2147483648`:        "3:22 /evaluationOrder",
		`"evaluationOrder": [1]`:               "3:22 /evaluationOrder",
		`"theme": ["a"]`:                       "3:12 /theme",
		`"logoutUrl": {"a": 1}`:                "3:16 /logoutUrl",
		`"bypassApprovalPrompt": "perhaps"`:    "3:27 /bypassApprovalPrompt",
		`"attributeReleasePolicy": "all"`:      "3:29 /attributeReleasePolicy",
		`"attributeReleasePolicy": []`:         "3:29 /attributeReleasePolicy",
		`"multifactorPolicy": true`:            "3:24 /multifactorPolicy",
		`"usernameAttributeProvider": ["uid"]`: "3:32 /usernameAttributeProvider",
	} {
		wantFindings(t, "app-7.json", service(wrong), "field-type "+at)
	}
	for id, right := range map[string]bool{
		`7`: true, `"7"`: true, `-7`: true, `9223372036854775807`: true,
		`9223372036854775808`: false, `7.5`: false, `1e3`: false, `"seven"`: false, `[7]`: false, `true`: false,
	} {
		var want []string
		if !right {
			want = []string{"field-type 2:6 /id"}
		}
		content := "{\"@class\": \"org.example.MyRegisteredService\", \"serviceId\": \"x\",\n\"id\":" + id + "}"
		var got []string
		for _, f := range lint.Check(mustPath(t, "a.json"), []byte(content)).Findings {
			if f.Rule == "field-type" {
				got = append(got, brief(f))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("id %s: got %q, want %q", id, got, want)
		}
	}
	wantFindings(t, "app-7.json", `{"@class": "org.apereo.cas.services.CasRegisteredService", "name": "app", "id": 7, "serviceId": ["a"]}`, "field-type 1:97 /serviceId")
	wantFindings(t, "app-8.yml", "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 0o10\nevaluationOrder: 1.5\nproxyPolicy: !<org.example.P>\n",
		"field-type 5:18 /evaluationOrder")
}

func TestMissingField(t *testing.T) {
	wantFindings(t, "a.json", `{"@class": "org.example.MyRegisteredService", "serviceId": "x"}`, "missing-field 1:1")
	wantFindings(t, "a-1.json", `{"@class": "org.example.MyRegisteredService", "id": 1, "name": "a", "serviceId": null}`, "missing-field 1:1")
	wantFindings(t, "a.json", `{"@class": "org.example.MyRegisteredService", "templateName": "a"}`)
}

func TestTypedCollection(t *testing.T) {
	for _, right := range []string{
		`"scopes": ["java.util.HashSet", ["a", "b"]]`,
		`"scopes": ["java.util.HashSet", []]`,
		`"scopes": ["org.example.MySet", ["a"]]`,
		`"contacts": ["java.util.ArrayList", [{"@class": "org.example.Contact", "name": "x"}]]`,
		`"properties": {"@class": "java.util.HashMap", "a": {"@class": "org.example.P", "values": ["java.util.HashSet", ["x"]]}}`,
		`"unknown": ["a", "b"]`,
		`"unknown": {"@class": "java.util.Properties", "a": "b"}`,
		`"unknown": ["java.util.Date", 12345]`,
		`"unknown": ["java.util.PriorityQueue", [1]]`,
	} {
		wantFindings(t, "app-7.json", service(right))
	}
	for wrong, at := range map[string]string{
		`"scopes": ["java.util.HashSet"]`:                              "3:13 /scopes",
		`"scopes": ["java.util.HashSet", "a", "b"]`:                    "3:13 /scopes",
		`"scopes": ["java.util.HashSet", {"a": 1}]`:                    "3:13 /scopes",
		`"scopes": ["openid"]`:                                         "3:13 /scopes",
		`"scopes": []`:                                                 "3:13 /scopes",
		`"unknown": ["java.util.TreeMap", ["a"]]`:                      "3:14 /unknown",
		`"unknown": {"@class": "java.util.ArrayList", "a": 1}`:         "3:14 /unknown",
		`"properties": {"a": {"@class": "org.example.P"}}`:             "3:17 /properties",
		`"a": {"@class": "org.example.A", "allowedAttributes": ["x"]}`: "3:57 /a/allowedAttributes",
		`"a": {"@class": "org.example.A", "allowedAttributes": {}}`:    "3:57 /a/allowedAttributes",
	} {
		wantFindings(t, "app-7.json", service(wrong), "typed-collection "+at)
	}
	const head = "--- !<org.apereo.cas.services.CasRegisteredService>\nserviceId: x\nname: app\nid: 7\n"
	wantFindings(t, "app-7.yml", head+"scopes: !<java.util.HashSet> {a: b}\n", "typed-collection 5:9 /scopes")
	wantFindings(t, "app-7.yml", head+"scopes: !<java.util.HashMap> [a]\n", "typed-collection 5:9 /scopes")
}

func TestBareString(t *testing.T) {
	hjson := func(member string) string {
		return "{\n@class: org.apereo.cas.services.CasRegisteredService\nserviceId: x\nname: app\nid: 7\n" + member + "\n}"
	}
	wantFindings(t, "app-7.json", hjson("theme: blue,"), "bare-string 6:8 /theme")
	wantFindings(t, "app-7.json", hjson("theme: blue # or red"), "bare-string 6:8 /theme")
	wantFindings(t, "app-7.json", hjson("theme: blue // or red"), "bare-string 6:8 /theme")
	wantFindings(t, "app-7.json", hjson("theme: 'blue # or red,'"))
	wantFindings(t, "app-7.json", hjson("theme: https://example.org/a,b#anchor"))
	wantFindings(t, "app-7.json", hjson("description: No. #1, # and // so on,"))
}

func TestFileName(t *testing.T) {
	named := func(name, id string) string {
		return fmt.Sprintf("{\"@class\": \"org.example.MyRegisteredService\", \"serviceId\": \"x\",\n\"name\":%s,\n\"id\":%s}", name, id)
	}
	wantFindings(t, "My-App-12.json", named(`"My-App"`, "12"))
	wantFindings(t, "sub/MyApp-12.json", named(`"My App"`, "12"))
	wantFindings(t, "MyApp-12.yaml", "--- !<org.example.MyRegisteredService>\nserviceId: x\nname: My App\nid: 12\n")
	wantFindings(t, "other-12.json", named(`"My App"`, "12"), "file-name 2:8 /name")
	wantFindings(t, "myapp-12.json", named(`"My App"`, "12"), "file-name 2:8 /name")
	wantFindings(t, "MyApp-0012.json", named(`"My App"`, "12"), "file-name 2:8 /name")
	wantFindings(t, "MyApp.json", named(`"My App"`, "12"), "file-name 2:8 /name")
	wantFindings(t, "MyApp-13.json", named(`"My App"`, "12"), "file-id 3:6 /id")
	wantFindings(t, "other-13.json", named(`"My App"`, "12"), "file-id 3:6 /id")
	wantFindings(t, "other-12.json", named(`"a/b"`, "12"))
	wantFindings(t, "any-12.json", named(`null`, "12"))
	wantFindings(t, "any.json", named(`null`, "12"), "file-name 3:6 /id")
}

func TestDuplicates(t *testing.T) {
	var reports []lint.Report
	for name, content := range map[string]string{
		"a-7.json":     "{\"serviceId\": \"x\",\n \"id\": 7}",
		"b-7.json":     "{\"serviceId\": \"x\", \"id\": \"07\"}",
		"c-7.json":     "{\"serviceId\": \"x\",\n// starling:ignore duplicate-id  a copy for the test system\n \"id\": 7}",
		"d-8.yml":      "serviceId: x\nid: 8\n",
		"e-9.json":     "{\"serviceId\": \"x\", \"id\": 9}",
		"sub/f-8.json": "{\"serviceId\": \"x\",\n\n \"id\": 8}",
		"g.json":       "{\"id\": 7}", // no service
		"h.json":       "{",
	} {
		reports = append(reports, lint.Check(mustPath(t, name), []byte(content)))
	}
	var got []string
	for _, f := range lint.Duplicates(reports) {
		got = append(got, f.Path+" "+brief(f)+": "+f.Message)
	}
	want := []string{
		"a-7.json duplicate-id 2:8 /id: b-7.json and 1 more have the id 7 too: give each service its own, CAS loads only one of them",
		"b-7.json duplicate-id 1:26 /id: a-7.json and 1 more have the id 7 too: give each service its own, CAS loads only one of them",
		"d-8.yml duplicate-id 2:5 /id: sub/f-8.json has the id 8 too: give each service its own, CAS loads only one of them",
		"sub/f-8.json duplicate-id 3:8 /id: d-8.yml has the id 8 too: give each service its own, CAS loads only one of them",
	}
	if !slices.Equal(got, want) {
		t.Errorf("duplicates:\n got %q\nwant %q", got, want)
	}
}

func TestReportAt(t *testing.T) {
	a := lint.Check(mustPath(t, "a-7.json"), []byte(`{"serviceId": "x", "id": 7}`))
	b := a.At("dir/b-7.json")
	if got, want := b.Findings[0].Path+" "+a.Findings[0].Path, "dir/b-7.json a-7.json"; got != want {
		t.Errorf("paths: got %s, want %s", got, want)
	}
	duplicates := lint.Duplicates([]lint.Report{a, b})
	if len(duplicates) != 2 || duplicates[1].Path != "dir/b-7.json" || !strings.HasPrefix(duplicates[1].Message, "a-7.json has") {
		t.Errorf("duplicates: got %+v", duplicates)
	}
	gone := lint.Unmirrored("link.json", "it is a link").Findings
	if len(gone) != 1 || brief(gone[0]) != "path 1:1" || gone[0].Severity != lint.Error {
		t.Errorf("not mirrored: got %+v", gone)
	}
}

package definition_test

import (
	"fmt"
	"testing"

	"github.com/starling-sync/starling/definition"
)

func TestService(t *testing.T) {
	const missing = "missing"
	tests := []struct {
		name, file, content         string
		id, serviceName, url, class string
	}{
		{"JSON", "a.json", `{"@class": "org.x.CasRegisteredService", "serviceId": "^https://.*", "name": "A", "id": 1000}`, "1000", "A", "^https://.*", "org.x.CasRegisteredService"},
		{"HJSON", "a.json", "id: 21781220181051640 # c\nname: A b\n@class: org.x.Y", "21781220181051640", "A b", missing, "org.x.Y"},
		{"YAML", "a.yml", "--- !<org.x.CasRegisteredService>\nserviceId: \"a\"\nname: 2024\nid: 5000", "5000", "2024", "a", "org.x.CasRegisteredService"},
		{"YAML with a class member", "a.yml", "'@class': org.x.Y\nid: 1", "1", missing, missing, "org.x.Y"},
		{"nothing", "a.json", `{}`, missing, missing, missing, missing},
		{"an array", "a.json", `["id", 1]`, missing, missing, missing, missing},
		{"no document", "a.txt", `{"id": 1}`, missing, missing, missing, missing},
		{"empty is not missing", "a.json", `{"id": "", "name": "", "serviceId": ""}`, missing, "", "", missing},
		{"wrong types", "a.json", `{"id": [1], "name": null, "serviceId": {}, "@class": []}`, missing, missing, missing, missing},
		{"inner fields do not count", "a.json", `{"a": {"id": 1, "name": "x"}}`, missing, missing, missing, missing},
		{"beyond 2^53", "a.json", `{"id": 12345678901234567}`, "12345678901234567", missing, missing, missing},
		{"beyond 2^64", "a.json", `{"id": 123456789012345678901234567890}`, "123456789012345678901234567890", missing, missing, missing},
		{"not yet saved by CAS", "a.json", `{"id": -1}`, "-1", missing, missing, missing},
		{"quoted", "a.json", `{"id": "0012"}`, "12", missing, missing, missing},
		{"minus zero", "a.json", `{"id": -0}`, "0", missing, missing, missing},
		{"a fraction", "a.json", `{"id": 1.0}`, missing, missing, missing, missing},
		{"an exponent", "a.json", `{"id": 1e3}`, missing, missing, missing, missing},
		{"only a minus", "a.json", `{"id": "-"}`, missing, missing, missing, missing},
		{"words", "a.json", `{"id": "one"}`, missing, missing, missing, missing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := parse(t, test.file, test.content)
			if err != nil {
				t.Fatal(err)
			}
			service := doc.Service()
			check := func(field, want string, get func() (string, bool)) {
				got, ok := get()
				if !ok {
					if got != "" {
						t.Errorf("%s is missing and %q", field, got)
					}
					got = missing
				}
				if got != want {
					t.Errorf("%s = %q, want %q", field, got, want)
				}
			}
			check("id", test.id, service.ID)
			check("name", test.serviceName, service.Name)
			check("serviceId", test.url, service.ServiceID)
			check("class", test.class, service.Class)
		})
	}
}

func TestDuplicateIDs(t *testing.T) {
	ids := map[definition.Path]string{}
	for path, id := range map[string]string{"z-1.json": "1", "d/a.json": "2", "b.json": "3", "a-1.json": "1", "c.yml": "2", "m.json": "1"} {
		ids[mustPath(t, path)] = id
	}
	if got, want := fmt.Sprint(definition.DuplicateIDs(ids)), "[[a-1.json m.json z-1.json] [c.yml d/a.json]]"; got != want {
		t.Errorf("DuplicateIDs = %s, want %s", got, want)
	}
	if got := definition.DuplicateIDs(nil); got != nil {
		t.Errorf("DuplicateIDs of nothing = %v, want none", got)
	}
}

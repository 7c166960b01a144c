package definition_test

import (
	"fmt"
	"strings"
	"testing"
)

// sharedService is a service that two people edit at once.
const sharedService = `{
  "@class": "org.apereo.cas.services.OidcRegisteredService",
  "clientId": "library",
  "clientSecret": "old",
  "serviceId": "^https://library[.]example[.]edu/.*",
  "name": "Library",
  "id": 2001,
  "description": "The catalogue", // shown at login
  "evaluationOrder": 20,
  "supportedResponseTypes": [ "java.util.HashSet", [ "code" ] ],
  "contacts": [
    "java.util.ArrayList",
    [
      {
        "@class": "org.apereo.cas.services.DefaultRegisteredServiceContact",
        "name": "Eve",
        "email": "eve@example.edu",
        "phone": "100"
      },
      {
        "@class": "org.apereo.cas.services.DefaultRegisteredServiceContact",
        "name": "Finn",
        "email": "finn@example.edu"
      }
    ]
  ],
  "accessStrategy": {
    "@class": "org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy",
    "enabled": true,
    "requiredAttributes": {
      "@class": "java.util.HashMap",
      "affiliation": [ "java.util.HashSet", [ "member", "staff" ] ],
      "campus": [ "java.util.HashSet", [ "north" ] ]
    }
  },
  "attributeReleasePolicy": {
    "@class": "org.apereo.cas.services.ReturnAllowedAttributeReleasePolicy",
    "allowedAttributes": [
      "java.util.ArrayList",
      [
        "uid",
        "sn",
        "givenName"
      ]
    ]
  },
  "multifactorPolicy": {
    "@class": "org.apereo.cas.services.DefaultRegisteredServiceMultifactorPolicy",
    "multifactorAuthenticationProviders": [ "java.util.LinkedHashSet", [ "mfa-gauth" ] ],
    "failureMode": "CLOSED"
  },
  "properties": {
    "@class": "java.util.HashMap",
    "team": { "@class": "org.apereo.cas.services.DefaultRegisteredServiceProperty", "values": [ "java.util.HashSet", [ "books" ] ] }
  }
}
`

// change is what somebody does to sharedService: texts and what they become.
type change []string

func (c change) apply(t *testing.T, text string) string {
	t.Helper()
	for i := 0; i < len(c); i += 2 {
		if strings.Count(text, c[i]) != 1 {
			t.Fatalf("%q is %d times in\n%s", c[i], strings.Count(text, c[i]), text)
		}
		text = strings.Replace(text, c[i], c[i+1], 1)
	}
	return text
}

const (
	eve        = "      {\n        \"@class\": \"org.apereo.cas.services.DefaultRegisteredServiceContact\",\n        \"name\": \"Eve\",\n        \"email\": \"eve@example.edu\",\n        \"phone\": \"100\"\n      }"
	finn       = "      {\n        \"@class\": \"org.apereo.cas.services.DefaultRegisteredServiceContact\",\n        \"name\": \"Finn\",\n        \"email\": \"finn@example.edu\"\n      }"
	gwen       = "      {\n        \"@class\": \"org.apereo.cas.services.DefaultRegisteredServiceContact\",\n        \"name\": \"Gwen\",\n        \"email\": \"gwen@example.edu\"\n      }"
	released   = "        \"uid\",\n        \"sn\",\n        \"givenName\"\n"
	mfa        = "  \"multifactorPolicy\": {\n    \"@class\": \"org.apereo.cas.services.DefaultRegisteredServiceMultifactorPolicy\",\n    \"multifactorAuthenticationProviders\": [ \"java.util.LinkedHashSet\", [ \"mfa-gauth\" ] ],\n    \"failureMode\": \"CLOSED\"\n  },\n"
	allowed    = "ReturnAllowedAttributeReleasePolicy\",\n    \"allowedAttributes\": [\n      \"java.util.ArrayList\",\n      [\n" + released + "      ]\n    ]\n"
	affiliated = `[ "member", "staff" ]`
)

// TestMergeOfServices merges what people do to a service at once, byte for byte, in both orders.
func TestMergeOfServices(t *testing.T) {
	for _, test := range []struct {
		name        string
		a, b        change
		both, bothA change // what stands if b is later, and if a is, if that is not the same
		conflict    string
	}{
		{name: "a text and a number", a: change{"The catalogue", "Books"}, b: change{`"evaluationOrder": 20`, `"evaluationOrder": 5`}, both: change{"The catalogue", "Books", `"evaluationOrder": 20`, `"evaluationOrder": 5`}},
		{name: "one text by both", a: change{"The catalogue", "Books"}, b: change{"The catalogue", "Journals"}, both: change{"The catalogue", "Journals"}, bothA: change{"The catalogue", "Books"}, conflict: "field /description"},
		{name: "a secret by both, alike", a: change{`"old"`, `"new"`}, b: change{`"old"`, `"new"`}, both: change{`"old"`, `"new"`}},
		{name: "a response type by each", a: change{`[ "code" ]`, `[ "code", "token" ]`}, b: change{`[ "code" ]`, `[ "code", "id_token" ]`}, both: change{`[ "code" ]`, `[ "code", "token", "id_token" ]`}, bothA: change{`[ "code" ]`, `[ "code", "id_token", "token" ]`}},
		{name: "the response type replaced by both", a: change{`[ "code" ]`, `[ "token" ]`}, b: change{`[ "code" ]`, `[ "id_token" ]`}, both: change{`[ "code" ]`, `[ "id_token" ]`}, bothA: change{`[ "code" ]`, `[ "token" ]`}, conflict: "element /supportedResponseTypes/1/0"},
		{name: "an attribute more by each", a: change{released, released[:len(released)-1] + ",\n        \"mail\"\n"}, b: change{released, released[:len(released)-1] + ",\n        \"cn\"\n"}, both: change{released, released[:len(released)-1] + ",\n        \"cn\",\n        \"mail\"\n"}},
		{name: "an attribute less and one more", a: change{"        \"sn\",\n", ""}, b: change{released, released[:len(released)-1] + ",\n        \"cn\"\n"}, both: change{released, released[:len(released)-1] + ",\n        \"cn\"\n"}, bothA: change{"        \"sn\",\n", ""}, conflict: "collection /attributeReleasePolicy/allowedAttributes"},
		{name: "an attribute less by each", a: change{"        \"sn\",\n", ""}, b: change{"        \"uid\",\n", ""}, both: change{"        \"uid\",\n        \"sn\",\n", ""}},
		{name: "sorted, and the first removed", a: change{released, "        \"givenName\",\n        \"sn\",\n        \"uid\"\n"}, b: change{"        \"uid\",\n", ""}, both: change{released, "        \"givenName\",\n        \"sn\"\n"}},
		{name: "sorted, and one appended", a: change{released, "        \"givenName\",\n        \"sn\",\n        \"uid\"\n"}, b: change{released, released[:len(released)-1] + ",\n        \"cn\"\n"}, both: change{released, "        \"givenName\",\n        \"sn\",\n        \"uid\",\n        \"cn\"\n"}},
		{name: "all released, and one more", a: change{allowed, "ReturnAllAttributeReleasePolicy\"\n"}, b: change{"\"sn\",\n", "\"sn\",\n        \"cn\",\n"}, both: change{"\"sn\",\n", "\"sn\",\n        \"cn\",\n"}, bothA: change{allowed, "ReturnAllAttributeReleasePolicy\"\n"}, conflict: "object /attributeReleasePolicy"},
		{name: "a contact more by each", a: change{finn, finn + ",\n" + gwen}, b: change{eve, strings.ReplaceAll(strings.ReplaceAll(eve, "Eve", "Dora"), "eve@", "dora@") + ",\n" + eve}, both: change{finn, finn + ",\n" + gwen, eve, strings.ReplaceAll(strings.ReplaceAll(eve, "Eve", "Dora"), "eve@", "dora@") + ",\n" + eve}},
		{name: "contacts swapped, one edited", a: change{eve + ",\n" + finn, finn + ",\n" + eve}, b: change{"finn@example.edu", "finn@example.org"}, both: change{eve + ",\n" + finn, strings.Replace(finn, "finn@example.edu", "finn@example.org", 1) + ",\n" + eve}},
		{name: "two fields of a contact", a: change{"eve@example.edu", "eve@example.org"}, b: change{`"100"`, `"200"`}, both: change{"eve@example.edu", "eve@example.org", `"100"`, `"200"`}},
		{name: "a contact replaced and edited", a: change{finn, gwen}, b: change{"finn@example.edu", "finn@example.org"}, both: change{"finn@example.edu", "finn@example.org"}, bothA: change{finn, gwen}, conflict: "item /contacts/1/1"},
		{name: "a contact removed, another edited", a: change{eve + ",\n", ""}, b: change{"finn@example.edu", "finn@example.org"}, both: change{eve + ",\n", "", "finn@example.edu", "finn@example.org"}},
		{name: "a contact removed and edited", a: change{",\n" + finn, ""}, b: change{"finn@example.edu", "finn@example.org"}, both: change{"finn@example.edu", "finn@example.org"}, conflict: "item /contacts/1/1"},
		{name: "disabled, and a requirement more", a: change{`"enabled": true`, `"enabled": false`}, b: change{"[ \"north\" ] ]\n", "[ \"north\" ] ],\n      \"degree\": [ \"x\" ]\n"}, both: change{`"enabled": true`, `"enabled": false`, "[ \"north\" ] ]\n", "[ \"north\" ] ],\n      \"degree\": [ \"x\" ]\n"}},
		{name: "one requirement tighter, another wider", a: change{affiliated, `[ "staff" ]`}, b: change{`[ "north" ]`, `[ "north", "south" ]`}, both: change{`[ "north" ]`, `[ "north", "south" ]`}, bothA: change{affiliated, `[ "staff" ]`}, conflict: "collection /accessStrategy/requiredAttributes"},
		{name: "both tighter", a: change{affiliated, `[ "staff" ]`}, b: change{`      "campus": [ "java.util.HashSet", [ "north" ] ]` + "\n", "", `"staff" ] ],`, `"staff" ] ]`}, both: change{affiliated, `[ "staff" ]`, `"staff" ] ],`, `"staff" ] ]`, `      "campus": [ "java.util.HashSet", [ "north" ] ]` + "\n", ""}},
		{name: "another provider by each", a: change{"mfa-gauth", "mfa-yubikey"}, b: change{"mfa-gauth", "mfa-webauthn"}, both: change{"mfa-gauth", "mfa-webauthn"}, bothA: change{"mfa-gauth", "mfa-yubikey"}, conflict: "collection /multifactorPolicy/multifactorAuthenticationProviders"},
		{name: "the mode and the provider", a: change{"CLOSED", "OPEN"}, b: change{"mfa-gauth", "mfa-webauthn"}, both: change{"CLOSED", "OPEN", "mfa-gauth", "mfa-webauthn"}},
		{name: "no second factor, and another mode", a: change{mfa, ""}, b: change{"CLOSED", "OPEN"}, both: change{"CLOSED", "OPEN"}, conflict: "field /multifactorPolicy"},
		{name: "a property by each", a: change{"    \"team\"", "    \"floor\": { \"values\": [ 1 ] },\n    \"team\""}, b: change{`[ "books" ] ] }`, `[ "books" ] ] },` + "\n    \"site\": { \"values\": [ 2 ] }"}, both: change{"    \"team\"", "    \"floor\": { \"values\": [ 1 ] },\n    \"team\"", `[ "books" ] ] }`, `[ "books" ] ] },` + "\n    \"site\": { \"values\": [ 2 ] }"}},
		{name: "made into another service, and a new secret", a: change{`"id": 2001`, `"id": 2002`, `"Library"`, `"Archive"`}, b: change{`"old"`, `"new"`}, both: change{`"id": 2001`, `"id": 2002`, `"Library"`, `"Archive"`, `"old"`, `"new"`}},
		{name: "another type of service, and a new contact", a: change{"services.OidcRegisteredService", "services.CasRegisteredService"}, b: change{finn, finn + ",\n" + gwen}, both: change{"services.OidcRegisteredService", "services.CasRegisteredService", finn, finn + ",\n" + gwen}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.bothA == nil {
				test.bothA = test.both
			}
			a, b := test.a.apply(t, sharedService), test.b.apply(t, sharedService)
			for _, order := range []struct {
				later, earlier string
				want           change
			}{{b, a, test.both}, {a, b, test.bothA}} {
				merged, err := merge(t, "a.json", sharedService, order.later, order.earlier)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := string(merged.Content), order.want.apply(t, sharedService); got != want {
					at := 0 // where they differ
					for at < len(got) && at < len(want) && got[at] == want[at] {
						at++
					}
					from := max(0, at-100)
					t.Errorf("later is a: %t, from byte %d on got\n%.300s\nwant\n%.300s", order.later == a, from, got[from:], want[from:])
				}
				listed := ""
				for _, c := range merged.Conflicts {
					listed += fmt.Sprint(c.Kind, " ", c.Pointer)
				}
				if listed != test.conflict {
					t.Errorf("conflicts %q, want %q", listed, test.conflict)
				}
				takeBack(t, "a.json", sharedService, order.later, order.earlier, merged)
			}
		})
	}
}

package definition_test

import (
	"fmt"
	"testing"
)

// TestMergeOfAccess: in what decides access, one side's addition and the other's removal are a
// conflict of the collection.
func TestMergeOfAccess(t *testing.T) {
	release := func(list string) string {
		return fmt.Sprintf(`{"attributeReleasePolicy": {"@class": "x.Allowed", "allowedAttributes": ["java.util.ArrayList", [%s]]}}`, list)
	}
	required := func(members string) string {
		return fmt.Sprintf(`{"accessStrategy": {"@class": "x.Access", "enabled": true, "requiredAttributes": {"@class": "java.util.HashMap", %s}}}`, members)
	}
	const at = "collection /attributeReleasePolicy/allowedAttributes"
	const requiredAt = "collection /accessStrategy/requiredAttributes"
	runIntents(t, []intent{
		{name: "additions by both", base: release(`"uid"`), a: release(`"uid", "cn"`), b: release(`"uid", "mail"`), want: release(`"uid", "cn", "mail"`)},
		{name: "removals by both", base: release(`"uid", "cn", "mail"`), a: release(`"uid", "cn"`), b: release(`"cn", "mail"`), want: release(`"cn"`)},
		{name: "addition against removal", base: release(`"uid", "cn"`), a: release(`"uid"`), b: release(`"uid", "cn", "mail"`), want: release(`"uid", "cn", "mail"`), wantA: release(`"uid"`), conflicts: at},
		{name: "replaced against an addition", base: release(`"uid", "cn"`), a: release(`"uid", "sn"`), b: release(`"uid", "cn", "mail"`), want: release(`"uid", "cn", "mail"`), wantA: release(`"uid", "sn"`), conflicts: at},
		{name: "replaced against a removal", base: release(`"uid", "cn"`), a: release(`"uid", "sn"`), b: release(`"cn"`), want: release(`"cn"`), wantA: release(`"uid", "sn"`), conflicts: at},
		{name: "replaced by both alike", base: release(`"uid", "cn"`), a: release(`"uid", "sn"`), b: release(`"uid", "sn"`), want: release(`"uid", "sn"`)},
		{name: "removed by both, one adds", base: release(`"uid", "cn"`), a: release(`"uid"`), b: release(`"uid", "mail"`), want: release(`"uid", "mail"`), wantA: release(`"uid"`), conflicts: at},
		{name: "sorted against an addition", base: release(`"uid", "cn"`), a: release(`"cn", "uid"`), b: release(`"uid", "cn", "mail"`), want: release(`"cn", "uid", "mail"`)},
		{name: "sorted against a removal", base: release(`"uid", "cn", "mail"`), a: release(`"cn", "mail", "uid"`), b: release(`"uid", "cn"`), want: release(`"cn", "uid"`)},
		{name: "emptied against an addition", base: release(`"uid"`), a: release(``), b: release(`"uid", "cn"`), want: release(`"uid", "cn"`), wantA: release(``), conflicts: at},
		{
			name: "elsewhere both stand", base: `{"tags": ["a", "b"], "s": ["java.util.HashSet", ["a", "b"]]}`, a: `{"tags": ["a"], "s": ["java.util.HashSet", ["a"]]}`, b: `{"tags": ["a", "b", "c"], "s": ["java.util.HashSet", ["a", "b", "c"]]}`,
			want: `{"tags": ["a", "c"], "s": ["java.util.HashSet", ["a", "c"]]}`,
		},

		{name: "one key by each", base: required(`"a": ["x"], "b": ["y"]`), a: required(`"a": ["x", "p"], "b": ["y"]`), b: required(`"a": ["x"], "b": ["y", "q"]`), want: required(`"a": ["x", "p"], "b": ["y", "q"]`)},
		{name: "one key tighter, another wider", base: required(`"a": ["x", "z"], "b": ["y"]`), a: required(`"a": ["x"], "b": ["y"]`), b: required(`"a": ["x", "z"], "b": ["y", "q"]`), want: required(`"a": ["x", "z"], "b": ["y", "q"]`), wantA: required(`"a": ["x"], "b": ["y"]`), conflicts: requiredAt},
		{name: "one key more, another less", base: required(`"a": ["x"]`), a: required(`"a": ["x"], "b": ["y"]`), b: required(`"c": ["z"]`), want: required(`"c": ["z"]`), wantA: required(`"a": ["x"], "b": ["y"]`), conflicts: requiredAt},
		{name: "keys by both", base: required(`"a": ["x"]`), a: required(`"a": ["x"], "b": ["y"]`), b: required(`"a": ["x"], "c": ["z"]`), want: required(`"a": ["x"], "b": ["y"], "c": ["z"]`)},
		{
			name: "sets below keys", base: required(`"a": ["java.util.HashSet", ["staff"]]`), a: required(`"a": ["java.util.HashSet", ["admin"]]`), b: required(`"a": ["java.util.HashSet", ["staff", "students"]]`),
			want: required(`"a": ["java.util.HashSet", ["staff", "students"]]`), wantA: required(`"a": ["java.util.HashSet", ["admin"]]`), conflicts: requiredAt,
		},
		{name: "another value for a key, and another key", base: required(`"a": "x"`), a: required(`"a": "y"`), b: required(`"a": "x", "b": "z"`), want: required(`"a": "x", "b": "z"`), wantA: required(`"a": "y"`), conflicts: requiredAt},
		{
			name: "without classes", base: `{"accessStrategy": {"enabled": true, "requiredAttributes": {"a": ["x"]}}}`, a: `{"accessStrategy": {"enabled": false, "requiredAttributes": {}}}`, b: `{"accessStrategy": {"enabled": true, "requiredAttributes": {"a": ["x"], "b": ["y"]}}}`,
			want: `{"accessStrategy": {"enabled": false, "requiredAttributes": {"a": ["x"], "b": ["y"]}}}`, wantA: `{"accessStrategy": {"enabled": false, "requiredAttributes": {}}}`, conflicts: requiredAt,
		},
		{
			name: "the map written as an array", base: `{"requiredAttributes": ["java.util.HashMap", {"a": ["x"]}]}`, a: `{"requiredAttributes": ["java.util.HashMap", {"a": []}]}`, b: `{"requiredAttributes": ["java.util.HashMap", {"a": ["x"], "b": ["y"]}]}`,
			want: `{"requiredAttributes": ["java.util.HashMap", {"a": ["x"], "b": ["y"]}]}`, wantA: `{"requiredAttributes": ["java.util.HashMap", {"a": []}]}`, conflicts: "collection /requiredAttributes",
		},
		{
			name: "members of the strategy are no collection", base: required(`"a": ["x"]`), a: `{"accessStrategy": {"@class": "x.Access", "enabled": true, "ssoEnabled": true, "requiredAttributes": {"@class": "java.util.HashMap", "a": ["x"]}}}`, b: `{"accessStrategy": {"@class": "x.Access", "requiredAttributes": {"@class": "java.util.HashMap", "a": ["x"]}}}`,
			want: `{"accessStrategy": {"@class": "x.Access", "ssoEnabled": true, "requiredAttributes": {"@class": "java.util.HashMap", "a": ["x"]}}}`,
		},
		{
			name: "a mapped release", base: `{"attributeReleasePolicy": {"@class": "x.Mapped", "allowedAttributes": {"@class": "java.util.TreeMap", "cn": "name", "mail": "m"}}}`,
			a: `{"attributeReleasePolicy": {"@class": "x.Mapped", "allowedAttributes": {"@class": "java.util.TreeMap", "cn": "fullName", "mail": "m"}}}`, b: `{"attributeReleasePolicy": {"@class": "x.Mapped", "allowedAttributes": {"@class": "java.util.TreeMap", "cn": "name", "mail": "m", "sn": "s"}}}`,
			want: `{"attributeReleasePolicy": {"@class": "x.Mapped", "allowedAttributes": {"@class": "java.util.TreeMap", "cn": "fullName", "mail": "m", "sn": "s"}}}`,
		},
		{
			name: "in a chain of policies", base: `{"attributeReleasePolicy": {"@class": "x.Chain", "policies": [{"@class": "x.A", "allowedAttributes": ["uid", "cn"]}, {"@class": "x.B", "allowedAttributes": ["mail"]}]}}`,
			a: `{"attributeReleasePolicy": {"@class": "x.Chain", "policies": [{"@class": "x.A", "allowedAttributes": ["uid"]}, {"@class": "x.B", "allowedAttributes": ["mail"]}]}}`, b: `{"attributeReleasePolicy": {"@class": "x.Chain", "policies": [{"@class": "x.A", "allowedAttributes": ["uid", "cn", "sn"]}, {"@class": "x.B", "allowedAttributes": ["mail", "phone"]}]}}`,
			want:      `{"attributeReleasePolicy": {"@class": "x.Chain", "policies": [{"@class": "x.A", "allowedAttributes": ["uid", "cn", "sn"]}, {"@class": "x.B", "allowedAttributes": ["mail", "phone"]}]}}`,
			wantA:     `{"attributeReleasePolicy": {"@class": "x.Chain", "policies": [{"@class": "x.A", "allowedAttributes": ["uid"]}, {"@class": "x.B", "allowedAttributes": ["mail", "phone"]}]}}`,
			conflicts: "collection /attributeReleasePolicy/policies/0/allowedAttributes",
		},
		{
			name: "a policy more, another less", base: `{"accessStrategy": {"@class": "x.Chain", "strategies": [{"@class": "x.A"}, {"@class": "x.B"}]}}`, a: `{"accessStrategy": {"@class": "x.Chain", "strategies": [{"@class": "x.A"}]}}`, b: `{"accessStrategy": {"@class": "x.Chain", "strategies": [{"@class": "x.A"}, {"@class": "x.B"}, {"@class": "x.C"}]}}`,
			want: `{"accessStrategy": {"@class": "x.Chain", "strategies": [{"@class": "x.A"}, {"@class": "x.B"}, {"@class": "x.C"}]}}`, wantA: `{"accessStrategy": {"@class": "x.Chain", "strategies": [{"@class": "x.A"}]}}`, conflicts: "collection /accessStrategy/strategies",
		},
		{
			name: "providers of both", base: `{"multifactorPolicy": {"@class": "x.M", "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", ["duo"]]}}`, a: `{"multifactorPolicy": {"@class": "x.M", "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", ["gauth"]]}}`, b: `{"multifactorPolicy": {"@class": "x.M", "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", ["webauthn"]]}}`,
			want: `{"multifactorPolicy": {"@class": "x.M", "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", ["webauthn"]]}}`, wantA: `{"multifactorPolicy": {"@class": "x.M", "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", ["gauth"]]}}`, conflicts: "collection /multifactorPolicy/multifactorAuthenticationProviders",
		},
		{
			name: "delegated providers", base: `{"accessStrategy": {"@class": "x.Access", "delegatedAuthenticationPolicy": {"@class": "x.D", "allowedProviders": ["java.util.ArrayList", ["a", "b"]]}}}`, a: `{"accessStrategy": {"@class": "x.Access", "delegatedAuthenticationPolicy": {"@class": "x.D", "allowedProviders": ["java.util.ArrayList", ["a"]]}}}`, b: `{"accessStrategy": {"@class": "x.Access", "delegatedAuthenticationPolicy": {"@class": "x.D", "allowedProviders": ["java.util.ArrayList", ["a", "b", "c"]]}}}`,
			want: `{"accessStrategy": {"@class": "x.Access", "delegatedAuthenticationPolicy": {"@class": "x.D", "allowedProviders": ["java.util.ArrayList", ["a", "b", "c"]]}}}`, wantA: `{"accessStrategy": {"@class": "x.Access", "delegatedAuthenticationPolicy": {"@class": "x.D", "allowedProviders": ["java.util.ArrayList", ["a"]]}}}`, conflicts: "collection /accessStrategy/delegatedAuthenticationPolicy/allowedProviders",
		},
		{name: "required handlers", base: `{"requiredHandlers": ["java.util.HashSet", ["ldap", "x"]]}`, a: `{"requiredHandlers": ["java.util.HashSet", ["ldap"]]}`, b: `{"requiredHandlers": ["java.util.HashSet", ["ldap", "x", "pam"]]}`, want: `{"requiredHandlers": ["java.util.HashSet", ["ldap", "x", "pam"]]}`, wantA: `{"requiredHandlers": ["java.util.HashSet", ["ldap"]]}`, conflicts: "collection /requiredHandlers"},
		{
			name: "demanded by both at once", base: `{"accessStrategy": {"@class": "x.Access"}}`, a: `{"accessStrategy": {"@class": "x.Access", "requiredAttributes": {"a": ["x"]}}}`, b: `{"accessStrategy": {"@class": "x.Access", "requiredAttributes": {"b": ["y"]}}}`,
			want: `{"accessStrategy": {"@class": "x.Access", "requiredAttributes": {"b": ["y"]}}}`, wantA: `{"accessStrategy": {"@class": "x.Access", "requiredAttributes": {"a": ["x"]}}}`, conflicts: requiredAt,
		},
		{name: "dropped against tightened", base: required(`"a": ["x"]`), a: `{"accessStrategy": {"@class": "x.Access", "enabled": true}}`, b: required(`"a": ["y"]`), want: required(`"a": ["y"]`), conflicts: "field /accessStrategy/requiredAttributes"},
		{name: "the policy dropped against an addition", base: release(`"uid"`), a: `{}`, b: release(`"uid", "cn"`), want: release(`"uid", "cn"`), conflicts: "field /attributeReleasePolicy"},
	})
}

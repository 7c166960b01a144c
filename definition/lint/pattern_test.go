package lint_test

import (
	"strings"
	"testing"

	"github.com/starling-sync/starling/definition/lint"
)

// TestJavaTakes has regular expressions of Java that Go's package does not take, or not so.
func TestJavaTakes(t *testing.T) {
	for _, pattern := range []string{
		`https://(?!admin\.)[^/]+/.*`, `(?<=CN=)([^,]+)->$1`, `(?<!a)b`, `(?>a+)b`, `a++`, `a*+b`, `a?+`, `a{2,3}+`,
		`(a)\1`, `(?<host>a)\k<host>`, `\Qhttps://a.b/?x=(\E.*`, `a\Q`, `\p{javaLowerCase}+`, `\p{IsAlphabetic}`, `\pL`, `\P{Lu}`,
		`[a-z&&[^aeiou]]`, `[a-z&&[def]]`, `[a[b-d]]`, `[a&&b]`, `[]a]`, `[^]a]`, `[a-]`, `[-a]`, `[\w-.]`, `[\w.-]`, `[&&]a]`,
		`\R`, `\h+`, `\X`, `\G`, `\Z`, `\b{g}`, `\N{DIGIT ONE}`, `\x{1F600}`, `\07`, `\cA`, `\e`, `(?i)a(?-i)b`, `(?i:a)`, `(?x) a # comment (`,
		`^*`, `$+`, `a{2}{3}`, `{2}`, `a|`, `|`, `()`, `]`, `}`, `a]b}c`, `(\z|/.*)`, `\-`, `\é`, `[\]]`, `[é-ü]`, `(?u)é`, `(?)a`,
	} {
		if got := lint.JavaFault(pattern); got != "" {
			t.Errorf("%q: got %q, and Java takes it", pattern, got)
		}
	}
}

func TestJavaDoesNotTake(t *testing.T) {
	for pattern, want := range map[string]string{
		`*.example.org`:  "quantifier * has nothing before it",
		`a**`:            "quantifier * has nothing before it",
		`a++*`:           "quantifier * has nothing before it",
		`a|+b`:           "quantifier + has nothing before it",
		`(?i)*`:          "quantifier * has nothing before it",
		`(?`:             "neither a group nor flags",
		`(?P<name>a)`:    "neither a group nor flags",
		`(?z)`:           "neither a group nor flags",
		`(a`:             "parenthesis is missing",
		`((a)`:           "parenthesis is missing",
		`a)`:             "no opening one",
		`[a`:             "] is missing",
		`[]`:             "] is missing",
		`[a&&[b]`:        "] is missing",
		`[z-a]`:          "goes backwards",
		`[entity-id]`:    "goes backwards",
		`[a-\d]`:         "goes backwards",
		`a{`:             "begins no repetition",
		`{{HOST}}`:       "begins no repetition",
		`${host}`:        "begins no repetition",
		`a{,3}`:          "begins no repetition",
		`a{3`:            "not closed",
		`a{3,b}`:         "no number behind its comma",
		`a{3,2}`:         "from more to less",
		`\y`:             `\y has no meaning`,
		`https:\\/\/a\`:  "backslash at the end",
		`[\b]`:           "inside a character class",
		`[\1]`:           "inside a character class",
		`\k<host>`:       "names a group that is not before it",
		`\khost`:         "not followed by the name",
		`(?<a>x)(?<a>y)`: "two groups have the same name",
		`(?<1>x)`:        "does not begin with a letter",
		`(?<a_b>x)`:      "not closed by >",
		`\p{Lu`:          "is not closed",
		`\p{}`:           "names no property",
		`\xg1`:           "hexadecimal",
		`\x{110000}`:     "hexadecimal",
		`\u00`:           "hexadecimal",
		`\0`:             "octal",
		`\N`:             "name of a character",
		`\c`:             "before no character",
	} {
		if got := lint.JavaFault(pattern); !strings.Contains(got, want) || got == "" {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

func TestServiceIDPattern(t *testing.T) {
	wantFindings(t, "app-7.json", matching(`https://app.example.org/(a|b`), "service-id-pattern 2:1 /serviceId")
	wantFindings(t, "app-7.json", matching(""), "service-id-pattern 2:1 /serviceId")
	wantFindings(t, "app-7.json", matching("  "), "service-id-pattern 2:1 /serviceId")
	wantFindings(t, "app-7.json", strings.Replace(matching(`[`), `}`, `, "matchingStrategy": {"@class": "org.apereo.cas.services.LiteralRegisteredServiceMatchingStrategy"}}`, 1))

	wantFindings(t, "app-7.json", matching(`https://{{HOST}}/app`), "placeholder 2:1 /serviceId")
	wantFindings(t, "app-7.json", matching(`https://${app.host}/app`), "placeholder 2:1 /serviceId")
	wantFindings(t, "app-7.json", matching(`https://{{HOST}}/(app`), "placeholder 2:1 /serviceId", "service-id-pattern 2:1 /serviceId")
	wantFindings(t, "app-7.json", matching(`https://{HOST}/app`), "service-id-pattern 2:1 /serviceId")
}

func TestServiceIDMatchesAll(t *testing.T) {
	for _, all := range []string{
		`.*`, `.+`, `^.*$`, `^.+$`, `^https?://.*`, `^https?://.+`, `^(https|imaps)://.*`, `^(http?|https?)://.*`, `(?s).*`, `^http.*`, `https://[^/]+(:\d+)?/.*`,
		`(?i)HTTPS://.*`, `^(?:https://a\.example|https?://.*)`, `\Qhttps://\E.*`, `.*?`, `^[a-z]+://.*`, `^https://(.*)$`, `\S+`, `[\s\S]*`,
	} {
		wantFindings(t, "app-7.json", matching(all), "service-id-matches-all 2:1 /serviceId")
	}
	partial := func(pattern string) string {
		return strings.Replace(matching(pattern), `}`, `, "matchingStrategy": {"@class": "org.apereo.cas.services.PartialRegexRegisteredServiceMatchingStrategy"}}`, 1)
	}
	for _, all := range []string{`https://`, `.`, `^https?`, `/`} {
		wantFindings(t, "app-7.json", partial(all), "service-id-matches-all 2:1 /serviceId")
		wantFindings(t, "app-7.json", matching(all))
	}
	wantFindings(t, "app-7.json", partial(`^https://app\.example\.org/`))

	// Something else decides who may come.
	wantFindings(t, "app-7.json", strings.Replace(matching(`.+`), "cas.services.CasRegisteredService", "cas.support.saml.services.SamlRegisteredService", 1))
	strategy := func(enabled string) string {
		return strings.Replace(matching(`.*`), `}`, `, "accessStrategy": {"@class": "org.example.A", "enabled": `+enabled+`}}`, 1)
	}
	wantFindings(t, "app-7.json", strategy("false"))
	wantFindings(t, "app-7.json", strategy("true"), "service-id-matches-all 2:1 /serviceId")
}

func TestServiceIDForeignHost(t *testing.T) {
	for pattern, example := range map[string]string{
		`^https://app\.example\.org.*`:                      "https://app.example.org.evil.test",
		`^https://app.example.org.+`:                        "https://app.example.org.evil.test",
		`^https?://.*\.example\.org/.*`:                     "https://evil.test/.example.org/",
		`^https://.*/app/login`:                             "https://evil.test/app/login",
		`^https://([a-z0-9.-]+)(:443)?/app(/.*)?`:           "https://evil.test:443/app/",
		`^http://localhost:.*`:                              "http://localhost:@evil.test/",
		`^(https|imaps)://(app|portal)\.example\.org(.*|)$`: "https://app.example.org.evil.test",
		`^https://app\.example\.org(?:.*)`:                  "https://app.example.org.evil.test",
	} {
		wantFindings(t, "app-7.json", matching(pattern), "service-id-foreign-host 2:1 /serviceId")
		for _, f := range lint.Check(mustPath(t, "app-7.json"), []byte(matching(pattern))).Findings {
			if !strings.Contains(f.Message, "matches "+example+" too") {
				t.Errorf("%s: got %q, want %s", pattern, f.Message, example)
			}
		}
	}
	for _, right := range []string{
		`^https://app\.example\.org/.*`, `^https://app.example.org/.*`, `https://app.example.org`, `^https://[^./]+\.example\.org/.*`, `^https?://[\w-]+\.example\.org(:\d+)?/.*`,
		`^https://app\.example\.org(\z|/.*)`, `^https://app\.example\.org($|/.*|\?.*)`, `^https://(a|b)\.example\.org/(.*)?`, `urn:.*`, `testId`, `^imaps://.*`,
		`^https://(?!evil)[^/]+/.*`, `^https://.*+`, `^https://[a-z&&[^x]]+/.*`, `^http://localhost:\d+/.*`, `^https://app\.example\.org/[^?]*(\?.*)?`,
	} {
		wantFindings(t, "app-7.json", matching(right))
	}
}

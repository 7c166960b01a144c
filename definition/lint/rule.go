package lint

import (
	"fmt"
	"slices"
)

// Severity says how bad a finding is.
type Severity uint8

const (
	// Note is worth knowing and harms nobody today.
	Note Severity = iota + 1
	// Warning works, and probably not as meant, or not safely.
	Warning
	// Error keeps CAS from loading or matching the service, or Starling from
	// mirroring the file.
	Error
)

// String returns the severity's name.
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return "none"
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, known := range []Severity{Note, Warning, Error} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("severity %q: want note, warning or error", text)
}

// Rule is one thing that is looked for.
type Rule struct {
	ID       string   `json:"id"` // kebab-case; never changes its meaning
	Severity Severity `json:"severity"`
	// Summary says in one line what a finding means, Why what comes of it.
	Summary string `json:"summary"`
	Why     string `json:"why"`
	// Source is where the rule comes from: a class of CAS or of Java, or Starling.
	Source string `json:"source"`
}

// Rules returns all rules, in the order in which they are documented.
func Rules() []Rule { return slices.Clone(rules[:]) }

// Known reports whether there is a rule with this id.
func Known(id string) bool {
	return slices.ContainsFunc(rules[:], func(r Rule) bool { return r.ID == id })
}

// The ids of the rules, as the code refers to them.
const (
	ruleSyntax        = "syntax"
	ruleEmpty         = "empty-file"
	ruleTooLarge      = "too-large"
	rulePath          = "path"
	ruleDuplicateID   = "duplicate-id"
	ruleClass         = "class"
	ruleYAMLTag       = "yaml-tag"
	ruleFieldType     = "field-type"
	ruleMissingField  = "missing-field"
	ruleCollection    = "typed-collection"
	rulePattern       = "service-id-pattern"
	ruleMatchesAll    = "service-id-matches-all"
	ruleForeignHost   = "service-id-foreign-host"
	rulePlaceholder   = "placeholder"
	ruleSecret        = "clear-secret"
	ruleBareString    = "bare-string"
	ruleFileID        = "file-id"
	ruleFileName      = "file-name"
	ruleUnknownIgnore = "unknown-ignore"
)

// rules is never written to.
var rules = [...]Rule{
	{
		ruleSyntax, Error, "the file does not parse",
		"CAS drops the service at its next load, and Starling holds the file back.",
		"HJSON (org.hjson), YAML; definition.Parse",
	},
	{
		ruleEmpty, Error, "the file is empty",
		"CAS skips it, and Starling takes it for a save that is not finished.",
		"CAS: AbstractResourceBasedServiceRegistry",
	},
	{
		ruleTooLarge, Error, "the file is larger than a definition may be",
		"Starling does not mirror it.",
		"Starling: 256 KiB",
	},
	{
		rulePath, Error, "the file's name, or what it is, cannot be mirrored",
		"CAS may load the file here, but no other node gets it.",
		"Starling: paths are NFC and portable; links are not followed",
	},
	{
		ruleDuplicateID, Error, "another file in the directory holds the same id",
		"The id is the service's identity: CAS loads only one of the files, and which one can change.",
		"CAS: RegisteredService.getId",
	},
	{
		ruleClass, Error, "a class name is missing or has not the form of one",
		"CAS reads the class first; without it the service is not loaded. Unknown classes are fine, another node's CAS may have them.",
		"Jackson: JsonTypeInfo by @class; CAS: RegisteredServiceJsonSerializer",
	},
	{
		ruleYAMLTag, Error, "a YAML tag that CAS cannot read as a class",
		"A tag in two exclamation marks is one of YAML's own types, and a tag beside another @class says two things.",
		"Jackson: YAMLParser.getTypeId; CAS: RegisteredServiceYamlSerializer",
	},
	{
		ruleFieldType, Error, "a field of CAS has a value of the wrong type",
		"CAS cannot read the value and does not load the service. Numbers and booleans in quotes are fine.",
		"CAS: BaseRegisteredService, OAuthRegisteredService, SamlRegisteredService",
	},
	{
		ruleMissingField, Warning, "the service has no id or no serviceId",
		"Without an id it gets -1, as every other one without; without a serviceId it matches nothing. Definitions with a templateName may lack them.",
		"CAS: BaseRegisteredService, RegisteredServicesTemplatesManager",
	},
	{
		ruleCollection, Error, `a collection has not the form ["java.util.X", [...]]`,
		"CAS takes the first element for a class and does not load the service.",
		"Jackson: default typing (AsArrayTypeDeserializer)",
	},
	{
		rulePattern, Error, "serviceId is no valid Java regular expression",
		"CAS logs it at debug level only, and the service matches nothing.",
		"CAS: RegexUtils.createPattern; Java: java.util.regex.Pattern",
	},
	{
		ruleMatchesAll, Warning, "serviceId matches every URL",
		"Whoever has a URL can have users log in to it, and gets their attributes. Services that are not enabled may, and those of SAML: there the metadata decides.",
		"CAS: FullRegexRegisteredServiceMatchingStrategy",
	},
	{
		ruleForeignHost, Warning, "serviceId names a host and matches URLs of others too",
		"Where nothing ends the host, as in ^https://app.example.org.*, it can go on: https://app.example.org.evil.test. The finding names a URL that matches.",
		"CAS: FullRegexRegisteredServiceMatchingStrategy",
	},
	{
		rulePlaceholder, Warning, "serviceId holds a placeholder of a template: {{...}}, ${...}",
		"CAS fills nothing in there: the file was copied before it was rendered.",
		"Java: java.util.regex.Pattern (illegal repetition)",
	},
	{
		ruleSecret, Warning, "a secret is there in clear",
		"Every member of the cluster, every backup and the history keep it. Values that are encrypted, hashes, references and placeholders are fine.",
		"CAS: OAuthRegisteredService.clientSecret, RegisteredServiceProperty",
	},
	{
		ruleBareString, Warning, "a string without quotes swallows a comma or a comment",
		"In HJSON such a string goes on to the end of the line, whatever stands there.",
		"HJSON: quoteless strings (org.hjson)",
	},
	{
		ruleFileID, Warning, "the number in the file's name is not the id inside",
		"When the file is deleted CAS unloads the service with the number in the name.",
		"CAS: RegisteredServiceResourceNamingStrategy, DeleteResourceBasedRegisteredServiceWatcher",
	},
	{
		ruleFileName, Note, "the file's name is not the one that CAS saves the service under",
		"When CAS saves the service it makes another file, and this one stays.",
		"CAS: DefaultRegisteredServiceResourceNamingStrategy",
	},
	{
		ruleUnknownIgnore, Warning, "a comment ignores a rule that there is not",
		"What it was meant to silence is not silenced, or will not be.",
		"Starling",
	},
}

// severityOf returns the severity of a rule.
func severityOf(id string) Severity {
	for i := range rules {
		if rules[i].ID == id {
			return rules[i].Severity
		}
	}
	return 0
}

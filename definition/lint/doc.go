// Package lint finds what is wrong, or probably not meant, in definition files: that they
// do not parse, that Apereo CAS could not load or match the service, that they open the
// single sign-on to everybody, that they show a secret.
//
// It is pure: bytes in, findings out. It refuses nothing; who calls it decides what to do
// about a finding:
//
//	report := lint.Check(path, content)
//	for _, f := range report.Findings { ... }
//	twice := lint.Duplicates(reports) // over all files of a directory
//
// Rules lists the rules; RULES.md shows them, and a test keeps it true. A rule that alarms on
// a file that is right is wrong, so each is silent where it cannot be sure: a class that is
// not known may be known to another node's CAS, and a serviceId with constructs that Go
// cannot match is not tried. A file that is no service of CAS must parse, and nothing else is
// asked of it.
//
// A comment ends an alarm that somebody has looked at:
//
//	# starling:ignore clear-secret  the test system's
//
// It names one rule, or several with commas between, and behind that why. It is about the
// findings on its own line, and if it has the line for itself about those on the next line
// that is no comment. Before the first key it is about the whole file; in YAML that must be
// below the tag, for CAS reads no file that begins with anything else. A .json file may hold
// comments, because CAS reads HJSON; where it must not, and for a file that does not parse, there
// is the command's --ignore.
//
// No finding quotes a secret, and no message quotes more of a file than the names of
// keys and services, ids, and what a serviceId matches.
package lint

package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// Finding is one place where a rule found something.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Path     string   `json:"path"`
	Line     int      `json:"line"`   // from 1
	Column   int      `json:"column"` // from 1, in characters
	// Pointer is the JSON pointer (RFC 6901) of the value, empty for the whole file.
	Pointer string `json:"pointer"`
	// Message says what is wrong with it, and what to do.
	Message string `json:"message"`
}

// MaxFindings is how many findings a report has at most. Of a file that is wrong in more
// places the others show when these are mended.
const MaxFindings = 100

// Report is what Check says of one file.
type Report struct {
	// Findings are in the order of their places, at most MaxFindings.
	Findings []Finding
	// Ignored is how many findings comments took out of Findings.
	Ignored int

	path         string
	id           string // of the service; empty if there is none
	line, column int    // of the id
	shared       bool   // a duplicate of the id is ignored
}

// Check looks at one file. The path's ending says how it is read, and its last component
// is compared with what CAS would call the file. Check neither keeps nor changes content;
// it takes a time of the order of its size.
func Check(path definition.Path, content []byte) Report {
	if len(content) == 0 {
		return failed(path.String(), ruleEmpty, 1, 1, "the file is empty: delete it, or write the definition")
	}
	doc, layout, err := definition.ParseLayout(path, content)
	if err != nil {
		if errors.Is(err, definition.ErrTooLarge) {
			return failed(path.String(), ruleTooLarge, 1, 1, fmt.Sprintf(
				"a definition has at most %d bytes, and this file more: shorten it", definition.MaxSize))
		}
		if at, ok := errors.AsType[*definition.SyntaxError](err); ok {
			return failed(path.String(), ruleSyntax, at.Line, at.Column, at.Text)
		}
		return failed(path.String(), ruleSyntax, 1, 1, err.Error())
	}
	c := &checker{path: path, content: content, layout: layout, syntax: doc.Syntax()}
	if isService(doc) {
		c.service(doc)
	}
	return c.report()
}

// failed is the report of a file that could not be looked into.
func failed(path, rule string, line, column int, message string) Report {
	return Report{path: path, Findings: []Finding{{
		Rule: rule, Severity: severityOf(rule), Path: path, Line: line, Column: column, Message: message,
	}}}
}

// Unmirrored is the report of a file that no mirror takes, and why.
func Unmirrored(path, why string) Report { return failed(path, rulePath, 1, 1, why) }

// At returns the report with another path for its file, as people know it.
func (r Report) At(path string) Report {
	r.path = path
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		r.Findings[i].Path = path
	}
	return r
}

// checker looks at one document.
type checker struct {
	path     definition.Path
	content  []byte
	layout   definition.Layout
	syntax   definition.Syntax
	findings []Finding
	id       string
}

// found adds a finding at a value.
func (c *checker) found(rule string, at pointer, format string, args ...any) {
	line, column := c.layout.Position(string(at))
	c.foundAt(rule, at, line, column, fmt.Sprintf(format, args...))
}

func (c *checker) foundAt(rule string, at pointer, line, column int, message string) {
	c.findings = append(c.findings, Finding{
		Rule: rule, Severity: severityOf(rule), Path: c.path.String(),
		Line: line, Column: column, Pointer: string(at), Message: message,
	})
}

// report takes out what comments ignore.
func (c *checker) report() Report {
	ignores := c.ignores()
	r := Report{path: c.path.String(), id: c.id}
	if c.id != "" {
		r.line, r.column = c.layout.Position("/id")
		r.shared = ignores.covers(ruleDuplicateID, r.line)
	}
	for _, f := range c.findings {
		if ignores.covers(f.Rule, f.Line) {
			r.Ignored++
			continue
		}
		r.Findings = append(r.Findings, f)
	}
	Sort(r.Findings)
	r.Findings = r.Findings[:min(len(r.Findings), MaxFindings)]
	return r
}

// Sort puts findings in the order of their paths and places.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Duplicates returns a finding for each file that holds the same id as another, in order of
// path. The reports are of all files of one directory.
func Duplicates(reports []Report) []Finding {
	byID := make(map[string][]Report)
	for _, r := range reports {
		if r.id != "" {
			byID[r.id] = append(byID[r.id], r)
		}
	}
	var findings []Finding
	for _, group := range byID {
		if len(group) < 2 {
			continue
		}
		slices.SortFunc(group, func(a, b Report) int { return cmp.Compare(a.path, b.path) })
		for i, r := range group {
			if r.shared {
				continue
			}
			other := group[0].path
			if i == 0 {
				other = group[1].path
			}
			others := other + " has"
			if len(group) > 2 {
				others = fmt.Sprintf("%s and %d more have", other, len(group)-2)
			}
			findings = append(findings, Finding{
				Rule: ruleDuplicateID, Severity: severityOf(ruleDuplicateID), Path: r.path,
				Line: r.line, Column: r.column, Pointer: "/id",
				Message: fmt.Sprintf("%s the id %s too: give each service its own, CAS loads only one of them", others, r.id),
			})
		}
	}
	Sort(findings)
	return findings
}

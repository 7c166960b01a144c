package main

import (
	"cmp"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/definition/lint"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/node"
)

// checkOptions are the flags of check.
type checkOptions struct {
	severity lint.Severity // the least that is shown and counts
	ignore   []string      // rules
	strict   bool
	name     string // of what is read from stdin
}

// checked is what check prints.
type checked struct {
	Findings []lint.Finding `json:"findings" nullable:"false"`
	Counts   severityCounts `json:"counts"`
	Files    int            `json:"files" doc:"How many were looked at."`
	Ignored  int            `json:"ignored" doc:"Findings that comments or --ignore leave out."`
}

type severityCounts struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
}

func (c *severityCounts) add(s lint.Severity) {
	switch s {
	case lint.Error:
		c.Errors++
	case lint.Warning:
		c.Warnings++
	case lint.Note:
		c.Notes++
	}
}

func (c severityCounts) String() string {
	return strings.Join([]string{count(c.Errors, "error"), count(c.Warnings, "warning"), count(c.Notes, "note")}, ", ")
}

func (p *program) checkCommand() *cobra.Command {
	var o checkOptions
	var listRules bool
	c := &cobra.Command{
		Use:     "check [PATH...]",
		Short:   "What is wrong in definition files, without a node",
		GroupID: groupFiles,
		Long: `Looks at files, and at all files in directories that a node would mirror, for what keeps Apereo CAS
from loading a service and for what is probably not meant: syntax errors, ids that come twice, a
serviceId that is no regular expression or matches everything, secrets in clear, and more
(--list-rules). It needs no node. Without PATH it looks at the directory that is mirrored
by the configuration in the data directory, and if there is none at the current directory. - is stdin,
as a file of the name --name. Ids are compared within each directory, and among the files
that are named.

An error keeps the service from being loaded or mirrored, a warning is probably not meant or not safe, a note
harms nobody. A comment ends an alarm, behind the value or on the line above it, before the first
key for the whole file:

  # starling:ignore RULE[,RULE] [why]

Exit code 0: no errors. 1: errors, or with --strict warnings. 6: something could not be read.`,
		Example: `  starling check
  starling check /etc/cas/services --strict --ignore file-name
  git show :app-1000.json | starling check - --name app-1000.json`,
		Args: takes(0, math.MaxInt),
		RunE: func(_ *cobra.Command, args []string) error {
			if listRules {
				return p.printRules()
			}
			return p.check(args, o)
		},
	}
	c.Flags().TextVar(&o.severity, "severity", lint.Note, "the least `severity` that is shown and counts: note, warning or error")
	c.Flags().StringSliceVar(&o.ignore, "ignore", nil, "do not look for this `rule`; can be given again")
	c.Flags().BoolVar(&o.strict, "strict", false, "end with exit code 1 for warnings too")
	c.Flags().StringVar(&o.name, "name", "", "the `path` that stdin is read as, whose ending says the syntax")
	c.Flags().BoolVar(&listRules, "list-rules", false, "show the rules")
	// The error is that of a flag that is not there.
	_ = c.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions([]cobra.Completion{"note", "warning", "error"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("ignore", func(*cobra.Command, []string, string) (ids []cobra.Completion, _ cobra.ShellCompDirective) {
		for _, r := range lint.Rules() {
			ids = append(ids, r.ID)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (p *program) check(args []string, o checkOptions) error {
	for _, rule := range o.ignore {
		if !lint.Known(rule) {
			return usage("--ignore %s: there is no rule of this name, see --list-rules", rule)
		}
	}
	if slices.Contains(args, "-") != (o.name != "") {
		return usage("what comes from stdin (-) needs a name: say both - and --name NAME.json")
	}
	config, err := node.LoadConfig(p.data)
	if len(args) == 0 {
		if err != nil {
			return err
		}
		args = []string{cmp.Or(config.Dir, ".")}
	}
	reader := fileReader{extensions: config.Extensions, stdin: p.stdin, stdinName: o.name}
	if len(reader.extensions) == 0 {
		reader.extensions = mirror.DefaultExtensions()
	}
	result := checked{Findings: []lint.Finding{}}
	for _, group := range reader.read(args) {
		result.add(group, o)
	}
	lint.Sort(result.Findings)
	for _, f := range result.Findings {
		result.Counts.add(f.Severity)
	}
	if err := p.print(result, func(w io.Writer) { writeFindings(w, result.Findings) }); err != nil {
		return err
	}
	p.say("checked %s: %s", count(result.Files, "file"), result.Counts)
	switch {
	case len(reader.failed) > 0:
		for _, err := range reader.failed[1:] {
			p.say("starling: %s", oneSentence(err))
		}
		return &exit{exitPermission, reader.failed[0]}
	case result.Counts.Errors > 0 || o.strict && result.Counts.Warnings > 0:
		return &exit{code: exitProblem}
	}
	return nil
}

// add adds the findings in the files of one directory.
func (c *checked) add(reports []lint.Report, o checkOptions) {
	c.Files += len(reports)
	findings := lint.Duplicates(reports)
	for _, r := range reports {
		findings = append(findings, r.Findings...)
		c.Ignored += r.Ignored
	}
	for _, f := range findings {
		switch {
		case slices.Contains(o.ignore, f.Rule):
			c.Ignored++
		case f.Severity >= o.severity:
			c.Findings = append(c.Findings, f)
		}
	}
}

// writeFindings writes findings by file.
func writeFindings(w io.Writer, findings []lint.Finding) {
	last := ""
	for _, f := range findings {
		if f.Path != last {
			printf(w, "%s\n", f.Path)
			last = f.Path
		}
		where := f.Pointer
		if where != "" {
			where += ": "
		}
		printf(w, "  %d:%d\t%s\t%s\t%s\n", f.Line, f.Column, f.Severity, f.Rule, where+f.Message)
	}
}

// ruleList is what check prints with --list-rules.
type ruleList struct {
	Rules []lint.Rule `json:"rules" nullable:"false"`
}

func (p *program) printRules() error {
	list := ruleList{lint.Rules()}
	return p.print(list, func(w io.Writer) {
		printf(w, "RULE\tSEVERITY\tMEANS\n")
		for _, r := range list.Rules {
			printf(w, "%s\t%s\t%s\n", r.ID, r.Severity, r.Summary)
		}
	})
}

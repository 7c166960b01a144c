package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/definition/lint"
)

func (p *program) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "This node, its lag, conflicts and held files",
		GroupID: groupCluster,
		Long: `Shows how this node is. The first line says whether all is well; if something needs you,
it says what, and the exit code is 1.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			status, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			if err := p.print(status, func(w io.Writer) { writeStatus(w, status) }); err != nil {
				return err
			}
			if len(status.Problems) > 0 {
				return &exit{code: exitProblem}
			}
			return nil
		},
	}
}

func writeStatus(w io.Writer, s api.Status) {
	switch {
	case len(s.Problems) > 0:
		for _, problem := range s.Problems {
			fmt.Fprintf(w, "problem: %s: %s\n", problem.Text, problem.Do)
		}
	case !s.Ready:
		fmt.Fprintln(w, "well so far: the first sync is not complete")
	default:
		fmt.Fprintln(w, "all is well")
	}
	fmt.Fprintf(w, "node\t%s (%s)\n", s.Name, s.Role)
	fmt.Fprintf(w, "directory\t%s\n", s.Dir)
	if s.NetworkFileSystem != "" {
		fmt.Fprintf(w, "\ton %s: what other machines change there is found every %v s\n", s.NetworkFileSystem, s.RescanSeconds)
	}
	if s.Observing {
		fmt.Fprintf(w, "observes only\t%s would be done\n", count(len(s.Planned), "thing"))
		for _, p := range s.Planned {
			fmt.Fprintf(w, "\t%s: %s\n", p.Action, p.Path)
		}
	}
	fmt.Fprintf(w, "definitions\t%d\n", s.Definitions)
	fmt.Fprintf(w, "changes\t%d\n", s.Changes)
	fmt.Fprintf(w, "members\t%d of %d reachable\n", s.Reachable, s.Members)
	fmt.Fprintf(w, "behind\t%s\n", count(s.Behind, "element"))
	fmt.Fprintf(w, "conflicts\t%d\n", s.Conflicts)
	fmt.Fprintf(w, "held files\t%d\n", len(s.Held))
	for _, held := range s.Held {
		fmt.Fprintf(w, "\t%s: %s, since %s\n", held.Path, held.Reason, clock(held.Since))
	}
	writeStatusWaiting(w, s.Waiting)
	writeStatusFindings(w, s.Findings)
	fmt.Fprintf(w, "up for\t%s\n", time.Duration(s.UptimeSeconds*float64(time.Second)).Round(time.Second))
	fmt.Fprintf(w, "cluster\t%s\n", s.Cluster)
	fmt.Fprintf(w, "id\t%s\n", s.ID)
	fmt.Fprintf(w, "version\t%s\n", s.Version)
}

// writeStatusWaiting names the files that have waited for long to be complete.
func writeStatusWaiting(w io.Writer, files []api.WaitingFile) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(w, "waiting files\t%d\n", len(files))
	for _, f := range files {
		fmt.Fprintf(w, "\t%s: %s, since %s\n", f.Path, f.Reason, clock(f.Since))
	}
}

// shownFindings is how many errors in definitions the status names.
const shownFindings = 5

// writeStatusFindings names the first errors; "starling check" has them all.
func writeStatusFindings(w io.Writer, f api.StatusFindings) {
	fmt.Fprintf(w, "findings\t%s\n", severityCounts{f.Errors, f.Warnings, f.Notes})
	shown := 0
	for _, l := range f.Listed {
		if l.Severity == lint.Error.String() && shown < shownFindings {
			shown++
			fmt.Fprintf(w, "\t%s:%d:%d: %s\n", l.Path, l.Line, l.Column, oneLine(l.Message))
		}
	}
	if f.Errors > shown {
		fmt.Fprintf(w, "\t%d more: see them with \"starling check\"\n", f.Errors-shown)
	}
}

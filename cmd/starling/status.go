package main

import (
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
here or at a member that can be reached, it says what, and the exit code is 1. While this
node starts, or others have what it has not got yet, it says so instead, and the exit code
is 0.`,
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
	for _, problem := range s.Problems {
		printf(w, "problem: %s: %s\n", problem.Text, problem.Do)
	}
	switch {
	case !s.Ready:
		printf(w, "starting: the first sync is in progress\n")
	case s.Behind > 0:
		printf(w, "catching up: %s behind\n", count(s.Behind, "element"))
	case len(s.Problems) > 0:
	case len(s.Waiting) > 0:
		printf(w, "waiting for the writers of %s, the first is %s: %s\n", count(len(s.Waiting), "file"), s.Waiting[0].Path, s.Waiting[0].Reason)
	case s.Syncing:
		printf(w, "busy: the directory and the cluster are being made equal\n")
	default:
		printf(w, "all is well\n")
	}
	printf(w, "node\t%s (%s)\n", s.Name, s.Role)
	printf(w, "directory\t%s\n", s.Dir)
	if s.NetworkFileSystem != "" {
		printf(w, "\ton %s: what other machines change there is found every %v s\n", s.NetworkFileSystem, s.RescanSeconds)
	}
	if s.Observing {
		printf(w, "observes only\t%s would be done\n", count(len(s.Planned), "thing"))
		for _, p := range s.Planned {
			printf(w, "\t%s: %s\n", p.Action, p.Path)
		}
	}
	printf(w, "definitions\t%d\n", s.Definitions)
	printf(w, "changes\t%d\n", s.Changes)
	printf(w, "members\t%d of %d reachable\n", s.Reachable, s.Members)
	printf(w, "behind\t%s\n", count(s.Behind, "element"))
	printf(w, "conflicts\t%d\n", s.Conflicts)
	printf(w, "held files\t%d\n", len(s.Held))
	for _, held := range s.Held {
		printf(w, "\t%s: %s, since %s\n", held.Path, held.Reason, clock(held.Since))
	}
	writeStatusWaiting(w, s.Waiting)
	writeStatusFindings(w, s.Findings)
	printf(w, "up for\t%s\n", time.Duration(s.UptimeSeconds*float64(time.Second)).Round(time.Second))
	printf(w, "cluster\t%s\n", s.Cluster)
	printf(w, "id\t%s\n", s.ID)
	printf(w, "version\t%s\n", s.Version)
}

// writeStatusWaiting names the files that have waited for long to be complete.
func writeStatusWaiting(w io.Writer, files []api.WaitingFile) {
	if len(files) == 0 {
		return
	}
	printf(w, "waiting files\t%d\n", len(files))
	for _, f := range files {
		printf(w, "\t%s: %s, since %s\n", f.Path, f.Reason, clock(f.Since))
	}
}

// shownFindings is how many errors in definitions the status names.
const shownFindings = 5

// writeStatusFindings names the first errors; "starling check" has them all.
func writeStatusFindings(w io.Writer, f api.StatusFindings) {
	printf(w, "findings\t%s\n", severityCounts{f.Errors, f.Warnings, f.Notes})
	shown := 0
	for _, l := range f.Listed {
		if l.Severity == lint.Error.String() && shown < shownFindings {
			shown++
			printf(w, "\t%s:%d:%d: %s\n", l.Path, l.Line, l.Column, l.Message)
		}
	}
	if f.Errors > shown {
		printf(w, "\t%d more: see them with \"starling check\"\n", f.Errors-shown)
	}
}

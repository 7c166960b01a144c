package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/definition"
)

func (p *program) conflictsCommand() *cobra.Command {
	var exitCode bool
	c := &cobra.Command{
		Use:     "conflicts [GLOB]",
		Short:   "What was edited on two nodes at once and could not be merged",
		GroupID: groupFiles,
		Long: `Lists what the merge could not decide, until somebody ends it with "starling resolve": for
each field, or whole file, each side that lost and the side that stands. What lost is still there: see
it with "starling conflicts show PATH" or "starling cat PATH@CHANGE". A save that took a file back to
what it was before another's edit is listed too (reverted), for a day, and so are definitions with the
same id, because CAS loads only one of them.`,
		Example: `  starling conflicts 'oauth/**'
  starling conflicts show app-1000.json
  starling resolve app-1000.json --merged`,
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			list, err := client.Conflicts(c.Context(), argument(args))
			if err != nil {
				return err
			}
			if err := p.print(list, func(w io.Writer) { writeConflicts(w, list) }); err != nil {
				return err
			}
			if exitCode && len(list.Conflicts) > 0 {
				return &exit{code: exitProblem}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&exitCode, "exit-code", false, "end with exit code 1 if there are any")
	c.AddCommand(p.conflictsShowCommand())
	return c
}

func writeConflicts(w io.Writer, list api.ConflictList) {
	if len(list.Conflicts) == 0 {
		printf(w, "no conflict is open\n")
		return
	}
	printf(w, "PATH\tKIND\tLOST\tSTANDS\tWHERE\n")
	for _, c := range list.Conflicts {
		printf(w, "%s\t%s\t%s\t%s\t%s\n", c.Path, c.Kind, brief(c.Lost), brief(c.Stands), where(c))
	}
}

// brief names a side in a table.
func brief(s *api.Side) string {
	switch {
	case s == nil:
		return "-"
	case s.Deleted:
		return short(s.Change) + " " + s.Author + ", deletion"
	}
	return short(s.Change) + " " + s.Author
}

// where says at what the sides of a conflict differ.
func where(c api.Conflict) string {
	switch {
	case len(c.Paths) > 0:
		return strings.Join(c.Paths, ", ")
	case c.Kind == "path" && c.Stands != nil:
		return c.Stands.Path + " is held instead"
	case len(c.Pointers) > 0:
		at := strings.Join(c.Pointers, ", ")
		if at == definition.DocumentComments {
			return at + " (comment of the document)"
		}
		if c.Field == "comment" {
			at += " (comment)"
		}
		return at
	case c.Reason != "":
		return wholeFile + ": " + c.Reason
	}
	return wholeFile
}

// wholeFile stands in the place of a pointer.
const wholeFile = "(whole file)"

func (p *program) conflictsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show PATH",
		Short: "The conflicts of one definition: what both sides began with, and what each made of it",
		Long: `Shows each conflict of a definition: what both sides began with, if there is such a version,
what lost and what stands, on a terminal side by side. The exact bytes of a side are those of "starling cat PATH@CHANGE".`,
		Args:              takes(1, 1),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			dispute, err := client.Dispute(c.Context(), args[0])
			if err != nil {
				return err
			}
			if p.output == outputJSON {
				return p.print(dispute, nil)
			}
			writeDispute(p.stdout, p.screen(), dispute)
			return nil
		},
	}
}

func writeDispute(w io.Writer, s screen, d api.Dispute) {
	for _, c := range d.Conflicts {
		printf(w, "conflict: %s (%s)\n", d.Path, c.Kind)
		if len(c.Paths) > 0 {
			printf(w, "  the same id is in: %s\n\n", strings.Join(c.Paths, ", "))
			continue
		}
		printf(w, "  lost:   %s\n", long(c.Lost))
		printf(w, "  stands: %s\n", long(c.Stands))
		if c.At != "" {
			printf(w, "  change %s was made on top of both and did not resolve it\n", short(c.At))
		}
		if len(c.Pointers) > 0 {
			printf(w, "\n%s\n", where(c.Conflict))
			writeSides(w, s, "began with", c.BaseValue, c.LostValue, c.StandsValue, "nothing", "removed")
		} else {
			if c.Reason != "" {
				printf(w, "  it is about the whole file: %s\n", c.Reason)
			}
			printf(w, "\n")
			begin := ""
			if c.Base != "" {
				begin = "began with " + short(c.Base)
			}
			writeSides(w, s, begin, c.BaseText, c.LostText, c.StandsText, "no file", "deleted")
		}
		printf(w, "\n")
	}
	printf(w, "now\n")
	writeText(w, d.Path, d.Now, "no file")
	printf(w, "\n%s\n", advice(d))
}

// writeSides writes what both sides of a conflict began with, under the title begin unless that is
// empty, and what each made of it: side by side on a screen.
func writeSides(w io.Writer, s screen, begin string, base, lost, stands *string, none, gone string) {
	columns := []column{{begin, base, none, 0}, {"lost", lost, gone, red}, {"stands", stands, gone, green}}
	if begin == "" {
		columns = columns[1:]
	}
	if s.width > 0 {
		s.writeBeside(w, columns...)
		return
	}
	for _, c := range columns {
		writeText(w, c.title, c.text, c.absent)
	}
}

// long names a side in a sentence.
func long(s *api.Side) string {
	if s == nil {
		return "-"
	}
	what := "edit of " + s.Path
	if s.Deleted {
		what = "deletion of " + s.Path
	}
	return fmt.Sprintf("%s, %s by %s at %s", s.Change, what, s.Author, clock(s.Time))
}

// advice says how the conflicts of a path end.
func advice(d api.Dispute) string {
	for _, c := range d.Conflicts {
		if c.Kind == "path" && c.Stands != nil {
			return fmt.Sprintf("%s is held in the place of %s, and the two cannot both be files: rename or delete one of them.", c.Stands.Path, d.Path)
		}
	}
	if !slices.ContainsFunc(d.Conflicts, func(c api.DisputedConflict) bool { return c.Lost != nil }) {
		return "CAS loads only one of them: give the id to one only, or delete the others."
	}
	return fmt.Sprintf(`End it with "starling resolve %s" and one of --merged (what is now), --take CHANGE, --file FILE; on a terminal it asks.`, d.Path)
}

// writeText writes a text under a title: behind it if it is one line, else below it.
func writeText(w io.Writer, title string, text *string, absent string) {
	switch {
	case text == nil:
		printf(w, "  %s: (%s)\n", title, absent)
	case !strings.Contains(strings.TrimRight(*text, "\n"), "\n"):
		printf(w, "  %s: %s\n", title, legibleText(*text))
	default:
		printf(w, "  %s:\n", title)
		for line := range strings.Lines(*text) {
			printf(w, "    %s\n", legibleText(line))
		}
	}
}

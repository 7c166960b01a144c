package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

// shownEdits is how many edits of a change the table spells out.
const shownEdits = 3

func (p *program) logCommand() *cobra.Command {
	var q api.ChangesQuery
	var since, until moment
	var follow bool
	c := &cobra.Command{
		Use:     "log [PATH]",
		Short:   "History, newest first",
		GroupID: groupFiles,
		Long: `Lists changes, of all definitions or of one, the newest first. The history of a definition goes on
with that of the path which it was moved from.

With --follow the oldest comes first, and then every change as it lands on this node, until it is
stopped; it is not bound by --since. With -o json each is one line then.`,
		Example: `  starling log app-1000.json --since "3 days ago"
  starling log --author node-b -n 20
  starling log --follow`,
		Args:              takes(0, 1),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			if q.Limit < 1 {
				return usage("--limit %d: want at least 1", q.Limit)
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			q.Path, q.Since, q.Until = argument(args), since.Time, until.Time
			if follow {
				if !until.IsZero() || q.Before != "" {
					return usage("--follow goes on for ever: leave out --until and --before")
				}
				if !c.Flags().Changed("limit") {
					q.Limit = followedLimit
				}
				return p.followLog(c.Context(), client, q)
			}
			list, err := client.Changes(c.Context(), q)
			if err != nil {
				return err
			}
			return p.print(list, func(w io.Writer) {
				printf(w, "CHANGE\tTIME\tBY\tEDITS\tNOTE\n")
				for _, change := range list.Changes {
					row(w, logRow(change)...)
				}
			})
		},
	}
	c.Flags().StringVar(&q.Author, "author", "", "only changes by the node of this `name` or peer id, or by this actor")
	c.Flags().Var(&since, "since", momentHelp("only what was made at this `time` or later"))
	c.Flags().Var(&until, "until", momentHelp("only what was made at this `time` or earlier"))
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with every change as it lands")
	c.Flags().IntVarP(&q.Limit, "limit", "n", 100, fmt.Sprintf("at most this `many`; %d first with --follow, unless it is given", followedLimit))
	c.Flags().StringVar(&q.Before, "before", "", "only what comes after this `change` in the list")
	return c
}

// followedLimit is how many changes --follow begins with.
const followedLimit = 10

// followLog prints the last changes and then those that land.
func (p *program) followLog(ctx context.Context, client *api.Client, q api.ChangesQuery) error {
	landing, err := client.Watch(ctx, api.WatchQuery{Path: q.Path, Author: q.Author}) // first, so that none is missed
	if err != nil {
		return err
	}
	defer landing.Close()
	list, err := client.Changes(ctx, q)
	if err != nil {
		return err
	}
	printed := make(map[string]bool)
	for _, change := range slices.Backward(list.Changes) {
		printed[change.ID] = true
		if err := p.printFollowed(change); err != nil {
			return err
		}
	}
	for {
		change, err := landing.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case printed[change.ID]:
			continue
		}
		if err := p.printFollowed(change); err != nil {
			return err
		}
	}
}

// printFollowed prints one change in a line.
func (p *program) printFollowed(change api.Change) error {
	if p.output == outputJSON {
		return writeJSON(p.stdout, change, "")
	}
	_, err := io.WriteString(p.stdout, legible(strings.TrimRight(strings.Join(logRow(change), "  "), " "))+"\n")
	return err
}

// logRow is what the table shows of a change.
func logRow(c api.Change) []string {
	return []string{short(c.ID), clock(c.Time), author(c.ChangeHeader), summary(c.Edits), c.Note}
}

func author(c api.ChangeHeader) string {
	if c.Actor == "" {
		return c.Author
	}
	return c.Actor + " on " + c.Author
}

func summary(edits []api.ChangeEdit) string {
	parts := make([]string, 0, shownEdits+1)
	for i, e := range edits {
		if i == shownEdits {
			parts = append(parts, fmt.Sprintf("%d more", len(edits)-shownEdits))
			break
		}
		parts = append(parts, briefEdit(e))
	}
	return strings.Join(parts, ", ")
}

// briefEdit says in a few words what an edit did.
func briefEdit(e api.ChangeEdit) string {
	line := e.Kind + " " + e.Path
	if e.MovedFrom != "" {
		line += " from " + e.MovedFrom
	}
	switch {
	case e.BackTo != "":
		line += " back to " + short(e.BackTo)
	case e.Returned:
		line += " back to an earlier version"
	case e.Older != "":
		line += " of the older version " + short(e.Older)
	}
	return line
}

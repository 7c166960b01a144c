package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

// shownEdits is how many edits of a change the table spells out.
const shownEdits = 3

func (p *program) logCommand() *cobra.Command {
	var q api.ChangesQuery
	c := &cobra.Command{
		Use:               "log [PATH]",
		Short:             "History, newest first",
		GroupID:           groupFiles,
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
			q.Path = argument(args)
			list, err := client.Changes(c.Context(), q)
			if err != nil {
				return err
			}
			return p.print(list, func(w io.Writer) {
				fmt.Fprintln(w, "CHANGE\tTIME\tBY\tEDITS\tNOTE")
				for _, change := range list.Changes {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", short(change.ID), clock(change.Time), author(change.ChangeHeader), summary(change.Edits), oneLine(change.Note))
				}
			})
		},
	}
	c.Flags().IntVar(&q.Limit, "limit", 100, "at most this `many`")
	c.Flags().StringVar(&q.Before, "before", "", "only what comes after this `change` in the list")
	return c
}

func author(c api.ChangeHeader) string {
	if c.Actor == "" {
		return c.Author
	}
	return oneLine(c.Actor) + " on " + c.Author
}

func summary(edits []api.ChangeEdit) string {
	parts := make([]string, 0, shownEdits+1)
	for i, e := range edits {
		if i == shownEdits {
			parts = append(parts, fmt.Sprintf("%d more", len(edits)-shownEdits))
			break
		}
		if e.MovedFrom != "" {
			parts = append(parts, fmt.Sprintf("%s %s from %s", e.Kind, e.Path, e.MovedFrom))
			continue
		}
		parts = append(parts, e.Kind+" "+e.Path)
	}
	return strings.Join(parts, ", ")
}

// oneLine makes a member's free text safe for a table and a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

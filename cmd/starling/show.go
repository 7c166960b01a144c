package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show CHANGE",
		Short:   "One change whole: who, when, why, and what it changed",
		GroupID: groupFiles,
		Long: `Shows one change: its author, time and note, and for each edit the fields that it changed. An
edit that was made on a merge is compared with what was merged. The exact bytes of an edit are
those of "starling cat PATH@CHANGE".`,
		Example: `  starling show wgzkq6fqrg22`,
		Args:    takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			shown, err := client.Show(c.Context(), args[0])
			if err != nil {
				return err
			}
			if p.output == outputJSON {
				return p.print(shown, nil)
			}
			writeChange(p.stdout, shown)
			return nil
		},
	}
}

func writeChange(w io.Writer, c api.ShownChange) {
	printf(w, "change: %s\n", c.ID)
	printf(w, "by:     %s, its change %d\n", author(c.ChangeHeader), c.Seq)
	printf(w, "time:   %s\n", clock(c.Time))
	if c.Note != "" {
		printf(w, "note:   %s\n", c.Note)
	}
	if !c.Counts {
		printf(w, "It has no effect: its author was revoked before it.\n")
	}
	for _, e := range c.Edits {
		printf(w, "\n%s\n", headline(e))
		writeComparison(w, e.Comparison)
	}
}

// headline says in one line what an edit did.
func headline(e api.ShownEdit) string {
	line := briefEdit(e.ChangeEdit)
	switch {
	case len(e.ResolvedFields) > 0:
		line += ", which ended its conflicts at " + strings.Join(pointersOf(e.ResolvedFields), ", ")
	case e.Resolves:
		line += ", which ended its conflicts"
	}
	if len(e.Parents) > 1 && e.Against == "" {
		line += fmt.Sprintf(", made on a merge of %d versions", len(e.Parents))
	}
	return line
}

// pointersOf returns JSON pointers as people get to see them.
func pointersOf(pointers []string) []string {
	shown := make([]string, len(pointers))
	for i, p := range pointers {
		if shown[i] = p; p == "" {
			shown[i] = wholeFile
		}
	}
	return shown
}

// writeComparison writes what changed, each field by itself.
func writeComparison(w io.Writer, c api.Comparison) {
	switch c.Extent {
	case "none":
		printf(w, "  the same bytes\n")
	case "layout":
		printf(w, "  the same values: layout, comments or order changed\n")
	case "whole":
		printf(w, "  the whole file\n")
	}
	for _, f := range c.Fields {
		switch {
		case f.From == nil:
			writeText(w, "+ "+f.Pointer, f.To, "")
		case f.To == nil:
			writeText(w, "- "+f.Pointer, f.From, "")
		default:
			writeText(w, "- "+f.Pointer, f.From, "")
			writeText(w, "+ "+f.Pointer, f.To, "")
		}
	}
}

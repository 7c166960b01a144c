package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/definition"
)

func (p *program) resolveCommand() *cobra.Command {
	var o editOptions
	var asked api.Resolution
	var file string
	c := &cobra.Command{
		Use:     "resolve PATH... [--take CHANGE [--whole]|--merged|--file FILE]",
		Short:   "End conflicts of definitions, on all nodes",
		GroupID: groupFiles,
		Long: `Ends the conflicts of definitions by one change that has all that was in conflict below it, so
that they end on every node. A PATH can be a glob over the paths that have conflicts. With
  --take CHANGE          what the change wrote stands in the fields at which it is in conflict; all
                         other edits stay, whoever made them. It may be a deletion.
  --take CHANGE --whole  the whole file is as the change made it, whatever others have edited
  --merged               what stands now stands
  --file FILE            what is in the file stands (- for stdin)
  --field POINTER        with --take or --merged: only the conflict at this field ends, such as
                         /description, and the others stay listed
Without any of them, on a terminal, it asks field by field.`,
		Example: `  starling resolve app-1000.json
  starling resolve app-1000.json --take wgzkq6fqrg22 --note "agreed with the owner"
  starling resolve app-1000.json --merged --field /description
  starling resolve 'oauth/**' --merged`,
		Args:              takes(1, math.MaxInt),
		ValidArgsFunction: p.completePath,
		RunE: func(c *cobra.Command, args []string) error {
			ways := 0
			for _, flag := range []string{"take", "merged", "file"} {
				if c.Flags().Changed(flag) {
					ways++
				}
			}
			asks := ways == 0 && isTerminal(p.stdin)
			switch {
			case ways != 1 && !asks, c.Flags().Changed("merged") && !asked.Merged:
				return usage("say what is to stand, by one of --take CHANGE, --merged and --file FILE")
			case asked.Whole && asked.Take == "":
				return usage("--whole is about the file of a change: say which by --take CHANGE")
			case len(asked.Fields) > 0 && (asked.Whole || !asked.Merged && asked.Take == ""):
				return usage("--field goes with --merged, or with --take CHANGE without --whole")
			}
			asked.Paths, asked.Strict, asked.Note, asked.Actor = args, o.strict, o.note, o.actor
			if c.Flags().Changed("file") {
				content, err := p.input(file)
				if err != nil {
					return err
				}
				if len(content) == 0 {
					return usage("what is to stand is empty: to delete, resolve with --merged and then use rm")
				}
				asked.Content = content
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			if asks {
				return p.resolveAsking(c.Context(), client, asked, o)
			}
			done, err := client.Resolve(c.Context(), asked)
			if err != nil {
				return err
			}
			return p.resolved(c.Context(), client, []api.Resolved{done}, asked, o)
		},
	}
	o.flags(c)
	o.strictFlag(c)
	c.Flags().StringVar(&asked.Take, "take", "", "what this `change` wrote is to stand, where it is in conflict")
	c.Flags().BoolVar(&asked.Whole, "whole", false, "with --take: the whole file as the change made it")
	c.Flags().BoolVar(&asked.Merged, "merged", false, "what stands now is to stand")
	c.Flags().StringVar(&file, "file", "", "the bytes of this `file` are to stand (- for stdin)")
	c.Flags().StringArrayVar(&asked.Fields, "field", nil, "only the conflict at this JSON `pointer`; can be given again")
	c.Flags().BoolVar(&asked.Preview, "dry-run", false, "only show what would change")
	return c
}

// resolution is what resolve prints.
type resolution struct {
	Changes []string           `json:"changes" nullable:"false" doc:"Ids of the changes that were made."`
	Files   []api.ResolvedFile `json:"files" nullable:"false" doc:"What becomes of each path."`
	Skipped []string           `json:"skipped,omitempty" nullable:"false" doc:"Paths that could not be resolved: others are held in their place."`
	Have    []string           `json:"have,omitempty" nullable:"false" doc:"Members that have the changes, if they were waited for."`
	Missing []string           `json:"missing,omitempty" nullable:"false" doc:"Reachable members that did not have them in time."`
}

// resolved says what was resolved, or would be.
func (p *program) resolved(ctx context.Context, client *api.Client, all []api.Resolved, asked api.Resolution, o editOptions) error {
	made, result := edited{Changes: []string{}}, resolution{Files: []api.ResolvedFile{}}
	for _, done := range all {
		made.Changes = append(made.Changes, done.Changes...)
		result.Files = append(result.Files, done.Files...)
		result.Skipped = append(result.Skipped, done.Skipped...)
	}
	if len(result.Skipped) > 0 {
		p.say("Not resolved, because other paths are held in their place (rename or delete one of each two): %s", strings.Join(result.Skipped, ", "))
	}
	if err := p.reach(ctx, client, &made, o.wait); err != nil {
		return err
	}
	result.Changes, result.Have, result.Missing = made.Changes, made.Have, made.Missing
	if p.output == outputJSON {
		if err := p.print(result, nil); err != nil {
			return err
		}
		return made.late(o.wait)
	}
	for _, f := range result.Files {
		printf(p.stdout, "%s\n", sentence(f, asked))
		if asked.Preview {
			writeComparison(p.stdout, f.Comparison)
		}
	}
	return made.late(o.wait)
}

// sentence says what became of one path.
func sentence(f api.ResolvedFile, asked api.Resolution) string {
	var parts []string
	for _, d := range f.Decided {
		parts = append(parts, decided(d, f.Kind == "delete"))
	}
	switch {
	case len(parts) > 0:
	case f.Kind == "delete":
		parts = append(parts, "it is deleted, as by "+f.By)
	case asked.Whole:
		parts = append(parts, "it is as "+f.By+" wrote it")
	default:
		parts = append(parts, "it is what you gave")
	}
	end := count(f.Left, "conflict") + " left"
	if asked.Preview {
		end += " then"
	}
	return fmt.Sprintf("%s: %s; %s", f.Path, strings.Join(parts, ", "), end)
}

// decided says what stands in a field.
func decided(d api.ResolvedField, isDeleted bool) string {
	pointer := d.Pointer
	if pointer == definition.DocumentComments {
		pointer = "the comment of the document"
	}
	switch {
	case d.Pointer == "" && d.Taken && isDeleted:
		return "it is deleted again, as by " + d.By
	case d.Pointer == "" && d.Taken:
		return "it is again as " + d.By + " wrote it"
	case d.Pointer == "":
		return "it stays as it is"
	case d.Value == nil && d.Taken:
		return pointer + " is removed again, as by " + d.By
	case d.Value == nil:
		return pointer + " stays removed"
	case d.Taken:
		return fmt.Sprintf("%s is %s again, as %s wrote it", pointer, briefText(*d.Value), d.By)
	}
	return fmt.Sprintf("%s stays %s, as %s wrote it", pointer, briefText(*d.Value), d.By)
}

// shownText is how many characters of a value a sentence shows.
const shownText = 60

// briefText returns a value in one line, its beginning if it is long.
func briefText(text string) string {
	line := []rune(legible(strings.Join(strings.Fields(text), " ")))
	if len(line) > shownText {
		return string(line[:shownText-3]) + "..."
	}
	return string(line)
}

// resolveAsking asks about each field in conflict of each path.
func (p *program) resolveAsking(ctx context.Context, client *api.Client, asked api.Resolution, o editOptions) error {
	paths, err := inConflict(ctx, client, asked.Paths)
	if err != nil {
		return err
	}
	var all []api.Resolved
	for _, path := range paths {
		dispute, err := client.Dispute(ctx, path)
		if err != nil {
			return err
		}
		one := asked
		one.Paths, one.Choices = []string{path}, p.askFields(dispute)
		if len(one.Choices) == 0 {
			continue
		}
		done, err := client.Resolve(ctx, one)
		if err != nil {
			return err
		}
		all = append(all, done)
	}
	if len(all) == 0 {
		p.say("Nothing was resolved.")
	}
	return p.resolved(ctx, client, all, asked, o)
}

// inConflict returns the paths with conflicts that a resolution can end.
func inConflict(ctx context.Context, client *api.Client, patterns []string) ([]string, error) {
	var paths []string
	for _, pattern := range patterns {
		list, err := client.Conflicts(ctx, pattern)
		if err != nil {
			return nil, err
		}
		found := false
		for _, c := range list.Conflicts {
			if c.Lost != nil && c.Kind != "path" {
				found = true
				paths = append(paths, c.Path)
			}
		}
		if !found {
			paths = append(paths, pattern) // the node says what is the matter with it
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// askFields asks about each field in conflict of one path; what is skipped is not among the
// choices.
func (p *program) askFields(d api.Dispute) []api.Choice {
	var order []string
	fields := make(map[string][]api.DisputedConflict)
	for _, c := range d.Conflicts {
		if c.Lost == nil {
			continue // an id that comes twice
		}
		pointer := strings.Join(c.Pointers, "")
		if fields[pointer] == nil {
			order = append(order, pointer)
		}
		fields[pointer] = append(fields[pointer], c)
	}
	var choices []api.Choice
	for _, pointer := range order {
		if take, ok := p.askField(d.Path, fields[pointer]); ok {
			choices = append(choices, api.Choice{Pointer: pointer, Take: take})
		}
	}
	return choices
}

// askField asks about one field, and returns the change that is taken, none for what stands;
// false if it is skipped.
func (p *program) askField(path string, about []api.DisputedConflict) (take string, ok bool) {
	first := about[0]
	printf(p.stderr, "%s: %s\n", path, where(first.Conflict))
	side := func(key, what string, s *api.Side, value, file *string) {
		if first.Pointers == nil {
			value = file
		}
		writeText(p.stderr, fmt.Sprintf("%s  %s, by %s", key, what, s.Author), value, "removed")
	}
	side("s", "stands", first.Stands, first.StandsValue, first.StandsText)
	for i, c := range about {
		side(fmt.Sprint(i+1), "lost", c.Lost, c.LostValue, c.LostText)
	}
	for {
		printf(p.stderr, "Which is to stand? [s/1%s, Enter skips] ", map[bool]string{true: fmt.Sprintf("-%d", len(about))}[len(about) > 1])
		line, err := p.readLine()
		switch answer := strings.ToLower(strings.TrimSpace(line)); {
		case answer == "s":
			return "", true
		case answer == "" || err != nil:
			return "", false
		default:
			for i, c := range about {
				if answer == fmt.Sprint(i+1) || i == 0 && answer == "l" {
					return c.Lost.Change, true
				}
			}
		}
	}
}

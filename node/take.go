package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// resolvingEdit makes the edit that ends conflicts of one path, and says what it does.
func (n *Node) resolvingEdit(ctx context.Context, p definition.Path, r Resolution) (definition.Edit, ResolvedFile, error) {
	view, now, err := n.replica.Read(ctx, p)
	if err != nil {
		return definition.Edit{}, ResolvedFile{}, err
	}
	open, err := n.conflictsOf(view, n.names())
	if err != nil {
		return definition.Edit{}, ResolvedFile{}, err
	}
	edit := definition.Edit{Path: p, Parents: view.Heads, Content: now, Resolves: true}
	var file ResolvedFile
	switch {
	case r.Content != nil:
		edit.Content = r.Content
	case r.Whole:
		taken := definition.Version{Change: r.Take, Path: p}
		for _, c := range open {
			if c.Lost.Change == r.Take { // it may have followed a rename from another path
				taken = c.Lost.Version
				if err := checkRenamed([]Conflict{c}, r.Take); err != nil {
					return definition.Edit{}, ResolvedFile{}, fmt.Errorf("%s: %w", p, err)
				}
			}
		}
		if edit.Content, err = n.textOf(ctx, taken); err != nil {
			return definition.Edit{}, ResolvedFile{}, fmt.Errorf("%s in change %s: %w", p, r.Take.Short(), ErrNotFound)
		}
		side, err := n.sideOf(taken, n.names())
		if err != nil {
			return definition.Edit{}, ResolvedFile{}, err
		}
		file.By = side.Author
	default:
		d := decision{node: n, path: p, heads: now, now: now}
		left, err := d.decide(ctx, open, r)
		if err != nil {
			return definition.Edit{}, ResolvedFile{}, err
		}
		edit.Content, file.Fields, file.Left = d.now, d.fields, left
		if left > 0 {
			edit.Resolves, edit.Resolved = false, d.resolved()
		}
	}
	edit.Deleted = len(edit.Content) == 0
	file.RevertedEdit = revertedEdit(p, now, edit.Content)
	return edit, file, nil
}

// decision is what becomes of a path when some of its conflicts are decided.
type decision struct {
	node  *Node
	path  definition.Path
	heads []byte // what stands before the first decision
	now   []byte // what stands after those so far; none for no file

	ended  []Conflict
	takes  map[int]bool // the conflicts in which what lost is to stand, by index
	fields []ResolvedField
}

// decide decides the conflicts that a resolution is about, and returns how many others are
// left.
func (d *decision) decide(ctx context.Context, open []Conflict, r Resolution) (left int, err error) {
	choices := r.Choices
	if choices == nil {
		if choices, err = choicesOf(open, r); err != nil {
			return 0, fmt.Errorf("%s: %w", d.path, err)
		}
	}
	d.takes = make(map[int]bool)
	for _, choice := range choices {
		if err := d.choose(open, choice); err != nil {
			return 0, fmt.Errorf("%s: %w", d.path, err)
		}
	}
	for _, together := range d.together(open) {
		if err := d.take(ctx, together); err != nil {
			return 0, fmt.Errorf("%s: %w", d.path, err)
		}
	}
	return len(open) - len(d.ended), nil
}

// together returns the conflicts in which what lost is to stand, those of the same sides and the
// same merge together, the oldest merge first.
func (d *decision) together(open []Conflict) [][]Conflict {
	type merge struct{ at, lost, stands definition.Version }
	var groups [][]Conflict
	index := make(map[merge]int)
	for i, c := range slices.Backward(open) {
		if !d.takes[i] {
			continue
		}
		key := merge{definition.Version{Change: c.At, Path: c.AtPath}, c.Lost.Version, c.Stands.Version}
		at, ok := index[key]
		if !ok || c.Pointer == "" || groups[at][0].Pointer == "" { // a whole file is by itself
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], c)
	}
	return groups
}

// choicesOf returns the choices that taking a change, or what is merged, makes.
func choicesOf(open []Conflict, r Resolution) ([]Choice, error) {
	var choices []Choice
	for _, c := range open {
		if !r.Take.IsZero() && c.Lost.Change != r.Take && c.Stands.Change != r.Take {
			continue
		}
		choice := Choice{Pointer: c.Pointer, Take: r.Take}
		if len(r.Fields) > 0 && !slices.Contains(r.Fields, c.Pointer) || slices.Contains(choices, choice) {
			continue
		}
		choices = append(choices, choice)
	}
	for _, pointer := range r.Fields {
		if !slices.ContainsFunc(choices, func(c Choice) bool { return c.Pointer == pointer }) {
			return nil, fmt.Errorf("no such open conflict at %s: %w", pointer, ErrNotFound)
		}
	}
	if len(choices) == 0 {
		return nil, fmt.Errorf("change %s is no side of an open conflict: %w; its whole file can be taken all the same", r.Take.Short(), ErrNotFound)
	}
	return choices, nil
}

// choose decides the conflicts at one pointer.
func (d *decision) choose(open []Conflict, choice Choice) error {
	var about []Conflict
	var indices []int
	side := false // whether the change is one
	for i, c := range open {
		if c.Pointer == choice.Pointer {
			about, indices = append(about, c), append(indices, i)
			side = side || c.Lost.Change == choice.Take || c.Stands.Change == choice.Take
		}
	}
	switch {
	case len(about) == 0:
		return fmt.Errorf("no open conflict at %q: %w", choice.Pointer, ErrNotFound)
	case slices.ContainsFunc(d.ended, func(c Conflict) bool { return c.Pointer == choice.Pointer }):
		return fmt.Errorf("%w: %q is decided twice", ErrInvalid, choice.Pointer)
	case !choice.Take.IsZero() && !side:
		return fmt.Errorf("change %s is no side of the conflict at %q: %w", choice.Take.Short(), choice.Pointer, ErrNotFound)
	}
	if err := checkRenamed(about, choice.Take); err != nil {
		return err
	}
	d.ended = append(d.ended, about...)
	done := ResolvedField{Pointer: choice.Pointer, Text: about[0].StandsText, By: about[0].Stands.Author}
	for i, c := range slices.Backward(about) {
		if c.Lost.Change != choice.Take {
			continue
		}
		d.takes[indices[i]] = true
		if !done.Taken || c.FieldKind != definition.FieldComment { // the value says more than its comment
			done.Text = c.LostText
		}
		done.Taken, done.By = true, c.Lost.Author
	}
	d.fields = append(d.fields, done)
	return nil
}

// checkRenamed refuses a change of a path whose file is there under another name.
func checkRenamed(about []Conflict, take definition.ChangeID) error {
	for _, c := range about {
		switch {
		case take.IsZero() || c.Kind != definition.ConflictRenamed:
		case c.Lost.Deleted:
			return fmt.Errorf("%w: the file is there as %s: delete that, or let it stand", ErrRefused, c.Stands.Path)
		default:
			return fmt.Errorf("%w: both files are there, %s and %s: delete one of them, or let both stand", ErrRefused, c.Stands.Path, c.Lost.Path)
		}
	}
	return nil
}

// take lets stand what lost in conflicts of the same sides and the same merge, and leaves all
// else as it is.
func (d *decision) take(ctx context.Context, conflicts []Conflict) error {
	c := conflicts[0]
	lost, err := d.node.textOf(ctx, c.Lost.Version)
	if err != nil {
		return err
	}
	stood, err := d.stood(ctx, c)
	if err != nil {
		return err
	}
	taken := lost
	if c.Pointer != "" {
		if taken, err = d.merged(ctx, conflicts, stood, lost); err != nil {
			return err
		}
	}
	switch {
	case c.Pointer == "" && len(lost) == 0: // a deletion
		d.now = nil
		return nil
	case bytes.Equal(d.now, stood):
		d.now = taken
		return nil
	case len(d.now) == 0:
		return fmt.Errorf("%w: it was deleted since; take the whole file", ErrRefused)
	case len(stood) == 0:
		stood = nil // there is no base, then
	}
	// It was edited since. What is taken differs from what stood in this conflict alone, so
	// where the two overlap it is about this.
	merged, err := definition.Take(d.path, stood, d.now, taken, []string{""})
	if errors.Is(err, definition.ErrNoMerge) {
		return fmt.Errorf("%w: it was edited since, and what is taken does not fit into that (%w); take the whole file", ErrRefused, err)
	}
	d.now = merged.Content
	return err
}

// stood returns what stood when a conflict arose: what the sides merged to, or the save that took
// the file back.
func (d *decision) stood(ctx context.Context, c Conflict) ([]byte, error) {
	switch {
	case c.Kind == definition.ConflictReverted:
		return d.node.textOf(ctx, c.Stands.Version)
	case c.At.IsZero():
		return d.heads, nil
	}
	at := definition.Version{Change: c.At, Path: d.path}
	if !c.AtPath.IsZero() {
		at.Path = c.AtPath
	}
	return d.node.replica.MadeOn(ctx, at)
}

// merged returns what stood in conflicts, with what lost in its place. All else that the losing
// side wrote is in what stood already.
func (d *decision) merged(ctx context.Context, conflicts []Conflict, stood, lost []byte) ([]byte, error) {
	_, base, err := d.node.replica.Base(ctx, d.path, conflicts[0].Lost.Version, conflicts[0].Stands.Version)
	if err != nil {
		return nil, err
	}
	again, err := definition.Merge(d.path, base, stood, lost)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// Indices can be others than they were, where the items of a third side are among them.
	type meaning struct {
		kind definition.FieldKind
		lost definition.FieldText
	}
	exact, alike := make(map[string]bool), make(map[meaning][]string)
	for _, f := range again.Conflicts {
		exact[f.Pointer] = true
		m := meaning{f.Kind, f.Earlier}
		alike[m] = append(alike[m], f.Pointer)
	}
	var pointers []string
	for _, c := range conflicts {
		pointers = append(pointers, c.Pointer)
		if m := (meaning{c.FieldKind, c.LostText}); !exact[c.Pointer] {
			pointers = append(pointers, alike[m]...)
			delete(alike, m)
		}
	}
	merged, err := definition.Take(d.path, base, stood, lost, pointers)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return merged.Content, nil
}

// resolved names the conflicts that were decided.
func (d *decision) resolved() []definition.ResolvedConflict {
	var out []definition.ResolvedConflict
	for _, c := range d.ended {
		out = append(out, definition.ResolvedConflict{Lost: c.Lost.Change, Stands: c.Stands.Change, Pointer: c.Pointer})
	}
	slices.SortFunc(out, definition.ResolvedConflict.Compare)
	return slices.Compact(out)
}

// pointersIn returns the pointers of field conflicts, for people.
func pointersIn(conflicts []definition.FieldConflict) string {
	var pointers []string
	for _, c := range conflicts {
		if c.Pointer == "" {
			c.Pointer = "the whole file"
		}
		if !slices.Contains(pointers, c.Pointer) {
			pointers = append(pointers, c.Pointer)
		}
	}
	return strings.Join(pointers, ", ")
}

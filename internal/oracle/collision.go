package oracle

import (
	"cmp"
	"slices"

	"github.com/starling-sync/starling/definition"
)

// wish is a file that would be present if no other path collided with it.
type wish struct {
	path  definition.Path
	first *version
	text  text
}

// held returns the files that are held: in the order of the versions with which they came
// there, each that collides with none before it. Two paths collide if they are
// equal by case fold or normalisation, or if one takes the other for a folder.
func held(wanted []wish) []wish {
	slices.SortFunc(wanted, func(a, b wish) int {
		return cmp.Or(byDepth(a.first, b.first), a.path.Compare(b.path))
	})
	var out []wish
	files, folders := make(map[string]bool), make(map[string]bool) // of those held, by fold key
	for _, w := range wanted {
		name, above := w.path.FoldKey(), foldersOf(w.path)
		if files[name] || folders[name] || slices.ContainsFunc(above, func(folder string) bool { return files[folder] }) {
			continue
		}
		out = append(out, w)
		files[name] = true
		for _, folder := range above {
			folders[folder] = true
		}
	}
	return out
}

// foldersOf returns the fold keys of the folders above a path.
func foldersOf(path definition.Path) []string {
	var above []string
	for dir := path.Dir(); !dir.IsZero(); dir = dir.Dir() {
		above = append(above, dir.FoldKey())
	}
	return above
}

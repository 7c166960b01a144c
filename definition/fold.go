package definition

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldKey returns a text that is equal for two paths exactly if they are equal by
// case fold or normalisation: such paths cannot both be files on a file system
// that ignores case or form (APFS, NTFS, ext4 with casefold), so they collide
// everywhere. The key serves comparison only and is no path.
//
// It is Unicode's canonical caseless match with full case folding ("Straße" and
// "STRASSE" are equal); the tables belong to the version of the merge rules.
func (p Path) FoldKey() string {
	if isASCII(p.s) {
		return strings.ToLower(p.s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(p.s)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

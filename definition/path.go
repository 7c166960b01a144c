package definition

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a path, in bytes. A component's limit is what every file system that
// Starling may meet allows for one name.
const (
	MaxPath          = 1024
	MaxPathComponent = 255
)

// ErrPath is returned, wrapped, by ParsePath for a text that names no definition.
var ErrPath = errors.New("not a valid path")

// Path names a definition file: relative to the mirrored directory,
// slash-separated, canonical. A non-zero Path was checked by ParsePath, so its
// existence proves that it is valid. Paths are comparable.
type Path struct{ s string }

// ParsePath checks that s names a definition and returns it as a Path. It accepts
// one spelling of a name only and repairs nothing, so that a path is the same
// text on every node.
//
// A path is relative, slash-separated UTF-8 in NFC, of at most MaxPath bytes and
// MaxPathComponent bytes a component. No component is empty or begins with a dot:
// that excludes "." and "..", and leaves dot-files to the mirror itself, because
// Apereo CAS never loads them. Control characters and backslashes are refused.
//
// The error wraps ErrPath, quotes the path and says what to change.
func ParsePath(s string) (Path, error) {
	if reason := pathFault(s); reason != "" {
		return Path{}, fmt.Errorf("parse path %s: %w: %s", quotePath(s), ErrPath, reason)
	}
	return Path{s}, nil
}

// pathFault says what is wrong with s and what to do, or "" if nothing is.
func pathFault(s string) string {
	switch {
	case s == "":
		return "it is empty; name a file below the mirrored directory"
	case len(s) > MaxPath:
		return fmt.Sprintf("it has %d bytes; shorten it to at most %d", len(s), MaxPath)
	case !utf8.ValidString(s):
		return "it is not UTF-8; rename the file"
	case strings.HasPrefix(s, "/"):
		return "it is absolute; name it relative to the mirrored directory"
	case strings.Contains(s, `\`):
		return "it holds a backslash; separate folders by a slash"
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return "it holds a control character; rename the file"
	case !norm.NFC.IsNormalString(s):
		return "its accents are decomposed; rename the file to Unicode's composed form (NFC)"
	}
	for component := range strings.SplitSeq(s, "/") {
		switch {
		case component == "":
			return "it has an empty component; write one slash between names and none at the end"
		case component[0] == '.':
			return "a component begins with a dot; such files are not mirrored, rename it"
		case len(component) > MaxPathComponent:
			return fmt.Sprintf("a component has %d bytes; shorten it to at most %d", len(component), MaxPathComponent)
		}
	}
	return ""
}

// quotePath quotes s for an error, cut to what a person reads: s may be anything.
func quotePath(s string) string {
	const most = 80
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q...", s[:most])
}

// String returns the path as it is written in change and directory.
func (p Path) String() string { return p.s }

// IsZero reports whether p is no path.
func (p Path) IsZero() bool { return p.s == "" }

// Compare orders paths by their bytes.
func (p Path) Compare(other Path) int { return strings.Compare(p.s, other.s) }

// Base returns the last component, the file's name.
func (p Path) Base() string { return p.s[strings.LastIndexByte(p.s, '/')+1:] }

// Dir returns the folder that holds the file, or the zero Path if that is the
// mirrored directory itself.
func (p Path) Dir() Path {
	i := strings.LastIndexByte(p.s, '/')
	if i < 0 {
		return Path{}
	}
	return Path{p.s[:i]}
}

// Ext returns the file name's ending in lower case with its dot (".json"), or ""
// if it has none.
func (p Path) Ext() string { return strings.ToLower(path.Ext(p.s)) }

// MarshalText implements encoding.TextMarshaler.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.s), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Empty text gives the zero
// Path; anything else must be accepted by ParsePath.
func (p *Path) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Path{}
		return nil
	}
	parsed, err := ParsePath(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

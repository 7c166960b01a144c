package definition

import (
	"cmp"
	"slices"
	"strings"
)

// Service is a document seen as Apereo CAS sees it: as the definition of a
// registered service (https://apereo.github.io/cas, "Service Management"). It
// refuses nothing: real definitions lack fields, and another node's CAS may know a
// class that this one does not. Each accessor reports false for a field that is
// missing or of another type.
type Service struct{ root Value }

// Service returns the document as a service of CAS.
func (d Document) Service() Service { return Service{d.root} }

// ID returns the numeric id inside the file, which is the service's identity for
// CAS whatever the file's name says. It is exact decimal text without leading zeros:
// ids pass 2^53. CAS takes an id in quotes, so it counts too.
func (s Service) ID() (string, bool) {
	v, ok := s.root.Get("id")
	if !ok || v.Kind != Number && v.Kind != String {
		return "", false
	}
	id, ok := canonicalInteger(v.Text)
	return strings.Clone(id), ok // who keeps the id does not keep the file with it
}

// Name returns the service's name.
func (s Service) Name() (string, bool) { return s.text("name") }

// ServiceID returns the regular expression that the service's URLs match.
func (s Service) ServiceID() (string, bool) { return s.text("serviceId") }

// Class returns the name of the service's Java class: the member @class, or the tag
// in YAML.
func (s Service) Class() (string, bool) {
	if s.root.Tag != "" {
		return s.root.Tag, true
	}
	return s.text("@class")
}

// text returns the text of a scalar member: in YAML, a name such as 2024 is no
// string.
func (s Service) text(key string) (string, bool) {
	v, ok := s.root.Get(key)
	switch v.Kind {
	case String, Number, Bool:
		return v.Text, ok
	}
	return "", false
}

// canonicalInteger returns the one spelling of a decimal integer.
func canonicalInteger(text string) (string, bool) {
	unsigned, negative := strings.CutPrefix(text, "-")
	if unsigned == "" || digits([]byte(unsigned)) < len(unsigned) {
		return "", false
	}
	switch unsigned = strings.TrimLeft(unsigned, "0"); {
	case unsigned == "":
		return "0", true
	case negative:
		return "-" + unsigned, true
	}
	return unsigned, true
}

// DuplicateIDs returns the groups of paths, two or more each, that hold the same
// id. CAS then loads the first in sort order, or the newest; no file is wrong by
// itself. Paths and groups are in order of path.
func DuplicateIDs(ids map[Path]string) [][]Path {
	byID := make(map[string][]Path, len(ids))
	for path, id := range ids {
		byID[id] = append(byID[id], path)
	}
	var groups [][]Path
	for _, group := range byID {
		if len(group) > 1 {
			slices.SortFunc(group, Path.Compare)
			groups = append(groups, group)
		}
	}
	slices.SortFunc(groups, func(a, b []Path) int { return cmp.Compare(a[0].s, b[0].s) })
	return groups
}

package lint

import (
	"regexp"
	"strings"

	"github.com/starling-sync/starling/definition"
)

// numbered is how CAS reads the id from a file's name.
var numbered = regexp.MustCompile(`-(\d+)$`)

// name compares the file's name with the one that CAS gives it: the service's name
// without spaces, a hyphen and the id.
func (c *checker) name(service definition.Service) {
	if c.id == "" {
		return
	}
	base := c.path.Base()
	ext := base[len(base)-len(c.path.Ext()):]
	stem := strings.TrimSuffix(base, ext)
	want := ""
	if name, ok := service.Name(); ok && name != "" {
		want = strings.ReplaceAll(name, " ", "") + "-" + c.id + ext
		if p, err := definition.ParsePath(want); err != nil || p.Base() != want {
			return // no name for a file at all
		}
	}
	if want == base {
		return
	}
	number := numbered.FindStringSubmatch(stem)
	switch {
	case number != nil && canonical(number[1]) != c.id:
		c.found(ruleFileID, "/id", "the file's name says %s and the id is %s: give the file the id's number", number[1], c.id)
	case want != "":
		c.found(ruleFileName, "/name", "CAS saves this service as %s: rename the file, or the service", want)
	case number == nil:
		c.found(ruleFileName, "/id", "CAS names files by name and id: let the name end in -%s%s", c.id, ext)
	}
}

// canonical returns a number without leading zeros.
func canonical(digits string) string {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}

package lint

import (
	"strconv"
	"strings"
)

// pointer is a JSON pointer (RFC 6901).
type pointer string

func (p pointer) key(name string) pointer {
	if strings.ContainsAny(name, "~/") {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	return p + "/" + pointer(name)
}

func (p pointer) item(i int) pointer { return p + "/" + pointer(strconv.Itoa(i)) }

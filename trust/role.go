package trust

import "fmt"

// Role says what a member may do. The zero Role is none.
type Role uint8

const (
	// RoleReader may read everything and write nothing.
	RoleReader Role = 1
	// RoleWriter may also write, where its grant has path globs only there.
	RoleWriter Role = 2
)

// ParseRole parses "reader" or "writer".
func ParseRole(s string) (Role, error) {
	for _, r := range []Role{RoleReader, RoleWriter} {
		if s == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("parse role %q: want reader or writer", s)
}

// String returns "reader" or "writer".
func (r Role) String() string {
	switch r {
	case RoleReader:
		return "reader"
	case RoleWriter:
		return "writer"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) {
	if _, err := ParseRole(r.String()); err != nil {
		return nil, err
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(b []byte) error {
	parsed, err := ParseRole(string(b))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

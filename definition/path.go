package definition

// Path names a definition file: relative to the mirrored directory,
// slash-separated, canonical. A non-zero Path was checked by ParsePath, so its
// existence proves that it is valid. Paths are comparable.
type Path struct{ s string }

// String returns the path as it is written in change and directory.
func (p Path) String() string { return p.s }

// IsZero reports whether p is no path.
func (p Path) IsZero() bool { return p.s == "" }

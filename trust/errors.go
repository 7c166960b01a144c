package trust

import "errors"

var (
	// ErrEncoding is returned for an envelope or a statement that is malformed,
	// is not in its one canonical encoding, or holds a value against the rules.
	ErrEncoding = errors.New("invalid encoding")
	// ErrSignature is returned for a well-formed envelope that its author did
	// not sign.
	ErrSignature = errors.New("invalid signature")
)

package trust

import "errors"

var (
	// ErrEncoding is returned for an envelope or a statement that is malformed,
	// is not in its one canonical encoding, or holds a value against the rules.
	ErrEncoding = errors.New("invalid encoding")
	// ErrSignature is returned for a well-formed envelope that its author did
	// not sign.
	ErrSignature = errors.New("invalid signature")
	// ErrForeign is returned for a good envelope that is not what it is shown
	// for: no grant, not by this cluster's authority, or for another node.
	ErrForeign = errors.New("not a grant of this cluster for this node")
	// ErrRevoked is returned when a node presents a good grant that a revocation
	// has ended.
	ErrRevoked = errors.New("membership was revoked")

	// ErrExists is returned when a key would be written over another file.
	ErrExists = errors.New("file exists already and is not overwritten")
	// ErrTooOpen is returned for a secret file, or its folder, that others than
	// its owner may use.
	ErrTooOpen = errors.New("permissions are too open")
	// ErrKeyFile is returned for a file that holds no key of the wanted kind.
	ErrKeyFile = errors.New("not a key file")
	// ErrPassphrase is returned when an exported authority key does not open
	// with the passphrase, or when the passphrase is empty.
	ErrPassphrase = errors.New("wrong passphrase")

	// ErrToken is returned for text that is no token, or not a whole one.
	ErrToken = errors.New("not a valid token")
	// ErrTokenRefused is returned to a joiner whose token the inviter does not
	// know: another cluster's, another inviter's, or one that was never written.
	ErrTokenRefused = errors.New("token was refused")
	// ErrTokenExpired is returned to a joiner that comes too late by the
	// inviter's clock.
	ErrTokenExpired = errors.New("token has expired")
	// ErrTokenUsed is returned to a joiner whose token other nodes have used as
	// often as it allows.
	ErrTokenUsed = errors.New("token was used")
	// ErrNameTaken is returned to a joiner whose name another member has.
	ErrNameTaken = errors.New("name is taken by another member")
	// ErrTooManyAttempts is returned to a joiner from whose address too many
	// attempts came within a minute.
	ErrTooManyAttempts = errors.New("too many attempts to join from this address")
	// ErrInviter is returned to a joiner when the inviter could not answer for a
	// reason of its own. Its log says which.
	ErrInviter = errors.New("inviter could not grant membership")

	// ErrClosed is returned by what was closed.
	ErrClosed = errors.New("closed")
)

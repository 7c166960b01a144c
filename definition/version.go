package definition

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// Hash is the SHA-256 of a definition's bytes. The zero Hash is not the hash of
// any content and stands for "absent".
type Hash [sha256.Size]byte

// HashOf returns the hash of content.
func HashOf(content []byte) Hash { return sha256.Sum256(content) }

// String returns the hash as lower-case base32.
func (h Hash) String() string { return idEncoding.EncodeToString(h[:]) }

// ChangeID names a change: the SHA-256 of the bytes of the element that holds it.
// Its text form is lower-case base32 without padding, 52 characters.
type ChangeID [sha256.Size]byte

// idEncoding is RFC 4648 base32 in lower case without padding: safe in keys,
// file names and shells, and free of characters that are easily confused.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ParseChangeID parses the text form of a change id. It accepts no other spelling
// than String's.
func ParseChangeID(s string) (ChangeID, error) {
	var id ChangeID
	b, err := idEncoding.DecodeString(s)
	if err == nil && len(b) == len(id) {
		id = ChangeID(b)
	}
	if id.String() != s { // the decoder skips line ends and ignores spare bits
		return ChangeID{}, fmt.Errorf("parse change id %q: want %d characters of base32", s, idEncoding.EncodedLen(len(id)))
	}
	return id, nil
}

// String returns the text form, 52 characters.
func (id ChangeID) String() string { return idEncoding.EncodeToString(id[:]) }

// Short returns the first 12 characters of the text form, for people.
func (id ChangeID) Short() string { return id.String()[:12] }

// IsZero reports whether id names no change.
func (id ChangeID) IsZero() bool { return id == ChangeID{} }

// MarshalText implements encoding.TextMarshaler.
func (id ChangeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ChangeID) UnmarshalText(b []byte) error {
	parsed, err := ParseChangeID(string(b))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Compare orders change ids by their bytes.
func (id ChangeID) Compare(other ChangeID) int { return bytes.Compare(id[:], other[:]) }

// Version names one edit inside one change.
type Version struct {
	Change ChangeID `json:"change"`
	Path   Path     `json:"path"`
}

// IsZero reports whether v names no version.
func (v Version) IsZero() bool { return v == Version{} }

// String returns PATH@CHANGE, the form that the command line takes.
func (v Version) String() string { return v.Path.String() + "@" + v.Change.String() }

// Compare orders versions by change id, then by path. It says nothing about
// which came first.
func (v Version) Compare(other Version) int {
	return cmp.Or(v.Change.Compare(other.Change), v.Path.Compare(other.Path))
}

// Edit is new bytes for one path, or its deletion, made on top of the versions
// that its author could see.
type Edit struct {
	Path    Path
	Parents []Version // of Path or of MovedFrom; empty for a first version

	Content []byte // the file's bytes, verbatim; nil if Deleted
	Deleted bool

	// Adopted marks a file that a joining node found on disk before its first
	// complete sync. It loses to any other head.
	Adopted bool
	// MovedFrom is the path that the same pass saw disappear with the same CAS
	// id or the same bytes; if the change deletes it, it is a rename, and concurrent
	// edits of that path follow. It is also the path of those among the parents that
	// followed one. Zero if there is neither.
	MovedFrom Path
	// Resolves closes the conflicts of the path's history so far.
	Resolves bool
	// Resolved closes single conflicts of it and leaves the others open. It is not used together
	// with Resolves.
	Resolved []ResolvedConflict
	// Returned marks a save that took the file back to the bytes that another's edit had
	// replaced shortly before; see ConflictReverted.
	Returned bool
}

// ResolvedConflict names a conflict: its two sides, and its field.
type ResolvedConflict struct {
	Lost, Stands ChangeID
	Pointer      string
}

// Compare orders them by change ids, then by pointer.
func (r ResolvedConflict) Compare(other ResolvedConflict) int {
	return cmp.Or(r.Lost.Compare(other.Lost), r.Stands.Compare(other.Stands), cmp.Compare(r.Pointer, other.Pointer))
}

// Draft is a change that nobody has signed yet: an atomic batch of edits.
type Draft struct {
	Edits []Edit
	Note  string // why, free text
	Actor string // who at the keyboard, free text; only the node's key is proof
}

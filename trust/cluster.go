package trust

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// ClusterID names a cluster: the SHA-256 of its authority's public key in
// libp2p's encoding. Its text form is lower-case base32 without padding, 52
// characters. The zero ClusterID names no cluster.
type ClusterID [sha256.Size]byte

// idEncoding is RFC 4648 base32 in lower case without padding, the same text
// form that change ids have.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ClusterOf returns the id of the cluster whose authority holds the private part
// of this key.
func ClusterOf(authority crypto.PubKey) (ClusterID, error) {
	raw, err := marshalKey(authority)
	if err != nil {
		return ClusterID{}, fmt.Errorf("name cluster of authority: %w", err)
	}
	return sha256.Sum256(raw), nil
}

// ParseClusterID parses the text form of a cluster id.
func ParseClusterID(s string) (ClusterID, error) {
	var id ClusterID
	b, err := idEncoding.DecodeString(s)
	if err != nil || len(b) != len(id) || idEncoding.EncodeToString(b) != s {
		return ClusterID{}, fmt.Errorf("parse cluster id %q: want %d characters of base32", s, idEncoding.EncodedLen(len(id)))
	}
	copy(id[:], b)
	return id, nil
}

// String returns the text form, 52 characters.
func (id ClusterID) String() string { return idEncoding.EncodeToString(id[:]) }

// IsZero reports whether id names no cluster.
func (id ClusterID) IsZero() bool { return id == ClusterID{} }

// MarshalText implements encoding.TextMarshaler.
func (id ClusterID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ClusterID) UnmarshalText(b []byte) error {
	parsed, err := ParseClusterID(string(b))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

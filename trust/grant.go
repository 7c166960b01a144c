package trust

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust/trustpb"
)

// Bounds of a grant.
const (
	maxName  = 63
	maxGlobs = 64
	maxGlob  = 256 // bytes
)

// Grant is the authority's statement that a node key is a member of the cluster.
type Grant struct {
	Cluster ClusterID
	After   []cid.Cid // see Header
	Member  peer.ID   // Ed25519
	Name    string    // see CheckName; unique among the members by the authority's care
	Role    Role
	// Paths are doublestar globs over whole paths. A writer may edit the paths
	// that at least one of them matches, and all paths if there are none.
	Paths []string
}

// Allows reports whether the grant lets its member edit a path.
func (g Grant) Allows(p definition.Path) bool {
	if g.Role != RoleWriter || p.IsZero() {
		return false
	}
	if len(g.Paths) == 0 {
		return true
	}
	return slices.ContainsFunc(g.Paths, func(glob string) bool {
		ok, err := doublestar.Match(glob, p.String())
		return err == nil && ok
	})
}

// Marshal returns the canonical encoding. Errors wrap ErrEncoding and say which
// value is against the rules.
func (g Grant) Marshal() ([]byte, error) {
	b, err := g.marshal()
	if err != nil {
		return nil, fmt.Errorf("marshal grant: %w", err)
	}
	return b, nil
}

func (g Grant) marshal() ([]byte, error) {
	cluster, after, err := marshalHeader(g.Cluster, g.After)
	if err != nil {
		return nil, err
	}
	member, err := marshalMember(g.Member)
	if err != nil {
		return nil, err
	}
	if err := CheckName(g.Name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	if g.Role != RoleReader && g.Role != RoleWriter {
		return nil, fmt.Errorf("%w: no such role", ErrEncoding)
	}
	if err := CheckPaths(g.Paths); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return marshal(&trustpb.Grant{
		Cluster: cluster,
		After:   after,
		Member:  member,
		Name:    g.Name,
		Role:    trustpb.Role(g.Role),
		Paths:   g.Paths,
	})
}

// ParseGrant parses the payload of an envelope of KindGrant. It accepts only the
// canonical encoding of a valid grant. Errors wrap ErrEncoding.
func ParseGrant(payload []byte) (Grant, error) {
	g, err := parseGrant(payload)
	if err != nil {
		return Grant{}, fmt.Errorf("parse grant: %w", err)
	}
	return g, nil
}

func parseGrant(payload []byte) (Grant, error) {
	var pb trustpb.Grant
	if err := proto.Unmarshal(payload, &pb); err != nil {
		return Grant{}, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	h, err := parseHeader(pb.GetCluster(), pb.GetAfter())
	if err != nil {
		return Grant{}, err
	}
	member, err := parseMember(pb.GetMember())
	if err != nil {
		return Grant{}, err
	}
	role, err := parseEnum[Role](pb.GetRole())
	if err != nil {
		return Grant{}, err
	}
	g := Grant{
		Cluster: h.Cluster,
		After:   h.After,
		Member:  member,
		Name:    pb.GetName(),
		Role:    role,
		Paths:   pb.GetPaths(),
	}
	return g, checkCanonical(g.marshal, payload)
}

// CheckName returns an error that says what a node's name must look like, or nil:
// 1 to 63 characters of a-z, A-Z, 0-9, '-', '_' and '.', the first a letter or a
// digit.
func CheckName(name string) error {
	ok := len(name) >= 1 && len(name) <= maxName
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		ok = ok && (letter || i > 0 && (c == '-' || c == '_' || c == '.'))
	}
	if !ok {
		return fmt.Errorf("name %.80q: want 1 to %d letters, digits, '-', '_' or '.', the first a letter or a digit", name, maxName)
	}
	return nil
}

// CheckPaths returns an error that names the first glob that no grant can hold,
// or nil.
func CheckPaths(globs []string) error {
	if len(globs) > maxGlobs {
		return fmt.Errorf("%d path globs: at most %d are allowed", len(globs), maxGlobs)
	}
	for i, glob := range globs {
		if glob == "" || len(glob) > maxGlob || !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("path glob %.80q: want a valid pattern of at most %d bytes", glob, maxGlob)
		}
		if slices.Contains(globs[:i], glob) {
			return fmt.Errorf("path glob %.80q comes twice", glob)
		}
	}
	return nil
}

// parseEnum turns a wire enum into its type without letting a large value wrap
// into a valid one. Whether there is such a value is checked on encoding again.
func parseEnum[T ~uint8, E ~int32](e E) (T, error) {
	if e < 0 || e > 255 {
		return 0, fmt.Errorf("%w: value %d of an enumeration", ErrEncoding, int32(e))
	}
	return T(e), nil
}

// checkCanonical encodes a parsed statement again, which applies every rule, and
// wants the very bytes that were parsed.
func checkCanonical(marshal func() ([]byte, error), payload []byte) error {
	again, err := marshal()
	if err != nil {
		return err
	}
	if !bytes.Equal(again, payload) {
		return fmt.Errorf("%w: not canonical", ErrEncoding)
	}
	return nil
}

// OpenGrant opens an envelope that is shown as a grant for a node: by the
// authority, of its cluster, for that node. Whether it was revoked is another
// question. Errors wrap ErrEncoding, ErrSignature or ErrForeign.
func OpenGrant(envelope []byte, authority crypto.PubKey, member peer.ID) (Grant, error) {
	cluster, err := ClusterOf(authority)
	if err != nil {
		return Grant{}, fmt.Errorf("open grant: %w", err)
	}
	env, err := OpenEnvelope(envelope)
	if err != nil {
		return Grant{}, err
	}
	if env.Kind != KindGrant {
		return Grant{}, fmt.Errorf("open grant: %w: it is no grant", ErrForeign)
	}
	if !env.Author.MatchesPublicKey(authority) {
		return Grant{}, fmt.Errorf("open grant: %w: not signed by the authority", ErrForeign)
	}
	g, err := ParseGrant(env.Payload)
	if err != nil {
		return Grant{}, err
	}
	if g.Cluster != cluster {
		return Grant{}, fmt.Errorf("open grant: %w: it names another cluster", ErrForeign)
	}
	if g.Member != member {
		return Grant{}, fmt.Errorf("open grant: %w: it names another node", ErrForeign)
	}
	return g, nil
}

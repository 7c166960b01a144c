package trust

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust/trustpb"
)

// maxReason bounds the reason of a revocation in bytes.
const maxReason = 1024

// RevocationMode says what becomes of the changes that a revoked member made
// before. The zero mode is none.
type RevocationMode uint8

const (
	// ModeKeep lets the changes up to the revocation's LastChange count.
	ModeKeep RevocationMode = 1
	// ModePurge lets none of the member's changes count.
	ModePurge RevocationMode = 2
)

// ParseRevocationMode parses "keep" or "purge".
func ParseRevocationMode(s string) (RevocationMode, error) {
	for _, m := range []RevocationMode{ModeKeep, ModePurge} {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, fmt.Errorf("parse revocation mode %q: want keep or purge", s)
}

// String returns "keep" or "purge".
func (m RevocationMode) String() string {
	switch m {
	case ModeKeep:
		return "keep"
	case ModePurge:
		return "purge"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// MarshalText implements encoding.TextMarshaler.
func (m RevocationMode) MarshalText() ([]byte, error) {
	if _, err := ParseRevocationMode(m.String()); err != nil {
		return nil, err
	}
	return []byte(m.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *RevocationMode) UnmarshalText(b []byte) error {
	parsed, err := ParseRevocationMode(string(b))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// Revocation is the authority's statement that a node key is a member no more. A
// revoked key is never granted again.
type Revocation struct {
	Cluster ClusterID
	After   []cid.Cid // see Header
	Member  peer.ID   // Ed25519
	// LastChange is the member's last change that keeps its effect under
	// ModeKeep; those before it in the author's chain keep theirs. Zero if none
	// does.
	LastChange definition.ChangeID
	Mode       RevocationMode
	// Reason is free text for people: at most 1,024 bytes of UTF-8 without
	// control characters.
	Reason string
}

// Marshal returns the canonical encoding. Errors wrap ErrEncoding and say which
// value is against the rules.
func (r Revocation) Marshal() ([]byte, error) {
	b, err := r.marshal()
	if err != nil {
		return nil, fmt.Errorf("marshal revocation: %w", err)
	}
	return b, nil
}

func (r Revocation) marshal() ([]byte, error) {
	cluster, after, err := marshalHeader(r.Cluster, r.After)
	if err != nil {
		return nil, err
	}
	member, err := marshalMember(r.Member)
	if err != nil {
		return nil, err
	}
	if r.Mode != ModeKeep && r.Mode != ModePurge {
		return nil, fmt.Errorf("%w: no such revocation mode", ErrEncoding)
	}
	if len(r.Reason) > maxReason || !utf8.ValidString(r.Reason) || strings.ContainsFunc(r.Reason, unicode.IsControl) {
		return nil, fmt.Errorf("%w: reason: want at most %d bytes of text without control characters", ErrEncoding, maxReason)
	}
	pb := &trustpb.Revocation{
		Cluster: cluster,
		After:   after,
		Member:  member,
		Mode:    trustpb.RevocationMode(r.Mode),
		Reason:  r.Reason,
	}
	if !r.LastChange.IsZero() {
		pb.LastChange = r.LastChange[:]
	}
	return marshal(pb)
}

// ParseRevocation parses the payload of an envelope of KindRevocation. It accepts
// only the canonical encoding of a valid revocation. Errors wrap ErrEncoding.
func ParseRevocation(payload []byte) (Revocation, error) {
	r, err := parseRevocation(payload)
	if err != nil {
		return Revocation{}, fmt.Errorf("parse revocation: %w", err)
	}
	return r, nil
}

func parseRevocation(payload []byte) (Revocation, error) {
	var pb trustpb.Revocation
	if err := proto.Unmarshal(payload, &pb); err != nil {
		return Revocation{}, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	h, err := parseHeader(pb.GetCluster(), pb.GetAfter())
	if err != nil {
		return Revocation{}, err
	}
	member, err := parseMember(pb.GetMember())
	if err != nil {
		return Revocation{}, err
	}
	mode, err := parseEnum[RevocationMode](pb.GetMode())
	if err != nil {
		return Revocation{}, err
	}
	r := Revocation{Cluster: h.Cluster, After: h.After, Member: member, Mode: mode, Reason: pb.GetReason()}
	if last := pb.GetLastChange(); len(last) != 0 && len(last) != len(r.LastChange) {
		return Revocation{}, fmt.Errorf("%w: last change has %d bytes", ErrEncoding, len(last))
	}
	copy(r.LastChange[:], pb.GetLastChange())
	return r, checkCanonical(r.marshal, payload)
}

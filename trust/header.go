package trust

import (
	"bytes"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/trust/trustpb"
)

// MaxAfter is the largest number of blocks that one element links to.
const MaxAfter = 512

// Header is what the payload of every kind of envelope begins with, kinds of
// later versions included.
type Header struct {
	Cluster ClusterID
	// After are the CIDs that the element's block links to: strictly ascending
	// by their bytes, CIDv1, dag-pb, SHA-256, at most MaxAfter.
	After []cid.Cid
}

// ParseHeader reads the header of a payload of any kind and checks it. For a kind
// that this version does not know it is all that can be said about the payload.
// Errors wrap ErrEncoding.
func ParseHeader(payload []byte) (Header, error) {
	var pb trustpb.Header
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(payload, &pb); err != nil {
		return Header{}, fmt.Errorf("parse header: %w: %w", ErrEncoding, err)
	}
	h, err := parseHeader(pb.GetCluster(), pb.GetAfter())
	if err != nil {
		return Header{}, fmt.Errorf("parse header: %w", err)
	}
	// What lies in front must be the canonical header: a second field 1 or a
	// link behind other fields would be read differently by a stricter parser.
	front, err := marshal(&pb)
	if err != nil {
		return Header{}, fmt.Errorf("parse header: %w", err)
	}
	rest, ok := bytes.CutPrefix(payload, front)
	if !ok {
		return Header{}, fmt.Errorf("parse header: %w: not canonical", ErrEncoding)
	}
	for len(rest) > 0 {
		num, _, n := protowire.ConsumeField(rest)
		if n < 0 || num <= 2 {
			return Header{}, fmt.Errorf("parse header: %w: not canonical", ErrEncoding)
		}
		rest = rest[n:]
	}
	return h, nil
}

// MarshalAfter returns the wire form of an element's links, and checks them as
// ParseAfter does.
func MarshalAfter(after []cid.Cid) ([][]byte, error) {
	if len(after) == 0 {
		return nil, nil
	}
	raw := make([][]byte, len(after))
	for i, c := range after {
		raw[i] = c.Bytes()
	}
	if err := checkAfter(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// ParseAfter parses and checks the wire form of an element's links. Errors wrap
// ErrEncoding.
func ParseAfter(raw [][]byte) ([]cid.Cid, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if err := checkAfter(raw); err != nil {
		return nil, err
	}
	after := make([]cid.Cid, len(raw))
	for i, b := range raw {
		c, err := cid.Cast(b)
		if err != nil {
			return nil, fmt.Errorf("%w: link %d: %w", ErrEncoding, i, err)
		}
		after[i] = c
	}
	return after, nil
}

// linkPrefix begins the bytes of each CIDv1 of a dag-pb block by SHA-256.
var linkPrefix = [...]byte{1, cid.DagProtobuf, multihash.SHA2_256, 32}

func checkAfter(raw [][]byte) error {
	if len(raw) > MaxAfter {
		return fmt.Errorf("%w: %d links, at most %d are allowed", ErrEncoding, len(raw), MaxAfter)
	}
	for i, b := range raw {
		if len(b) != len(linkPrefix)+32 || !bytes.HasPrefix(b, linkPrefix[:]) {
			return fmt.Errorf("%w: link %d is no CIDv1 of a dag-pb block by SHA-256", ErrEncoding, i)
		}
		if i > 0 && bytes.Compare(raw[i-1], b) >= 0 {
			return fmt.Errorf("%w: links are not strictly ascending", ErrEncoding)
		}
	}
	return nil
}

func parseHeader(cluster []byte, after [][]byte) (Header, error) {
	var h Header
	if len(cluster) != len(h.Cluster) {
		return Header{}, fmt.Errorf("%w: cluster id has %d bytes", ErrEncoding, len(cluster))
	}
	copy(h.Cluster[:], cluster)
	if h.Cluster.IsZero() {
		return Header{}, fmt.Errorf("%w: cluster id is zero", ErrEncoding)
	}
	var err error
	h.After, err = ParseAfter(after)
	return h, err
}

// marshalHeader is the inverse of parseHeader, with the same checks.
func marshalHeader(cluster ClusterID, after []cid.Cid) ([]byte, [][]byte, error) {
	if cluster.IsZero() {
		return nil, nil, fmt.Errorf("%w: cluster id is zero", ErrEncoding)
	}
	raw, err := MarshalAfter(after)
	return cluster[:], raw, err
}

// marshal is the one encoding of a message.
func marshal(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return b, nil
}

// marshalKey returns libp2p's encoding of a public key, Ed25519 only.
func marshalKey(key crypto.PubKey) ([]byte, error) {
	if key == nil || key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("%w: key is not Ed25519", ErrEncoding)
	}
	return crypto.MarshalPublicKey(key)
}

// marshalMember returns the public key that a node's peer id holds.
func marshalMember(id peer.ID) ([]byte, error) {
	key, err := id.ExtractPublicKey()
	if err != nil {
		return nil, fmt.Errorf("%w: member: %w", ErrEncoding, err)
	}
	raw, err := marshalKey(key)
	if err != nil {
		return nil, fmt.Errorf("member: %w", err)
	}
	if again, err := peer.IDFromPublicKey(key); err != nil || again != id {
		return nil, fmt.Errorf("%w: member's peer id is not canonical", ErrEncoding)
	}
	return raw, nil
}

// parseMember is the inverse of marshalMember. That the bytes are canonical is
// seen when the whole statement is encoded again.
func parseMember(raw []byte) (peer.ID, error) {
	key, err := crypto.UnmarshalPublicKey(raw)
	if err != nil {
		return "", fmt.Errorf("%w: member: %w", ErrEncoding, err)
	}
	if key.Type() != crypto.Ed25519 {
		return "", fmt.Errorf("%w: member's key is not Ed25519", ErrEncoding)
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("%w: member: %w", ErrEncoding, err)
	}
	return id, nil
}

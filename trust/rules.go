package trust

import (
	"fmt"

	"github.com/ipfs/go-cid"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/trust/trustpb"
)

// Rules is the authority's statement that a version of the merge rules is in
// force: parsers, merges and Unicode tables. The highest version in the set wins.
type Rules struct {
	Cluster ClusterID
	After   []cid.Cid // see Header
	Merge   uint32    // from 1
}

// Marshal returns the canonical encoding. Errors wrap ErrEncoding and say which
// value is against the rules.
func (r Rules) Marshal() ([]byte, error) {
	b, err := r.marshal()
	if err != nil {
		return nil, fmt.Errorf("marshal rules: %w", err)
	}
	return b, nil
}

func (r Rules) marshal() ([]byte, error) {
	cluster, after, err := marshalHeader(r.Cluster, r.After)
	if err != nil {
		return nil, err
	}
	if r.Merge == 0 {
		return nil, fmt.Errorf("%w: merge version is zero", ErrEncoding)
	}
	return marshal(&trustpb.Rules{Cluster: cluster, After: after, Merge: r.Merge})
}

// ParseRules parses the payload of an envelope of KindRules. It accepts only the
// canonical encoding of valid rules. Errors wrap ErrEncoding.
func ParseRules(payload []byte) (Rules, error) {
	r, err := parseRules(payload)
	if err != nil {
		return Rules{}, fmt.Errorf("parse rules: %w", err)
	}
	return r, nil
}

func parseRules(payload []byte) (Rules, error) {
	var pb trustpb.Rules
	if err := proto.Unmarshal(payload, &pb); err != nil {
		return Rules{}, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	h, err := parseHeader(pb.GetCluster(), pb.GetAfter())
	if err != nil {
		return Rules{}, err
	}
	r := Rules{Cluster: h.Cluster, After: h.After, Merge: pb.GetMerge()}
	return r, checkCanonical(r.marshal, payload)
}

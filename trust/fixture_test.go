package trust_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"

	"github.com/starling-sync/starling/trust"
)

// keyOf returns the same Ed25519 key for the same seed.
func keyOf(tb testing.TB, seed byte) crypto.PrivKey {
	tb.Helper()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func peerOf(tb testing.TB, key crypto.PrivKey) peer.ID {
	tb.Helper()
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func clusterOf(tb testing.TB, authority crypto.PrivKey) trust.ClusterID {
	tb.Helper()
	id, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// linksOf returns n links in the order that statements want.
func linksOf(n int) []cid.Cid {
	links := make([]cid.Cid, n)
	for i := range links {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		mh, err := multihash.Encode(sum[:], multihash.SHA2_256)
		if err != nil {
			panic(err)
		}
		links[i] = cid.NewCidV1(cid.DagProtobuf, mh)
	}
	slices.SortFunc(links, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return links
}

// grantFor seals a grant of the authority for a member.
func grantFor(tb testing.TB, authority crypto.PrivKey, member peer.ID, name string) []byte {
	tb.Helper()
	payload, err := trust.Grant{
		Cluster: clusterOf(tb, authority),
		Member:  member,
		Name:    name,
		Role:    trust.RoleWriter,
	}.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	env, err := trust.Seal(authority, trust.KindGrant, payload)
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

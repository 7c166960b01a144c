package trust

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/libp2p/go-libp2p/core/peer"
)

// proofOf is what a joiner shows instead of a token's secret. It binds the two
// keys that the connection has authenticated, so it is worth nothing to anybody
// who relays or replays it, and to another inviter or cluster. Each part has its
// length before it, so that no two lists of parts look alike.
func proofOf(secret []byte, joiner, inviter peer.ID, cluster ClusterID) []byte {
	mac := hmac.New(sha256.New, secret)
	for _, part := range [...][]byte{[]byte(JoinProtocol), []byte(joiner), []byte(inviter), cluster[:]} {
		var length [binary.MaxVarintLen64]byte
		mac.Write(length[:binary.PutUvarint(length[:], uint64(len(part)))])
		mac.Write(part)
	}
	return mac.Sum(nil)
}

package trust

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	msmux "github.com/multiformats/go-multistream"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/trust/trustpb"
)

// JoinProtocol is the stream protocol by which a node that holds a token becomes
// a member. It is served to non-members.
const JoinProtocol protocol.ID = "/starling/0/join/1"

const (
	maxJoinMessage = 64 << 10
	joinTimeout    = 30 * time.Second // for the whole exchange
)

// Welcome is what a new member begins with.
type Welcome struct {
	// Grant is the envelope of the node's grant.
	Grant []byte
	// Heads are the granter's heads, the grant's own block among them: the first
	// sync is complete when their ancestry is there.
	Heads []cid.Cid
}

// Join makes this host's key a member: it dials the inviter, shows that it holds
// the token's secret, and takes the grant for the given name, which it verifies
// against the authority in the token. The host must be on the token's private
// network. Joining again with the same key and token gives the same grant, so a
// Join whose answer was lost can be repeated.
//
// It blocks for at most 30 seconds. Errors wrap ErrTokenRefused,
// ErrTokenExpired, ErrTokenUsed, ErrNameTaken, ErrTooManyAttempts or ErrInviter if
// the inviter said no; ErrForeign, ErrEncoding or ErrSignature if its answer proves
// nothing; else they are the network's.
func Join(ctx context.Context, h host.Host, t Token, name string) (Welcome, error) {
	w, err := join(ctx, h, t, name)
	if err != nil {
		return Welcome{}, fmt.Errorf("join: %w", err)
	}
	return w, nil
}

func join(ctx context.Context, h host.Host, t Token, name string) (Welcome, error) {
	if err := t.check(); err != nil {
		return Welcome{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := CheckName(name); err != nil {
		return Welcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if err := h.Connect(ctx, t.AddrInfo()); err != nil {
		return Welcome{}, fmt.Errorf("dial inviter: %w", err)
	}
	s, err := h.NewStream(ctx, t.Inviter, JoinProtocol)
	if unsupported := (msmux.ErrNotSupported[protocol.ID]{}); errors.As(err, &unsupported) {
		return Welcome{}, fmt.Errorf("%w: %s does not hold the authority key now", ErrInviter, t.Inviter)
	}
	if err != nil {
		return Welcome{}, fmt.Errorf("ask inviter: %w", err)
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()

	ask := &trustpb.JoinRequest{Proof: proofOf(t.Secret[:], h.ID(), t.Inviter, t.Cluster), Name: name}
	if err := writeMessage(s, ask); err != nil {
		return Welcome{}, fmt.Errorf("ask inviter: %w", cmp.Or(context.Cause(ctx), err))
	}
	var answer trustpb.JoinResponse
	if err := readMessage(s, &answer); err != nil {
		return Welcome{}, fmt.Errorf("read inviter's answer: %w", cmp.Or(context.Cause(ctx), err))
	}
	if err := errorOf(answer.GetResult()); err != nil {
		return Welcome{}, err
	}
	if _, err := OpenGrant(answer.GetGrant(), t.Authority, h.ID()); err != nil {
		return Welcome{}, err
	}
	heads, err := ParseAfter(answer.GetHeads())
	if err != nil {
		return Welcome{}, fmt.Errorf("heads: %w", err)
	}
	return Welcome{Grant: answer.GetGrant(), Heads: heads}, nil
}

// resultOf and errorOf carry the inviter's errors over the wire.
func resultOf(err error) trustpb.JoinResult {
	switch {
	case err == nil:
		return trustpb.JoinResult_JOIN_RESULT_WELCOME
	case errors.Is(err, ErrTokenRefused):
		return trustpb.JoinResult_JOIN_RESULT_REFUSED
	case errors.Is(err, ErrTokenExpired):
		return trustpb.JoinResult_JOIN_RESULT_EXPIRED
	case errors.Is(err, ErrTokenUsed):
		return trustpb.JoinResult_JOIN_RESULT_USED
	case errors.Is(err, ErrNameTaken):
		return trustpb.JoinResult_JOIN_RESULT_NAME_TAKEN
	case errors.Is(err, ErrTooManyAttempts):
		return trustpb.JoinResult_JOIN_RESULT_TOO_MANY_ATTEMPTS
	}
	return trustpb.JoinResult_JOIN_RESULT_FAILED
}

func errorOf(r trustpb.JoinResult) error {
	switch r {
	case trustpb.JoinResult_JOIN_RESULT_WELCOME:
		return nil
	case trustpb.JoinResult_JOIN_RESULT_REFUSED:
		return ErrTokenRefused
	case trustpb.JoinResult_JOIN_RESULT_EXPIRED:
		return ErrTokenExpired
	case trustpb.JoinResult_JOIN_RESULT_USED:
		return ErrTokenUsed
	case trustpb.JoinResult_JOIN_RESULT_NAME_TAKEN:
		return ErrNameTaken
	case trustpb.JoinResult_JOIN_RESULT_TOO_MANY_ATTEMPTS:
		return ErrTooManyAttempts
	}
	return ErrInviter
}

func writeMessage(s network.Stream, m proto.Message) error {
	if size := proto.Size(m); size > maxJoinMessage {
		return fmt.Errorf("message has %d bytes, at most %d are allowed", size, maxJoinMessage)
	}
	_, err := protodelim.MarshalTo(s, m)
	return err
}

// readMessage reads one message. It may read beyond it, so it is used once on a
// stream and direction.
func readMessage(s network.Stream, m proto.Message) error {
	r := bufio.NewReader(io.LimitReader(s, maxJoinMessage+10))
	return protodelim.UnmarshalOptions{MaxSize: maxJoinMessage}.UnmarshalFrom(r, m)
}

package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/trust/trustpb"
)

const (
	tokenPrefix   = "starling1."
	tokenChecksum = 4       // bytes of SHA-256 before the rest
	maxToken      = 8 << 10 // characters
	maxTokenAddrs = 32
)

// Token is what an operator hands to a new node so that it can join. It holds two
// secrets, the cluster's pre-shared key and the invitation's own; printing or
// logging a Token never shows them, only Encode does.
type Token struct {
	// Cluster is ClusterOf(Authority).
	Cluster   ClusterID
	Authority crypto.PubKey
	PSK       pnet.PSK // of the cluster's private network
	Inviter   peer.ID
	Addrs     []multiaddr.Multiaddr // of the inviter, without its peer id; at least one
	Secret    [16]byte              // of the Invitation
	Role      Role
	Uses      int       // how many nodes may join with it
	Expires   time.Time // by the authority's clock; whole seconds
}

// Encode returns the token's text, one line without white space. It shows the
// secrets: it belongs into a file with mode 0600, never into arguments or logs.
func (t Token) Encode() (string, error) {
	if err := t.check(); err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	authority, err := marshalKey(t.Authority)
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	pb := &trustpb.Token{
		Authority: authority,
		Psk:       t.PSK,
		Inviter:   []byte(t.Inviter),
		Secret:    t.Secret[:],
		Role:      trustpb.Role(t.Role),
		Uses:      uint32(t.Uses),
		Expires:   t.Expires.Unix(),
	}
	for _, a := range t.Addrs {
		pb.Addrs = append(pb.Addrs, a.Bytes())
	}
	body, err := marshal(pb)
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	sum := sha256.Sum256(body)
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(append(sum[:tokenChecksum], body...))
	if len(text) > maxToken {
		return "", fmt.Errorf("encode token: %d characters, at most %d are allowed", len(text), maxToken)
	}
	return text, nil
}

// ParseToken parses the text of a token. White space anywhere in it is ignored,
// so a token that a terminal or a mail has wrapped still works. Errors wrap
// ErrToken, say what to do, and quote nothing of the text.
func ParseToken(text []byte) (Token, error) {
	if len(text) > 2*maxToken {
		return Token{}, fmt.Errorf("parse token: %w: it is too long", ErrToken)
	}
	s := strings.Join(strings.Fields(string(text)), "")
	encoded, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok {
		if strings.HasPrefix(s, "starling") {
			return Token{}, fmt.Errorf("parse token: %w: it is damaged or made by another version of Starling", ErrToken)
		}
		return Token{}, fmt.Errorf("parse token: %w: it does not begin with %q", ErrToken, tokenPrefix)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) < tokenChecksum {
		return Token{}, fmt.Errorf("parse token: %w: it is incomplete or damaged: copy the whole line", ErrToken)
	}
	sum, body := raw[:tokenChecksum], raw[tokenChecksum:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:tokenChecksum]) {
		return Token{}, fmt.Errorf("parse token: %w: it is incomplete or damaged: copy the whole line", ErrToken)
	}
	t, err := parseToken(body)
	if err != nil {
		return Token{}, fmt.Errorf("parse token: %w: %w", ErrToken, err)
	}
	return t, nil
}

func parseToken(body []byte) (Token, error) {
	var pb trustpb.Token
	if err := proto.Unmarshal(body, &pb); err != nil {
		return Token{}, fmt.Errorf("its content has no known form")
	}
	authority, err := crypto.UnmarshalPublicKey(pb.GetAuthority())
	if err != nil {
		return Token{}, fmt.Errorf("its authority is no public key")
	}
	cluster, err := ClusterOf(authority)
	if err != nil {
		return Token{}, fmt.Errorf("its authority is no Ed25519 key")
	}
	t := Token{
		Cluster:   cluster,
		Authority: authority,
		PSK:       pb.GetPsk(),
		Inviter:   peer.ID(pb.GetInviter()),
		Role:      Role(min(pb.GetRole(), 255)),
		Uses:      int(pb.GetUses()),
		Expires:   time.Unix(pb.GetExpires(), 0),
	}
	if copy(t.Secret[:], pb.GetSecret()) != len(t.Secret) || len(pb.GetSecret()) != len(t.Secret) {
		return Token{}, fmt.Errorf("its secret has not %d bytes", len(t.Secret))
	}
	if len(pb.GetAddrs()) > maxTokenAddrs {
		return Token{}, fmt.Errorf("it has more than %d addresses", maxTokenAddrs)
	}
	for _, b := range pb.GetAddrs() {
		a, err := multiaddr.NewMultiaddrBytes(b)
		if err != nil {
			return Token{}, fmt.Errorf("an address in it is no multiaddr")
		}
		t.Addrs = append(t.Addrs, a)
	}
	return t, t.check()
}

// check tells what a token lacks.
func (t Token) check() error {
	cluster, err := ClusterOf(t.Authority)
	if err != nil {
		return err
	}
	if t.Cluster != cluster {
		return fmt.Errorf("its cluster is not that of its authority")
	}
	if len(t.PSK) != pskSize {
		return fmt.Errorf("its pre-shared key has not %d bytes", pskSize)
	}
	if _, err := marshalMember(t.Inviter); err != nil {
		return fmt.Errorf("its inviter is no peer id of an Ed25519 key")
	}
	if len(t.Addrs) == 0 || len(t.Addrs) > maxTokenAddrs {
		return fmt.Errorf("it has %d addresses of the inviter, want 1 to %d", len(t.Addrs), maxTokenAddrs)
	}
	if t.Role != RoleReader && t.Role != RoleWriter {
		return fmt.Errorf("it has no role that this version of Starling knows")
	}
	if t.Uses < 1 || t.Uses > maxUses {
		return fmt.Errorf("it allows %d uses, want 1 to %d", t.Uses, maxUses)
	}
	return nil
}

// AddrInfo returns the inviter as libp2p's dialers want it.
func (t Token) AddrInfo() peer.AddrInfo {
	return peer.AddrInfo{ID: t.Inviter, Addrs: t.Addrs}
}

// String describes the token without its secrets.
func (t Token) String() string {
	return fmt.Sprintf("token of cluster %s by %s for %d %s until %s",
		t.Cluster, t.Inviter, t.Uses, t.Role, t.Expires.UTC().Format(time.RFC3339))
}

// Format implements fmt.Formatter: every verb shows what String does.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue implements slog.LogValuer without the secrets.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText implements encoding.TextMarshaler without the secrets, so that a
// token inside another value that is written as JSON shows none. It is not the
// inverse of ParseToken; Encode is.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

package trust

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
)

// The kinds of envelopes that this version knows. Envelopes of other kinds can be
// opened too, so that elements of later versions can be admitted and passed on.
const (
	KindChange     = "starling/change/1"
	KindGrant      = "starling/grant/1"
	KindRevocation = "starling/revocation/1"
	KindRules      = "starling/rules/1"
)

// maxKind bounds a kind in bytes.
const maxKind = 64

var kindPattern = regexp.MustCompile(`^starling/[a-z]+/[1-9][0-9]*$`)

// Envelope is a payload, what kind it is of, and who signed it. On the wire it is
// a go-libp2p record.Envelope whose signature domain equals its payload type, the
// kind. Equal bytes on the wire are the only encoding of equal envelopes, and no
// relay can turn one into another: the encoding is canonical and Ed25519
// signatures are not malleable.
type Envelope struct {
	Kind    string
	Author  peer.ID
	Payload []byte
}

// Seal signs a payload of a kind with an Ed25519 key and returns the envelope's
// bytes.
func Seal(key crypto.PrivKey, kind string, payload []byte) ([]byte, error) {
	if err := checkKind(kind); err != nil {
		return nil, fmt.Errorf("seal envelope: %w", err)
	}
	if key == nil || key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("seal envelope: %w: key is not Ed25519", ErrEncoding)
	}
	env, err := record.Seal(&sealed{kind: kind, payload: payload}, key)
	if err != nil {
		return nil, fmt.Errorf("seal envelope: %w", err)
	}
	data, err := env.Marshal()
	if err != nil {
		return nil, fmt.Errorf("seal envelope: %w", err)
	}
	return data, nil
}

// OpenEnvelope parses an envelope and verifies its signature. Who the author is
// and whether the payload is right remains to be judged. The envelope keeps no
// reference to data. Errors wrap ErrEncoding or ErrSignature.
func OpenEnvelope(data []byte) (Envelope, error) {
	env, err := parseEnvelope(data, true)
	if err != nil {
		return Envelope{}, err
	}
	if _, err := record.ConsumeTypedEnvelope(data, &sealed{kind: env.Kind}); err != nil {
		if errors.Is(err, record.ErrInvalidSignature) {
			return Envelope{}, fmt.Errorf("open envelope: %w", ErrSignature)
		}
		return Envelope{}, fmt.Errorf("open envelope: %w: %w", ErrSignature, err)
	}
	return env, nil
}

// ParseEnvelope does what OpenEnvelope does, but trusts the signature and that the
// encoding is canonical. It serves bytes that were opened before and kept on the
// node's own disk. Errors wrap ErrEncoding.
func ParseEnvelope(data []byte) (Envelope, error) { return parseEnvelope(data, false) }

func parseEnvelope(data []byte, canonical bool) (Envelope, error) {
	env, err := record.UnmarshalEnvelope(data)
	if err != nil {
		return Envelope{}, fmt.Errorf("parse envelope: %w: %w", ErrEncoding, err)
	}
	if err := checkKind(string(env.PayloadType)); err != nil {
		return Envelope{}, fmt.Errorf("parse envelope: %w", err)
	}
	if env.PublicKey.Type() != crypto.Ed25519 {
		return Envelope{}, fmt.Errorf("parse envelope: %w: key is not Ed25519", ErrEncoding)
	}
	if canonical {
		again, err := env.Marshal()
		if err != nil {
			return Envelope{}, fmt.Errorf("parse envelope: %w: %w", ErrEncoding, err)
		}
		if !bytes.Equal(again, data) {
			return Envelope{}, fmt.Errorf("parse envelope: %w: not canonical", ErrEncoding)
		}
	}
	author, err := peer.IDFromPublicKey(env.PublicKey)
	if err != nil {
		return Envelope{}, fmt.Errorf("parse envelope: %w: %w", ErrEncoding, err)
	}
	return Envelope{Kind: string(env.PayloadType), Author: author, Payload: env.RawPayload}, nil
}

func checkKind(kind string) error {
	if kind == KindChange { // nearly all are
		return nil
	}
	if len(kind) > maxKind || !kindPattern.MatchString(kind) {
		return fmt.Errorf("%w: not a kind of envelope", ErrEncoding)
	}
	return nil
}

// sealed is a payload as go-libp2p's record package wants it. It is never
// registered there: envelopes are opened by their own kind.
type sealed struct {
	kind    string
	payload []byte
}

func (s *sealed) Domain() string                 { return s.kind }
func (s *sealed) Codec() []byte                  { return []byte(s.kind) }
func (s *sealed) MarshalRecord() ([]byte, error) { return s.payload, nil }
func (s *sealed) UnmarshalRecord(b []byte) error { s.payload = b; return nil }

package trust_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/starling-sync/starling/trust"
)

func TestEnvelopeRoundTrip(t *testing.T) {
	key := keyOf(t, 1)
	for _, kind := range []string{trust.KindChange, trust.KindGrant, "starling/later/12"} {
		data, err := trust.Seal(key, kind, []byte("payload"))
		if err != nil {
			t.Fatalf("Seal(%s): %v", kind, err)
		}
		got, err := trust.OpenEnvelope(data)
		if err != nil {
			t.Fatalf("OpenEnvelope(%s): %v", kind, err)
		}
		if got.Kind != kind || got.Author != peerOf(t, key) || string(got.Payload) != "payload" {
			t.Errorf("OpenEnvelope(%s) = %+v", kind, got)
		}
		parsed, err := trust.ParseEnvelope(data)
		if err != nil || parsed.Kind != got.Kind || parsed.Author != got.Author {
			t.Errorf("ParseEnvelope(%s) = %+v, %v", kind, parsed, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	for _, kind := range []string{"", "starling/change", "starling/Change/1", "starling/change/01", "other/change/1", "starling/change/1\n", "starling/" + strings.Repeat("a", 64) + "/1"} {
		if _, err := trust.Seal(keyOf(t, 1), kind, nil); !errors.Is(err, trust.ErrEncoding) {
			t.Errorf("Seal(kind %q): got %v, want ErrEncoding", kind, err)
		}
	}
	other, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.Seal(other, trust.KindChange, nil); !errors.Is(err, trust.ErrEncoding) {
		t.Errorf("Seal(secp256k1): got %v, want ErrEncoding", err)
	}
	if _, err := trust.Seal(nil, trust.KindChange, nil); !errors.Is(err, trust.ErrEncoding) {
		t.Errorf("Seal(nil): got %v, want ErrEncoding", err)
	}
}

func TestOpenEnvelopeRefuses(t *testing.T) {
	data, err := trust.Seal(keyOf(t, 1), trust.KindChange, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(from, to string) []byte {
		if !strings.Contains(string(data), from) || len(from) != len(to) {
			t.Fatalf("replace %q by %q: does not fit", from, to)
		}
		return []byte(strings.Replace(string(data), from, to, 1))
	}
	signatureTag := protowire.AppendTag(nil, 5, protowire.BytesType)
	foreign, err := trust.Seal(keyOf(t, 2), trust.KindChange, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	withoutSignature := data[:len(data)-66]
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, trust.ErrEncoding},
		{"truncated", data[:len(data)-1], trust.ErrEncoding},
		{"trailing unknown field", protowire.AppendVarint(protowire.AppendTag(slices.Clone(data), 9, protowire.VarintType), 1), trust.ErrEncoding},
		{"signature twice", append(slices.Clone(data), data[len(data)-66:]...), trust.ErrEncoding},
		{"no kind of Starling", replace("starling/change/1", "starlinX/change/1"), trust.ErrEncoding},
		{"another payload", replace("payload", "PAYLOAD"), trust.ErrSignature},
		{"another kind", replace("starling/change/1", "starling/change/2"), trust.ErrSignature},
		{"no signature", withoutSignature, trust.ErrSignature},
		{"short signature", protowire.AppendBytes(append(slices.Clone(withoutSignature), signatureTag...), make([]byte, 63)), trust.ErrSignature},
		{"signature of another key", append(slices.Clone(withoutSignature), foreign[len(foreign)-66:]...), trust.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := trust.OpenEnvelope(tt.data); !errors.Is(err, tt.want) {
				t.Errorf("OpenEnvelope: got %v, want %v", err, tt.want)
			}
		})
	}
	// Each single flipped bit is noticed.
	for i := range len(data) * 8 {
		bad := slices.Clone(data)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := trust.OpenEnvelope(bad); err == nil {
			t.Errorf("OpenEnvelope accepts the envelope with bit %d flipped", i)
		}
	}
}

func FuzzOpenEnvelope(f *testing.F) {
	for _, kind := range []string{trust.KindChange, trust.KindGrant} {
		data, err := trust.Seal(keyOf(f, 1), kind, []byte("payload"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(grantFor(f, keyOf(f, 1), peerOf(f, keyOf(f, 2)), "b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		env, err := trust.OpenEnvelope(data)
		if err != nil {
			if !errors.Is(err, trust.ErrEncoding) && !errors.Is(err, trust.ErrSignature) {
				t.Errorf("OpenEnvelope: error %v wraps no sentinel", err)
			}
			return
		}
		parsed, err := trust.ParseEnvelope(data)
		if err != nil || parsed.Author != env.Author || parsed.Kind != env.Kind {
			t.Errorf("ParseEnvelope = %+v, %v; OpenEnvelope = %+v", parsed, err, env)
		}
	})
}

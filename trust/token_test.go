package trust_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/trust"
)

func exampleToken(tb testing.TB) trust.Token {
	tb.Helper()
	authority := keyOf(tb, 1)
	tok := trust.Token{
		Cluster:   clusterOf(tb, authority),
		Authority: authority.GetPublic(),
		PSK:       bytes.Repeat([]byte{0xab}, 32),
		Inviter:   peerOf(tb, keyOf(tb, 2)),
		Addrs:     []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/192.0.2.1/tcp/4747"), multiaddr.StringCast("/dns4/a.example/tcp/4747")},
		Role:      trust.RoleWriter,
		Uses:      2,
		Expires:   time.Unix(1_800_000_000, 0),
	}
	copy(tok.Secret[:], bytes.Repeat([]byte{0xcd}, 16))
	return tok
}

func TestTokenRoundTrip(t *testing.T) {
	want := exampleToken(t)
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text, " \t\n") || !strings.HasPrefix(text, "starling1.") {
		t.Errorf("Encode: got %q, want one word that begins with starling1.", text)
	}
	wrapped := " \n" + text[:50] + "\r\n  " + text[50:100] + "\n" + text[100:] + "\n\n"
	for _, s := range []string{text, text + "\n", wrapped} {
		got, err := trust.ParseToken([]byte(s))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseToken: got %v, %v, want %v", got, err, want)
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	text := must(exampleToken(t).Encode())
	for i := range len(text) {
		if got, err := trust.ParseToken([]byte(text[:i])); !errors.Is(err, trust.ErrToken) {
			t.Errorf("ParseToken(first %d characters): got %v, %v, want ErrToken", i, got, err)
		}
	}
	for name, tt := range map[string]struct{ text, says string }{
		"truncated":     {text[:len(text)-9], "copy the whole line"},
		"later version": {strings.Replace(text, "starling1", "starling2", 1), "another version"},
		"something":     {"hello", "does not begin"},
		"too long":      {strings.Repeat("a", 100_000), "too long"},
		"changed":       {text[:60] + string(text[60]^1) + text[61:], "damaged"},
		"no body":       {"starling1." + base64.RawURLEncoding.EncodeToString([]byte{0xe3, 0xb0, 0xc4, 0x42}), "authority"},
	} {
		_, err := trust.ParseToken([]byte(tt.text))
		if !errors.Is(err, trust.ErrToken) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("ParseToken(%s): got %v, want ErrToken that says %q", name, err, tt.says)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*trust.Token){
		"no authority":    func(k *trust.Token) { k.Authority = nil },
		"another cluster": func(k *trust.Token) { k.Cluster[0]++ },
		"short PSK":       func(k *trust.Token) { k.PSK = k.PSK[:31] },
		"no inviter":      func(k *trust.Token) { k.Inviter = "" },
		"no address":      func(k *trust.Token) { k.Addrs = nil },
		"no role":         func(k *trust.Token) { k.Role = 0 },
		"no uses":         func(k *trust.Token) { k.Uses = 0 },
	} {
		tok := exampleToken(t)
		change(&tok)
		if _, err := tok.Encode(); err == nil {
			t.Errorf("Encode(%s): got nil, want an error", name)
		}
	}
}

// Whatever prints, logs or marshals a token shows no secret of it.
func TestTokenKeepsItsSecrets(t *testing.T) {
	tok := exampleToken(t)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", tok)
		fmt.Fprintf(&out, verb+"\n", &tok)
		fmt.Fprintf(&out, verb+"\n", struct{ T trust.Token }{tok})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", tok, "in", struct{ T trust.Token }{tok}, "p", &tok)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", tok, "in", struct{ T trust.Token }{tok}, "p", &tok)
	out.Write(must(json.Marshal(map[string]any{"t": tok})))
	out.WriteString(tok.String())
	got := strings.ToLower(out.String())
	for _, secret := range []string{
		hex.EncodeToString(tok.PSK[:4]), hex.EncodeToString(tok.Secret[:4]), "0xab", "0xcd", "171, 171", "171 171", "205 205", "205,205", "171,171",
		strings.ToLower(base64.StdEncoding.EncodeToString(tok.PSK[:3])), strings.ToLower(base64.StdEncoding.EncodeToString(tok.Secret[:3])),
	} {
		if strings.Contains(got, secret) {
			t.Errorf("output holds %q of a secret:\n%s", secret, got)
		}
	}
	if !strings.Contains(got, tok.Cluster.String()) {
		t.Errorf("output does not say of which cluster the token is:\n%s", got)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add([]byte(must(exampleToken(f).Encode())))
	f.Add([]byte("starling1."))
	f.Add(must(base64.RawURLEncoding.DecodeString(must(exampleToken(f).Encode())[len("starling1."):]))[4:])
	f.Fuzz(func(t *testing.T, data []byte) {
		// As a token, and as what stands behind a good checksum.
		sum := sha256.Sum256(data)
		sealed := "starling1." + base64.RawURLEncoding.EncodeToString(append(sum[:4], data...))
		for _, text := range [][]byte{data, []byte(sealed)} {
			tok, err := trust.ParseToken(text)
			if err != nil {
				if !errors.Is(err, trust.ErrToken) {
					t.Errorf("ParseToken: error %v does not wrap ErrToken", err)
				}
				continue
			}
			encoded, err := tok.Encode()
			if err != nil {
				t.Errorf("Encode what ParseToken returned: %v", err)
				continue
			}
			again, err := trust.ParseToken([]byte(encoded))
			if err != nil || !reflect.DeepEqual(again, tok) {
				t.Errorf("ParseToken(Encode()) = %v, %v, want %v", again, err, tok)
			}
		}
	})
}

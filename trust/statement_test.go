package trust_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
	"github.com/starling-sync/starling/trust/trustpb"
)

func exampleGrant(tb testing.TB) trust.Grant {
	tb.Helper()
	return trust.Grant{
		Cluster: clusterOf(tb, keyOf(tb, 1)),
		After:   linksOf(3),
		Member:  peerOf(tb, keyOf(tb, 2)),
		Name:    "node-b",
		Role:    trust.RoleWriter,
		Paths:   []string{"apps/**", "*.json"},
	}
}

func TestStatementsRoundTrip(t *testing.T) {
	g := exampleGrant(t)
	grants := []trust.Grant{g, {Cluster: g.Cluster, Member: g.Member, Name: "b", Role: trust.RoleReader}, {Cluster: g.Cluster, After: linksOf(trust.MaxAfter), Member: g.Member, Name: "b", Role: trust.RoleReader}}
	for _, want := range grants {
		got, err := trust.ParseGrant(must(want.Marshal()))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("grant: got %+v, %v, want %+v", got, err, want)
		}
	}
	for _, want := range []trust.Revocation{
		{Cluster: g.Cluster, After: g.After, Member: g.Member, LastChange: definition.ChangeID{1}, Mode: trust.ModeKeep, Reason: "left the team"},
		{Cluster: g.Cluster, Member: g.Member, Mode: trust.ModePurge},
	} {
		got, err := trust.ParseRevocation(must(want.Marshal()))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("revocation: got %+v, %v, want %+v", got, err, want)
		}
	}
	want := trust.Rules{Cluster: g.Cluster, After: g.After, Merge: 1}
	got, err := trust.ParseRules(must(want.Marshal()))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("rules: got %+v, %v, want %+v", got, err, want)
	}
}

// The encodings can never change: elements on disks all over depend on them, and
// a replica that encodes otherwise refuses what the others hold.
func TestEncodingIsFixed(t *testing.T) {
	g := exampleGrant(t)
	g.After = linksOf(1)
	tests := []struct{ name, got, want string }{
		{"grant", hex.EncodeToString(must(g.Marshal())), goldenGrant},
		{"revocation", hex.EncodeToString(must(trust.Revocation{Cluster: g.Cluster, Member: g.Member, LastChange: definition.ChangeID{1}, Mode: trust.ModePurge, Reason: "gone"}.Marshal())), goldenRevocation},
		{"rules", hex.EncodeToString(must(trust.Rules{Cluster: g.Cluster, Merge: 300}.Marshal())), goldenRules},
		{"envelope", hex.EncodeToString(must(trust.Seal(keyOf(t, 1), trust.KindRules, []byte("payload")))), goldenEnvelope},
		{"cluster", g.Cluster.String(), goldenCluster},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestGrantRules(t *testing.T) {
	links := linksOf(2)
	sha1Link := must(cid.Decode("bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")) // dag-cbor
	tests := []struct {
		name   string
		change func(*trust.Grant)
	}{
		{"no cluster", func(g *trust.Grant) { g.Cluster = trust.ClusterID{} }},
		{"links descend", func(g *trust.Grant) { g.After = []cid.Cid{links[1], links[0]} }},
		{"link twice", func(g *trust.Grant) { g.After = []cid.Cid{links[0], links[0]} }},
		{"too many links", func(g *trust.Grant) { g.After = linksOf(trust.MaxAfter + 1) }},
		{"link of another codec", func(g *trust.Grant) { g.After = []cid.Cid{sha1Link} }},
		{"undefined link", func(g *trust.Grant) { g.After = []cid.Cid{cid.Undef} }},
		{"CIDv0", func(g *trust.Grant) { g.After = []cid.Cid{cid.NewCidV0(links[0].Hash())} }},
		{"no member", func(g *trust.Grant) { g.Member = "" }},
		{"member is no key", func(g *trust.Grant) { g.Member = peer.ID(links[0].Hash()) }},
		{"no name", func(g *trust.Grant) { g.Name = "" }},
		{"long name", func(g *trust.Grant) { g.Name = strings.Repeat("a", 64) }},
		{"name with a space", func(g *trust.Grant) { g.Name = "node b" }},
		{"name begins with a dot", func(g *trust.Grant) { g.Name = ".b" }},
		{"name is no ASCII", func(g *trust.Grant) { g.Name = "nöde" }},
		{"no role", func(g *trust.Grant) { g.Role = 0 }},
		{"role of a later version", func(g *trust.Grant) { g.Role = 3 }},
		{"empty glob", func(g *trust.Grant) { g.Paths = []string{""} }},
		{"bad glob", func(g *trust.Grant) { g.Paths = []string{"a["} }},
		{"glob twice", func(g *trust.Grant) { g.Paths = []string{"a", "a"} }},
		{"too many globs", func(g *trust.Grant) { g.Paths = make([]string, 65) }},
	}
	for _, tt := range tests {
		g := exampleGrant(t)
		tt.change(&g)
		if _, err := g.Marshal(); !errors.Is(err, trust.ErrEncoding) {
			t.Errorf("%s: Marshal: got %v, want ErrEncoding", tt.name, err)
		}
	}
}

// What the types cannot express must be refused by the parser.
func TestParseIsStrict(t *testing.T) {
	g := exampleGrant(t)
	good := must(g.Marshal())
	var pb trustpb.Grant
	if err := proto.Unmarshal(good, &pb); err != nil {
		t.Fatal(err)
	}
	change := func(f func(*trustpb.Grant)) []byte {
		c := proto.CloneOf(&pb)
		f(c)
		return must(proto.MarshalOptions{Deterministic: true}.Marshal(c))
	}
	secp, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secpKey := must(crypto.MarshalPublicKey(secp.GetPublic()))
	tests := []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"unknown field", protowire.AppendVarint(protowire.AppendTag(slices.Clone(good), 15, protowire.VarintType), 1)},
		{"default value written out", append(change(func(p *trustpb.Grant) { p.Paths = nil }), 0x2a, 0)},
		{"field order", append(protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), []byte("node-b")), change(func(p *trustpb.Grant) { p.Name = "" })...)},
		{"long varint", bytes.Replace(good, []byte{0x28, 2}, []byte{0x28, 0x82, 0}, 1)},
		{"cluster is short", change(func(p *trustpb.Grant) { p.Cluster = p.Cluster[:31] })},
		{"no cluster", change(func(p *trustpb.Grant) { p.Cluster = nil })},
		{"link with a tail", change(func(p *trustpb.Grant) { p.After[0] = append(p.After[0], 0) })},
		{"empty link", change(func(p *trustpb.Grant) { p.After[0] = nil })},
		{"role wraps", change(func(p *trustpb.Grant) { p.Role = 258 })},
		{"negative role", change(func(p *trustpb.Grant) { p.Role = -254 })},
		{"another key type", change(func(p *trustpb.Grant) { p.Member = secpKey })},
		{"key with an unknown field", change(func(p *trustpb.Grant) { p.Member = append(p.Member, 0x48, 1) })},
	}
	for _, tt := range tests {
		if _, err := trust.ParseGrant(tt.data); !errors.Is(err, trust.ErrEncoding) {
			t.Errorf("%s: got %v, want ErrEncoding", tt.name, err)
		}
	}
	for _, reason := range []string{"a\nb", "\x1b[2J", strings.Repeat("a", 1025)} {
		r := trust.Revocation{Cluster: g.Cluster, Member: g.Member, Mode: trust.ModeKeep, Reason: reason}
		if _, err := r.Marshal(); !errors.Is(err, trust.ErrEncoding) {
			t.Errorf("revocation with reason %q: got %v, want ErrEncoding", reason, err)
		}
	}
	if _, err := (trust.Revocation{Cluster: g.Cluster, Member: g.Member}).Marshal(); !errors.Is(err, trust.ErrEncoding) {
		t.Errorf("revocation without mode: got %v, want ErrEncoding", err)
	}
	if _, err := (trust.Rules{Cluster: g.Cluster}).Marshal(); !errors.Is(err, trust.ErrEncoding) {
		t.Errorf("rules without version: got %v, want ErrEncoding", err)
	}
	if _, err := trust.ParseRules(must(trust.Revocation{Cluster: g.Cluster, Member: g.Member, Mode: trust.ModeKeep}.Marshal())); !errors.Is(err, trust.ErrEncoding) {
		t.Errorf("revocation parsed as rules: got %v, want ErrEncoding", err)
	}
}

func TestParseHeader(t *testing.T) {
	g := exampleGrant(t)
	good := must(g.Marshal())
	later := protowire.AppendBytes(protowire.AppendTag(slices.Clone(good), 99, protowire.BytesType), []byte("later"))
	for name, payload := range map[string][]byte{"grant": good, "of a later version": later} {
		got, err := trust.ParseHeader(payload)
		if err != nil || got.Cluster != g.Cluster || !slices.Equal(got.After, g.After) {
			t.Errorf("ParseHeader(%s) = %+v, %v", name, got, err)
		}
	}
	cluster := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), g.Cluster[:])
	link := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), linksOf(1)[0].Bytes())
	for name, payload := range map[string][]byte{
		"empty":               nil,
		"truncated":           good[:len(good)-1],
		"cluster again":       append(slices.Clone(good), cluster...),
		"link behind":         append(slices.Clone(good), link...),
		"link before cluster": append(slices.Clone(link), cluster...),
	} {
		if _, err := trust.ParseHeader(payload); !errors.Is(err, trust.ErrEncoding) {
			t.Errorf("ParseHeader(%s): got %v, want ErrEncoding", name, err)
		}
	}
}

func TestClusterIDText(t *testing.T) {
	id := clusterOf(t, keyOf(t, 1))
	got, err := trust.ParseClusterID(id.String())
	if err != nil || got != id {
		t.Errorf("ParseClusterID(String()) = %v, %v, want %v", got, err, id)
	}
	for _, s := range []string{"", "a", id.String() + "a", strings.ToUpper(id.String()), id.String()[:51] + "b", id.String()[:50] + "\naa"} {
		if got, err := trust.ParseClusterID(s); err == nil {
			t.Errorf("ParseClusterID(%q) = %v, want an error", s, got)
		}
	}
}

func FuzzParseGrant(f *testing.F) {
	f.Add(must(exampleGrant(f).Marshal()))
	f.Add(must(trust.Grant{Cluster: trust.ClusterID{1}, Member: peerOf(f, keyOf(f, 2)), Name: "b", Role: trust.RoleReader}.Marshal()))
	f.Fuzz(func(t *testing.T, payload []byte) {
		g, err := trust.ParseGrant(payload)
		if err != nil {
			if !errors.Is(err, trust.ErrEncoding) {
				t.Errorf("ParseGrant: error %v does not wrap ErrEncoding", err)
			}
			return
		}
		again, err := g.Marshal()
		if err != nil || !bytes.Equal(again, payload) {
			t.Errorf("Marshal: got %x, %v, want %x", again, err, payload)
		}
		if h, err := trust.ParseHeader(payload); err != nil || h.Cluster != g.Cluster || !slices.Equal(h.After, g.After) {
			t.Errorf("ParseHeader = %+v, %v; grant is %+v", h, err, g)
		}
	})
}

// must is for what cannot fail in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

package trust_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/starling-sync/starling/trust"
	"github.com/starling-sync/starling/trust/trustpb"
)

// cluster is an authority's node: a host that answers joins, and a stand-in for
// the set of elements.
type cluster struct {
	tb        testing.TB
	authority crypto.PrivKey
	host      host.Host
	path      string // of the invitations
	open      *trust.Invitations

	mu     sync.Mutex
	now    time.Time
	grants map[peer.ID]trust.GrantRequest
	// before is called by grant before anything else, and may fail it.
	before func(trust.GrantRequest) error
}

func startCluster(tb testing.TB) *cluster {
	tb.Helper()
	c := &cluster{
		tb:        tb,
		authority: keyOf(tb, 1),
		host:      startHost(tb, keyOf(tb, 2), testPSK),
		path:      filepath.Join(tb.TempDir(), "invitations.json"),
		now:       time.Now(),
		grants:    make(map[peer.ID]trust.GrantRequest),
	}
	c.open = must(trust.OpenInvitations(c.path))
	c.serve(c.open)
	return c
}

// serve answers joins with these invitations until the test ends.
func (c *cluster) serve(open *trust.Invitations) {
	c.tb.Helper()
	i, err := trust.NewInviter(c.host, trust.InviterOptions{
		Cluster:     clusterOf(c.tb, c.authority),
		Invitations: open,
		Grant:       c.grant,
		Now:         c.clock,
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	c.tb.Cleanup(func() { i.Close() })
}

func (c *cluster) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cluster) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *cluster) grant(_ context.Context, r trust.GrantRequest) (trust.Welcome, error) {
	if c.before != nil {
		if err := c.before(r); err != nil {
			return trust.Welcome{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if had, ok := c.grants[r.Member]; ok {
		r = had
	}
	for member, other := range c.grants {
		if member != r.Member && other.Name == r.Name {
			return trust.Welcome{}, trust.ErrNameTaken
		}
	}
	c.grants[r.Member] = r
	heads := linksOf(3)
	slices.Reverse(heads)
	return trust.Welcome{Grant: grantFor(c.tb, c.authority, r.Member, r.Name), Heads: heads}, nil
}

func (c *cluster) invite(o trust.InviteOptions) trust.Token {
	c.tb.Helper()
	inv, err := c.open.Invite(o, c.clock())
	if err != nil {
		c.tb.Fatal(err)
	}
	return trust.Token{
		Cluster:   clusterOf(c.tb, c.authority),
		Authority: c.authority.GetPublic(),
		PSK:       testPSK,
		Inviter:   c.host.ID(),
		Addrs:     c.host.Addrs(),
		Secret:    inv.Secret,
		Role:      inv.Role,
		Uses:      inv.Uses,
		Expires:   inv.Expires,
	}
}

func TestJoin(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{Role: trust.RoleReader, Paths: []string{"apps/**"}})
	tok = must(trust.ParseToken([]byte(must(tok.Encode()))))
	b := startHost(t, keyOf(t, 3), testPSK)

	got, err := trust.Join(testContext(t), b, tok, "b")
	if err != nil {
		t.Fatal(err)
	}
	if g, err := trust.OpenGrant(got.Grant, tok.Authority, b.ID()); err != nil || g.Name != "b" {
		t.Errorf("grant: got %+v, %v", g, err)
	}
	if !slices.Equal(got.Heads, linksOf(3)) {
		t.Errorf("heads: got %v, want %v", got.Heads, linksOf(3))
	}
	if r := c.grants[b.ID()]; r.Role != trust.RoleReader || !slices.Equal(r.Paths, []string{"apps/**"}) || r.Member != b.ID() {
		t.Errorf("grant request: got %+v", r)
	}

	// The answer was lost, say: the same key gets the same, even if it is late.
	c.advance(2 * time.Hour)
	again, err := trust.Join(testContext(t), b, tok, "other-name")
	if err != nil || !bytes.Equal(again.Grant, got.Grant) {
		t.Errorf("second Join of the same key: got another grant, %v", err)
	}
	if err := trust.CheckPrivate(c.path); err != nil {
		t.Errorf("invitations: %v", err)
	}
}

func TestJoinRefusals(t *testing.T) {
	c := startCluster(t)
	b, d := startHost(t, keyOf(t, 3), testPSK), startHost(t, keyOf(t, 4), testPSK)
	join := func(h host.Host, tok trust.Token, name string) error {
		t.Helper()
		_, err := trust.Join(testContext(t), h, tok, name)
		return err
	}
	want := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}

	once := c.invite(trust.InviteOptions{})
	want("first use", join(b, once, "b"), nil)
	want("second use", join(d, once, "d"), trust.ErrTokenUsed)

	taken := c.invite(trust.InviteOptions{})
	want("name of another", join(d, taken, "b"), trust.ErrNameTaken)
	want("another name with the same token", join(d, taken, "d"), nil)

	late := c.invite(trust.InviteOptions{TTL: time.Minute})
	c.advance(time.Minute)
	want("expired", join(startHost(t, keyOf(t, 5), testPSK), late, "e"), trust.ErrTokenExpired)

	wrong := c.invite(trust.InviteOptions{})
	wrong.Secret[0]++
	want("wrong secret", join(b, wrong, "b"), trust.ErrTokenRefused)

	foreign := c.invite(trust.InviteOptions{})
	foreign.Authority = keyOf(t, 9).GetPublic()
	foreign.Cluster = clusterOf(t, keyOf(t, 9))
	want("token of another cluster", join(b, foreign, "b"), trust.ErrTokenRefused)

	c.before = func(trust.GrantRequest) error { return errors.New("disk full") }
	want("the set fails", join(startHost(t, keyOf(t, 6), testPSK), c.invite(trust.InviteOptions{}), "f"), trust.ErrInviter)
	c.before = nil

	if err := join(b, once, "bad name"); err == nil || !strings.Contains(err.Error(), "letters") {
		t.Errorf("bad name: got %v, want what a name must look like", err)
	}
	c.host.RemoveStreamHandler(trust.JoinProtocol)
	want("inviter without the authority key", join(startHost(t, keyOf(t, 7), testPSK), once, "g"), trust.ErrInviter)
}

func TestJoinOnAnotherPrivateNetwork(t *testing.T) {
	c := startCluster(t)
	outsider := startHost(t, keyOf(t, 3), bytes.Repeat([]byte{8}, 32))
	// What arrives is noise, so the dial fails at once or hears nothing.
	ctx, cancel := context.WithTimeout(testContext(t), 2*time.Second)
	defer cancel()
	if _, err := trust.Join(ctx, outsider, c.invite(trust.InviteOptions{}), "b"); err == nil {
		t.Error("Join with another pre-shared key: got nil, want an error")
	}
}

func TestJoinAttemptsAreLimited(t *testing.T) {
	c := startCluster(t)
	b := startHost(t, keyOf(t, 3), testPSK)
	good := c.invite(trust.InviteOptions{Uses: 20})
	wrong := good
	wrong.Secret[0]++
	join := func(tok trust.Token) error {
		_, err := trust.Join(testContext(t), b, tok, "b")
		return err
	}
	// New members do not count against the address that they share.
	for i := range 12 {
		h := startHost(t, keyOf(t, byte(20+i)), testPSK)
		if _, err := trust.Join(testContext(t), h, good, string(rune('a'+i))); err != nil {
			t.Fatalf("member %d of one address: %v", i, err)
		}
		h.Close()
	}
	for i := range 10 {
		if err := join(wrong); !errors.Is(err, trust.ErrTokenRefused) {
			t.Fatalf("attempt %d: got %v, want ErrTokenRefused", i, err)
		}
	}
	if err := join(good); !errors.Is(err, trust.ErrTooManyAttempts) {
		t.Errorf("attempt 11: got %v, want ErrTooManyAttempts", err)
	}
	c.advance(time.Minute)
	b2 := startHost(t, keyOf(t, 4), testPSK)
	if _, err := trust.Join(testContext(t), b2, good, "later"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// The use is on disk before the grant is made: whatever crashes after that, no
// second key gets in by the same use, and the first one may ask again.
func TestUseIsOnDiskBeforeTheGrant(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	b, d := startHost(t, keyOf(t, 3), testPSK), startHost(t, keyOf(t, 4), testPSK)
	var atGrant []byte
	c.before = func(trust.GrantRequest) error {
		atGrant = must(os.ReadFile(c.path))
		return errors.New("power cut")
	}
	if _, err := trust.Join(testContext(t), b, tok, "b"); !errors.Is(err, trust.ErrInviter) {
		t.Fatalf("Join at the power cut: got %v, want ErrInviter", err)
	}
	c.before = nil

	// The authority's node comes back with what was on its disk at that moment.
	c.path = filepath.Join(t.TempDir(), "invitations.json")
	if err := trust.WriteSecret(c.path, atGrant); err != nil {
		t.Fatal(err)
	}
	c.serve(must(trust.OpenInvitations(c.path)))
	if _, err := trust.Join(testContext(t), d, tok, "d"); !errors.Is(err, trust.ErrTokenUsed) {
		t.Errorf("Join of another key: got %v, want ErrTokenUsed", err)
	}
	if _, err := trust.Join(testContext(t), b, tok, "b"); err != nil {
		t.Errorf("Join of the same key: %v", err)
	}
}

func TestNoGrantWithoutADisk(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	if err := os.RemoveAll(filepath.Dir(c.path)); err != nil {
		t.Fatal(err)
	}
	b := startHost(t, keyOf(t, 3), testPSK)
	if _, err := trust.Join(testContext(t), b, tok, "b"); !errors.Is(err, trust.ErrInviter) {
		t.Errorf("Join: got %v, want ErrInviter", err)
	}
	if len(c.grants) != 0 {
		t.Errorf("grants: got %v, want none", c.grants)
	}
	if _, err := c.open.Invite(trust.InviteOptions{}, c.clock()); err == nil {
		t.Error("Invite: got nil, want an error")
	}
}

// proofBy is the proof as the protocol has it, written down a second time.
func proofBy(tok trust.Token, joiner, inviter peer.ID, cluster trust.ClusterID) []byte {
	mac := hmac.New(sha256.New, tok.Secret[:])
	for _, part := range []string{"/starling/0/join/1", string(joiner), string(inviter), string(cluster[:])} {
		mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// ask sends a request that Join would not send.
func ask(tb testing.TB, from, to host.Host, request *trustpb.JoinRequest) trustpb.JoinResult {
	tb.Helper()
	connect(tb, from, to)
	s, err := from.NewStream(testContext(tb), to.ID(), trust.JoinProtocol)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Reset()
	if _, err := protodelim.MarshalTo(s, request); err != nil {
		tb.Fatal(err)
	}
	var answer trustpb.JoinResponse
	if err := protodelim.UnmarshalFrom(byteReader{s}, &answer); err != nil {
		tb.Fatal(err)
	}
	return answer.GetResult()
}

type byteReader struct{ network.Stream }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := r.Read(b[:])
	return b[0], err
}

// A proof is worth nothing to a key other than the one that made it, nor at
// another inviter or for another cluster.
func TestProofIsBound(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	b, thief := startHost(t, keyOf(t, 3), testPSK), startHost(t, keyOf(t, 4), testPSK)
	for name, proof := range map[string][]byte{
		"of another joiner":   proofBy(tok, b.ID(), c.host.ID(), tok.Cluster),
		"for another inviter": proofBy(tok, thief.ID(), b.ID(), tok.Cluster),
		"for another cluster": proofBy(tok, thief.ID(), c.host.ID(), trust.ClusterID{1}),
		"none":                nil,
		"the secret itself":   tok.Secret[:],
	} {
		if got := ask(t, thief, c.host, &trustpb.JoinRequest{Proof: proof, Name: "x"}); got != trustpb.JoinResult_JOIN_RESULT_REFUSED {
			t.Errorf("proof %s: got %v, want refused", name, got)
		}
	}
	if got := ask(t, b, c.host, &trustpb.JoinRequest{Proof: proofBy(tok, b.ID(), c.host.ID(), tok.Cluster), Name: "-x"}); got != trustpb.JoinResult_JOIN_RESULT_FAILED {
		t.Errorf("bad name: got %v, want failed", got)
	}
	if got := ask(t, b, c.host, &trustpb.JoinRequest{Name: strings.Repeat("x", 70_000)}); got != trustpb.JoinResult_JOIN_RESULT_FAILED {
		t.Errorf("long request: got %v, want failed", got)
	}
	if len(c.grants) != 0 {
		t.Errorf("grants: got %v, want none", c.grants)
	}
	if got := ask(t, b, c.host, &trustpb.JoinRequest{Proof: proofBy(tok, b.ID(), c.host.ID(), tok.Cluster), Name: "b"}); got != trustpb.JoinResult_JOIN_RESULT_WELCOME {
		t.Errorf("good proof: got %v, want welcome", got)
	}
}

// A joiner takes no answer that the authority did not sign for its own key.
func TestJoinVerifiesTheAnswer(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	b := startHost(t, keyOf(t, 3), testPSK)
	good := grantFor(t, c.authority, b.ID(), "b")
	rules := must(trust.Seal(c.authority, trust.KindRules, must(trust.Rules{Cluster: tok.Cluster, Merge: 1}.Marshal())))
	otherCluster := must(trust.Seal(c.authority, trust.KindGrant, must(trust.Grant{Cluster: trust.ClusterID{1}, Member: b.ID(), Name: "b", Role: trust.RoleWriter}.Marshal())))
	welcome := trustpb.JoinResult_JOIN_RESULT_WELCOME
	for name, tt := range map[string]struct {
		answer *trustpb.JoinResponse
		want   error
	}{
		"no grant":           {&trustpb.JoinResponse{Result: welcome}, trust.ErrEncoding},
		"another authority":  {&trustpb.JoinResponse{Result: welcome, Grant: grantFor(t, keyOf(t, 9), b.ID(), "b")}, trust.ErrForeign},
		"another node":       {&trustpb.JoinResponse{Result: welcome, Grant: grantFor(t, c.authority, c.host.ID(), "b")}, trust.ErrForeign},
		"another cluster":    {&trustpb.JoinResponse{Result: welcome, Grant: otherCluster}, trust.ErrForeign},
		"another kind":       {&trustpb.JoinResponse{Result: welcome, Grant: rules}, trust.ErrForeign},
		"bad signature":      {&trustpb.JoinResponse{Result: welcome, Grant: append(good[:len(good)-1:len(good)-1], good[len(good)-1]^1)}, trust.ErrSignature},
		"bad head":           {&trustpb.JoinResponse{Result: welcome, Grant: good, Heads: [][]byte{{1}}}, trust.ErrEncoding},
		"no result":          {&trustpb.JoinResponse{Grant: good}, trust.ErrInviter},
		"result not known":   {&trustpb.JoinResponse{Result: 99, Grant: good}, trust.ErrInviter},
		"good, for contrast": {&trustpb.JoinResponse{Result: welcome, Grant: good}, nil},
	} {
		c.host.SetStreamHandler(trust.JoinProtocol, func(s network.Stream) {
			defer s.Close()
			var request trustpb.JoinRequest
			if err := protodelim.UnmarshalFrom(byteReader{s}, &request); err != nil {
				t.Errorf("%s: read request: %v", name, err)
			}
			if _, err := protodelim.MarshalTo(s, tt.answer); err != nil {
				t.Errorf("%s: answer: %v", name, err)
			}
		})
		if _, err := trust.Join(testContext(t), b, tok, "b"); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestInviterCloseEndsJoins(t *testing.T) {
	c := startCluster(t)
	tok := c.invite(trust.InviteOptions{})
	b := startHost(t, keyOf(t, 3), testPSK)
	entered := make(chan struct{})
	i, err := trust.NewInviter(c.host, trust.InviterOptions{
		Cluster:     tok.Cluster,
		Invitations: c.open,
		Grant: func(ctx context.Context, _ trust.GrantRequest) (trust.Welcome, error) {
			close(entered)
			<-ctx.Done()
			return trust.Welcome{}, ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := trust.Join(testContext(t), b, tok, "b")
		done <- err
	}()
	<-entered
	if err := i.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("Join whose inviter closed: got nil, want an error")
	}
}

func TestOpenInvitationsRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "invitations.json")
	const secret = `c2VjcmV0`
	for _, text := range []string{`{`, `{"version":2}`, `{"version":1,"` + secret + `":1}`, `{"version":1,"invitations":[{"role":"` + secret + `"}]}`} {
		if err := trust.WriteSecret(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := trust.OpenInvitations(path); err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), path) {
			t.Errorf("OpenInvitations(%s): got %v, want an error that names the file and quotes nothing", text, err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := trust.OpenInvitations(path); !errors.Is(err, trust.ErrTooOpen) {
		t.Errorf("OpenInvitations(0644): got %v, want ErrTooOpen", err)
	}
}

func TestInviteRefuses(t *testing.T) {
	open := must(trust.OpenInvitations(filepath.Join(t.TempDir(), "invitations.json")))
	for name, o := range map[string]trust.InviteOptions{
		"role":     {Role: 9},
		"uses":     {Uses: -1},
		"lifetime": {TTL: -time.Second},
		"glob":     {Paths: []string{"["}},
	} {
		if _, err := open.Invite(o, time.Now()); err == nil {
			t.Errorf("Invite(bad %s): got nil, want an error", name)
		}
	}
}

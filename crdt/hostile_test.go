package crdt_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/boxo/ipld/merkledag"
	dspb "github.com/ipfs/go-ds-crdt/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/trust"
)

// fetchProtocol is spelled out: it is part of the format.
const fetchProtocol = "/starling/0/fetch/1"

// hostile is a peer that speaks the exchange's protocols over a real connection
// and says whatever a test wants.
type hostile struct {
	t      testing.TB
	host   host.Host
	key    crypto.PrivKey
	victim peer.ID
	grant  []byte // that it shows with each hello

	mu      sync.Mutex
	blocks  [][]byte // what it answers to any fetch, in this order
	fetches int      // how often it was asked
}

// newHostile starts a hostile peer and connects it to a host.
func newHostile(t testing.TB, key crypto.PrivKey, psk pnet.PSK, victim host.Host) *hostile {
	t.Helper()
	h := &hostile{t: t, host: newHost(t, key, psk), key: key, victim: victim.ID()}
	h.listen()
	connect(t, h.host, victim)
	return h
}

// listen answers the protocols that the victim speaks.
func (h *hostile) listen() {
	h.host.SetStreamHandler(crdt.HelloProtocol, func(s network.Stream) { _ = s.Reset() })
	h.host.SetStreamHandler(fetchProtocol, h.answer)
}

// answer sends the hostile peer's blocks, whatever was asked for.
func (h *hostile) answer(s network.Stream) {
	h.mu.Lock()
	left := h.blocks
	h.fetches++
	h.mu.Unlock()
	in := bufio.NewReader(s)
	for {
		var req crdtpb.FetchRequest
		if err := protodelim.UnmarshalFrom(in, &req); err != nil {
			_ = s.Reset()
			return
		}
		n, size := 0, 0
		for n < min(len(left), int(req.GetCount())) && size < 1<<20 {
			size += len(left[n])
			n++
		}
		msg := &crdtpb.FetchFrame{Blocks: left[:n], Done: n == len(left)}
		left = left[n:]
		if _, err := protodelim.MarshalTo(s, msg); err != nil {
			_ = s.Reset()
			return
		}
		if msg.GetDone() {
			_ = s.Close()
			return
		}
	}
}

// hello tells the victim of heads, and serves these blocks to its fetch.
func (h *hostile) hello(msg *crdtpb.Hello, blocks ...*woven) {
	h.t.Helper()
	h.serve(blocks...)
	if err := h.sayHello(h.t.Context(), msg); err != nil {
		h.t.Fatal(err)
	}
}

// serve answers fetches with these blocks from now on.
func (h *hostile) serve(blocks ...*woven) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.blocks = raws(blocks...)
}

func (h *hostile) sayHello(ctx context.Context, msg *crdtpb.Hello) error {
	s, err := h.host.NewStream(ctx, h.victim, crdt.HelloProtocol)
	if err != nil {
		return err
	}
	msg.View, msg.Grant = make([]byte, 32), h.grant
	if _, err := protodelim.MarshalTo(s, msg); err != nil {
		return errors.Join(err, s.Reset())
	}
	return s.Close()
}

// offer tells the victim that the last of the blocks is a head and serves them.
func (h *hostile) offer(blocks ...*woven) {
	h.t.Helper()
	head := blocks[len(blocks)-1]
	h.hello(&crdtpb.Hello{Heads: [][]byte{head.cid.Bytes()}}, blocks...)
}

// fetch asks the victim for the ancestry of blocks, as a joining node would, and
// returns it oldest first.
func (h *hostile) fetch(want ...[]byte) []*woven {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	s, err := h.host.NewStream(ctx, h.victim, fetchProtocol)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = s.Reset() }()
	in := bufio.NewReader(s)
	var out []*woven
	req := &crdtpb.FetchRequest{Want: want, Count: 1024}
	for {
		if _, err := protodelim.MarshalTo(s, req); err != nil {
			h.t.Fatal(err)
		}
		var msg crdtpb.FetchFrame
		if err := (protodelim.UnmarshalOptions{MaxSize: -1}).UnmarshalFrom(in, &msg); err != nil {
			h.t.Fatal(err)
		}
		for _, raw := range msg.GetBlocks() {
			out = append(out, unweave(h.t, raw))
		}
		if msg.GetDone() {
			return out
		}
		req = &crdtpb.FetchRequest{Count: 1024}
	}
}

// unweave reads a block as a stranger to package crdt would.
func unweave(t fataler, raw []byte) *woven {
	t.Helper()
	nd, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		t.Fatal(err)
	}
	var delta dspb.Delta
	if err := proto.Unmarshal(nd.Data(), &delta); err != nil {
		t.Fatal(err)
	}
	var f frame
	for _, l := range nd.Links() {
		f.links = append(f.links, l.Cid)
	}
	f.delta = &delta
	return (&weaver{t: t}).block(f)
}

// arena is a victim with an exchange, an honest peer of it, and a weaver for
// what hostile peers send.
type arena struct {
	*weaver
	psk            pnet.PSK
	victim, honest *crdt.Replica
	key            crypto.PrivKey // the victim's
	at             host.Host      // the victim's
	peer           host.Host      // the honest peer's
	base           *woven         // a head that both hold
}

func newArena(t testing.TB) *arena {
	t.Helper()
	a := &arena{weaver: &weaver{t: t, c: newCluster(t)}, psk: make([]byte, 32)}
	if _, err := rand.Read(a.psk); err != nil {
		t.Fatal(err)
	}
	join := func(key crypto.PrivKey) (*crdt.Replica, host.Host) {
		r := a.c.open(t, t.TempDir(), key)
		t.Cleanup(func() { closeReplica(t, r) })
		h := newHost(t, key, a.psk)
		x, err := crdt.NewExchange(r, crdt.ExchangeOptions{Host: h, Gate: openGate{}, HelloInterval: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Close)
		return r, h
	}
	honest := newKey(t)
	a.key = newKey(t)
	a.victim, a.at = join(a.key)
	a.honest, a.peer = join(honest)
	a.c.grant(t, a.honest, honest, "honest", trust.RoleWriter)
	a.c.grant(t, a.honest, a.key, "victim", trust.RoleWriter)
	connect(t, a.at, a.peer)
	a.settle(t)
	a.base = a.head(t)
	return a
}

// settle waits until the victim and the honest peer are equal.
func (ar *arena) settle(t testing.TB) {
	t.Helper()
	eventually(t, func() error { return equal(ar.victim, ar.honest) })
}

// head returns the one head that the replicas have.
func (ar *arena) head(t testing.TB) *woven {
	t.Helper()
	heads := ar.victim.Heads()
	if len(heads) != 1 {
		t.Fatalf("there are %d heads, want 1", len(heads))
	}
	h := newHostile(t, newKey(t), ar.psk, ar.at)
	all := h.fetch(heads[0].Bytes())
	if err := h.host.Close(); err != nil {
		t.Error(err)
	}
	return all[len(all)-1]
}

// drip answers a fetch with one block each half second, for ever.
func (h *hostile) drip(s network.Stream, next func() *woven) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	h.pour(h.t.Context(), s, func() *woven {
		select {
		case <-tick.C:
		case <-h.t.Context().Done():
		}
		return next()
	})
}

// pour answers a fetch with one block in a frame, for ever.
func (h *hostile) pour(ctx context.Context, s network.Stream, next func() *woven) {
	reset := func() { _ = s.Reset() }
	defer reset()
	defer context.AfterFunc(ctx, reset)() // whoever waits for a request waits no more
	in := bufio.NewReader(s)
	for ctx.Err() == nil {
		var req crdtpb.FetchRequest
		if protodelim.UnmarshalFrom(in, &req) != nil {
			return
		}
		if _, err := protodelim.MarshalTo(s, &crdtpb.FetchFrame{Blocks: [][]byte{next().raw}}); err != nil {
			return
		}
	}
}

package crdt_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
)

// floodTests are what a hostile member does without end. Each calls begun when it is at
// it, and goes on until ctx ends.
var floodTests = []struct {
	name  string
	flood func(s *siege, ctx context.Context, begun func())
}{
	{"garbage", (*siege).garbage},
	{"huge messages", (*siege).hugeMessages},
	{"slow streams", (*siege).slowStreams},
	{"unknown CIDs", (*siege).unknownCIDs},
	{"refused blocks by gossip", (*siege).refusedByGossip},
	{"refused blocks by fetch", (*siege).refusedByFetch},
	{"endless ancestry", (*siege).endlessAncestry},
	{"deep ancestry", (*siege).deepAncestry},
	{"siblings of a forked author", (*siege).siblings},
	{"poison contents", (*siege).poison},
}

// floodSaves is how many files are saved during each flood.
const floodSaves = 5

// mostMemory is what the victim's process may have in use at the most after all floods
// together, in bytes. The race detector multiplies what a program uses.
const mostMemory = 1 << 30

// TestGoodWritesGoOn: while a hostile member does its worst, a file saved on another
// node arrives, and the victim's memory is bounded.
func TestGoodWritesGoOn(t *testing.T) {
	t.Parallel()
	s := newSiege(t)
	for _, tt := range floodTests {
		t.Run(tt.name, func(t *testing.T) {
			defer s.under(t)()
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			s.owed = nil
			begun := make(chan struct{})
			wg.Go(func() { tt.flood(s, ctx, sync.OnceFunc(func() { close(begun) })) })
			<-begun
			var slowest time.Duration
			for range floodSaves {
				slowest = max(slowest, s.save())
			}
			s.holds(s.owed...)
			peak, err := s.victim.PeakMemory()
			if errors.Is(err, fs.ErrNotExist) {
				t.Skipf("the memory of a process cannot be seen here: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("the slowest of %d good writes took %v; the victim's peak memory is %d MiB; refused: %v",
				floodSaves, slowest.Round(time.Millisecond), peak>>20, s.refused())
			if peak > mostMemory {
				t.Errorf("the victim's peak memory is %d MiB, want at most %d", peak>>20, mostMemory>>20)
			}
		})
	}
	s.blames(1)
}

// protocols are all that the victim speaks.
func (s *siege) protocols() []protocol.ID {
	return []protocol.ID{
		crdt.HelloProtocol, fetchProtocol, "/starling/0/report/1", "/starling/0/join/1",
		"/meshsub/1.1.0", protocol.ID("/starling/0/" + s.c.id.String() + "/kad/1.0.0"), "/ipfs/id/1.0.0",
	}
}

// dial opens a stream to the victim, which may have hung up before. What it refuses
// is nil.
func (s *siege) dial(ctx context.Context, pid protocol.ID) network.Stream {
	s.connect(ctx)
	stream, err := s.h.host.NewStream(ctx, s.h.victim, pid)
	if err != nil {
		return nil
	}
	return stream
}

// garbage sends random bytes on every protocol.
func (s *siege) garbage(ctx context.Context, begun func()) {
	var wg sync.WaitGroup
	for _, pid := range s.protocols() {
		wg.Go(func() {
			b := make([]byte, 64<<10)
			for ctx.Err() == nil {
				stream := s.dial(ctx, pid)
				if stream == nil {
					continue
				}
				_, _ = rand.Read(b)
				_ = stream.SetDeadline(time.Now().Add(time.Second))
				_, _ = stream.Write(b[:mathrand.IntN(len(b))])
				_ = stream.Reset()
				begun()
			}
		})
	}
	wg.Wait()
}

// hugeMessages announces messages of 2^40 bytes and begins to send them, also as the
// answer to a fetch.
func (s *siege) hugeMessages(ctx context.Context, begun func()) {
	pour := func(stream network.Stream) {
		defer func() { _ = stream.Reset() }()
		b := binary.AppendUvarint(nil, 1<<40)
		_ = stream.SetDeadline(time.Now().Add(time.Second))
		for ctx.Err() == nil {
			if _, err := stream.Write(b); err != nil {
				return
			}
			b = make([]byte, 64<<10)
			begun()
		}
	}
	defer s.fetched(pour)()
	var wg sync.WaitGroup
	for _, pid := range s.protocols() {
		wg.Go(func() {
			for ctx.Err() == nil {
				if stream := s.dial(ctx, pid); stream != nil {
					pour(stream)
				}
				_ = s.h.sayHello(ctx, &crdtpb.Hello{Heads: unknownCIDs(1)})
			}
		})
	}
	wg.Wait()
}

// fetched answers the victim's fetches so until the returned function is called, which
// waits for answers that go on; their context must have ended.
func (s *siege) fetched(answer network.StreamHandler) (restore func()) {
	var mu sync.Mutex // guards over, so that no answer begins when it is
	var over bool
	var answers sync.WaitGroup
	s.h.host.SetStreamHandler(fetchProtocol, func(stream network.Stream) {
		mu.Lock()
		if over {
			mu.Unlock()
			_ = stream.Reset()
			return
		}
		answers.Add(1)
		mu.Unlock()
		defer answers.Done()
		answer(stream)
	})
	return func() {
		s.h.listen()
		mu.Lock()
		over = true
		mu.Unlock()
		answers.Wait()
	}
}

// slowStreams opens many streams, says a byte on each, and no more; nor does it answer.
func (s *siege) slowStreams(ctx context.Context, begun func()) {
	defer s.fetched(func(stream network.Stream) {
		<-ctx.Done()
		_ = stream.Reset()
	})()
	const each = 200
	for range each {
		for _, pid := range s.protocols() {
			if stream := s.dial(ctx, pid); stream != nil {
				_, _ = stream.Write([]byte{0x7f})
				defer func() { _ = stream.Reset() }()
			}
		}
		_ = s.h.sayHello(ctx, &crdtpb.Hello{Heads: unknownCIDs(1)})
		begun()
	}
	<-ctx.Done()
}

// unknownCIDs returns CIDs of blocks that nobody has.
func unknownCIDs(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, 36)
		copy(out[i], []byte{1, 0x70, 0x12, 32}) // CIDv1, dag-pb, SHA-256 of 32 bytes
		_, _ = rand.Read(out[i][4:])
	}
	return out
}

// unknownCIDs tells of heads that nobody has, and of blocks that link to such.
func (s *siege) unknownCIDs(ctx context.Context, begun func()) {
	for ctx.Err() == nil {
		a := s.mine()
		msg := a.ok()
		msg.After = unknownCIDs(1)
		orphan := s.sealChange(a.by.key, msg)
		s.h.serve(orphan)
		s.connect(ctx)
		_ = s.h.sayHello(ctx, &crdtpb.Hello{Heads: append(unknownCIDs(2000), orphan.cid.Bytes())})
		begun()
	}
}

// forged returns another block with a wrong signature at each call.
func (s *siege) forged() *woven {
	a := s.mine()
	a.note = fmt.Sprint("forged ", mathrand.Uint64())
	good := a.ok()
	return s.sealChange(s.stranger.key, good, a.granted)
}

// refusedByGossip announces blocks that are refused.
func (s *siege) refusedByGossip(ctx context.Context, begun func()) {
	ps, err := pubsub.NewGossipSub(ctx, s.h.host)
	if err != nil {
		s.t.Errorf("start gossip: %v", err)
		return
	}
	topic, err := ps.Join("starling/0/" + s.c.id.String())
	if err != nil {
		s.t.Errorf("join topic: %v", err)
		return
	}
	defer topic.Close()
	s.connect(ctx)
	for i := 0; ctx.Err() == nil; i++ {
		b := s.forged()
		msg := &crdtpb.Announcement{Heads: [][]byte{b.cid.Bytes()}, Block: b.raw}
		if i%3 == 0 {
			msg.Heads = [][]byte{[]byte("no CID")}
		}
		data, err := proto.Marshal(msg)
		if err != nil {
			s.t.Errorf("encode announcement: %v", err)
			return
		}
		_ = topic.Publish(ctx, data)
		if len(topic.ListPeers()) > 0 {
			begun()
		}
	}
}

// refusedByFetch serves blocks that are refused.
func (s *siege) refusedByFetch(ctx context.Context, begun func()) {
	for ctx.Err() == nil {
		var blocks []*woven
		msg := &crdtpb.Hello{}
		for range 32 {
			b := s.forged()
			blocks, msg.Heads = append(blocks, b), append(msg.Heads, b.cid.Bytes())
		}
		s.h.serve(blocks...)
		s.connect(ctx)
		_ = s.h.sayHello(ctx, msg)
		begun()
	}
}

// endlessAncestry answers a fetch with good blocks that never come to what was asked
// for.
func (s *siege) endlessAncestry(ctx context.Context, begun func()) {
	a := s.mine()
	defer s.fetched(func(stream network.Stream) {
		s.h.pour(ctx, stream, func() *woven {
			begun()
			return s.write(a.by, seconds(1), a.tip(), edit("endless.json", fmt.Sprint(a.by.seq)))
		})
	})()
	for ctx.Err() == nil {
		s.connect(ctx)
		_ = s.h.sayHello(ctx, &crdtpb.Hello{Heads: unknownCIDs(1)})
		<-time.After(50 * time.Millisecond)
	}
}

// offer tells the victim of good blocks, which it has to have in the end.
func (s *siege) offer(ctx context.Context, begun func(), msg *crdtpb.Hello, blocks ...*woven) {
	s.h.serve(blocks...)
	s.connect(ctx)
	if err := s.h.sayHello(ctx, msg); err != nil && ctx.Err() == nil {
		s.t.Errorf("offer blocks: %v", err)
	}
	begun()
	<-ctx.Done()
}

// floodBlocks is how many blocks the large sets of good blocks have.
func floodBlocks() int {
	if os.Getenv("STARLING_LONG") != "" {
		return 5000
	}
	return 300
}

// deepAncestry offers a chain.
func (s *siege) deepAncestry(ctx context.Context, begun func()) {
	a := s.mine()
	var blocks []*woven
	last := a.granted
	for i := range floodBlocks() {
		last = s.write(a.by, seconds(1), []*woven{last}, edit(fmt.Sprintf("deep-%d.json", i%10), fmt.Sprint(i)))
		blocks = append(blocks, last)
	}
	s.owed = blocks
	s.offer(ctx, begun, &crdtpb.Hello{Heads: [][]byte{last.cid.Bytes()}}, blocks...)
}

// siblings offers first changes of one author, all after the same block: half of them
// of one path, half of a path each.
func (s *siege) siblings(ctx context.Context, begun func()) {
	var blocks []*woven
	msg := &crdtpb.Hello{}
	for i := range floodBlocks() {
		a := s.mine()
		name := "siblings.json"
		if i%2 == 0 {
			name = fmt.Sprintf("siblings/%d.json", i)
		}
		b := s.write(a.by, seconds(2), []*woven{a.granted}, edit(name, fmt.Sprintf(`{"sibling": %d}`, i)))
		blocks = append(blocks, b)
		if len(msg.Heads) < 2000 {
			msg.Heads = append(msg.Heads, b.cid.Bytes())
		}
	}
	s.owed = blocks
	s.offer(ctx, begun, msg, blocks...)
}

// poisons are contents that a reader of definitions could choke on.
func poisons() map[string]string {
	bomb := "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
	for i := range 30 {
		ref := fmt.Sprintf("*a%d", i)
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref}, ", "))
	}
	return map[string]string{
		"poison/bomb.yml":        bomb,
		"poison/merge.yaml":      "a: &a {b: &b {c: 1}}\n<<: [*a, *b, *a]\nd: *b\n",
		"poison/deep.json":       strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		"poison/deep.yml":        strings.Repeat("- ", 1000) + "1\n",
		"poison/twice.json":      `{"a": 1, "a": 2}`,
		"poison/brackets.json":   strings.Repeat("[", definition.MaxSize),
		"poison/quotes.json":     strings.Repeat(`"`, definition.MaxSize),
		"poison/number.json":     `{"id": 1` + strings.Repeat("0", 200_000) + `}`,
		"poison/binary.json":     string([]byte{0, 0xff, 0xfe, 0x1b}),
		"poison/surrogate.json":  `{"a": "\ud800"}`,
		"poison/anchors.yml":     strings.Repeat("&a ", 10_000) + "x\n",
		"poison/tabs.hjson.json": "{\n\t'''\n" + strings.Repeat("\t", 10_000),
	}
}

// poison offers them, each on three sides, so that they have to be merged too.
func (s *siege) poison(ctx context.Context, begun func()) {
	var blocks, tips []*woven
	msg := &crdtpb.Hello{}
	for name, text := range poisons() {
		a := s.mine()
		base := s.write(a.by, seconds(3), []*woven{a.granted}, edit(name, text))
		blocks = append(blocks, base)
		for i := range 3 {
			w := *a.by
			tip := s.write(&w, seconds(4), []*woven{base}, edit(name, fmt.Sprint(text[:len(text)-1], i), base))
			blocks, tips = append(blocks, tip), append(tips, tip)
			msg.Heads = append(msg.Heads, tip.cid.Bytes())
		}
	}
	s.owed = tips
	s.offer(ctx, begun, msg, blocks...)
}

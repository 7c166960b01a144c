package crdt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt/crdtpb"
)

const (
	// maxInline is the largest block that an announcement carries, in bytes.
	maxInline = 64 << 10
	// maxAnnouncement bounds an announcement in bytes.
	maxAnnouncement = maxInline + 4<<10
	// maxAnnounced is how many heads an announcement may name; this version names
	// one.
	maxAnnounced = 16
	// maxBacklog is how many blocks wait to be announced one by one; beyond it
	// only the latest is announced and the peers fetch the others.
	maxBacklog = 64
	// outbox is how many messages wait to be sent to one peer, inbox how many wait to
	// be admitted here. What finds them full is dropped; see missed.
	outbox = 32
	inbox  = 64
)

// announcer gossips the blocks that this node wrote, after they are on disk, and
// takes in those of others. It carries no weight: what is lost here comes with
// the next hello.
type announcer struct {
	exchange *Exchange
	topic    *pubsub.Topic
	sub      *pubsub.Subscription
	wake     chan struct{}

	mu      sync.Mutex
	backlog []*crdtpb.Announcement
}

func newAnnouncer(ctx context.Context, x *Exchange) (*announcer, error) {
	name := "starling/0/" + x.replica.opts.Cluster.String()
	ps, err := pubsub.NewGossipSub(ctx, x.opts.Host,
		pubsub.WithMaxMessageSize(2*maxAnnouncement),
		pubsub.WithSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(name)),
		pubsub.WithFloodPublish(true), // at once to everybody, not only along the mesh
		pubsub.WithPeerOutboundQueueSize(outbox),
		pubsub.WithRawTracer(missed{x}),
		pubsub.WithLogger(x.log),
	)
	if err != nil {
		return nil, fmt.Errorf("start gossip: %w", err)
	}
	a := &announcer{exchange: x, wake: make(chan struct{}, 1)}
	if err := ps.RegisterTopicValidator(name, a.validate, pubsub.WithValidatorInline(true)); err != nil {
		return nil, fmt.Errorf("start gossip: %w", err)
	}
	if a.topic, err = ps.Join(name); err != nil {
		return nil, fmt.Errorf("join topic: %w", err)
	}
	if a.sub, err = a.topic.Subscribe(pubsub.WithBufferSize(inbox)); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe: %w", err), a.topic.Close())
	}
	events, err := a.topic.EventHandler()
	if err != nil {
		return nil, fmt.Errorf("watch topic: %w", err)
	}
	x.wg.Go(func() { a.welcome(ctx, events) })
	x.wg.Go(func() { a.publish(ctx) })
	x.wg.Go(func() { a.receive(ctx) })
	return a, nil
}

// announce queues a block. It never blocks: Append calls it under its lock.
func (a *announcer) announce(b *block) {
	msg := &crdtpb.Announcement{Heads: [][]byte{b.cid.Bytes()}}
	if len(b.raw) <= maxInline {
		msg.Block = b.raw
	}
	a.mu.Lock()
	if len(a.backlog) == maxBacklog {
		clear(a.backlog)
		a.backlog = a.backlog[:0]
	}
	a.backlog = append(a.backlog, msg)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// publish is the announcer's goroutine.
func (a *announcer) publish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		a.mu.Lock()
		backlog := a.backlog
		a.backlog = nil
		a.mu.Unlock()
		for _, msg := range backlog {
			data, err := proto.Marshal(msg)
			if err == nil {
				err = a.topic.Publish(ctx, data)
			}
			if err != nil && ctx.Err() == nil {
				a.exchange.log.Warn("announcement failed", "err", err)
			}
		}
		// Whoever is connected but does not listen yet hears of it by a hello.
		a.exchange.greetAll(a.topic.ListPeers()...)
	}
}

// welcome is the goroutine that says hello to whoever begins to listen: what was
// announced before that, it has missed.
func (a *announcer) welcome(ctx context.Context, events *pubsub.TopicEventHandler) {
	for {
		event, err := events.NextPeerEvent(ctx)
		if err != nil {
			return
		}
		if event.Type == pubsub.PeerJoin {
			a.exchange.greet(event.Peer)
		}
	}
}

// announcement is a message that the validator has parsed.
type announcement struct {
	heads []cid.Cid
	block []byte
}

// validate runs in a pubsub worker: whoever signed the message must be a
// member, and the message well formed. Only then it is passed on.
func (a *announcer) validate(_ context.Context, _ peer.ID, msg *pubsub.Message) pubsub.ValidationResult {
	from := msg.GetFrom() // who signed it; a relay is not to blame
	author, ok := a.exchange.replica.Member(from)
	switch {
	case ok && author.Revoked:
		return pubsub.ValidationReject
	case !ok && !a.exchange.opts.Gate.IsMember(from):
		return pubsub.ValidationIgnore // its grant may not have arrived yet
	}
	var pb crdtpb.Announcement
	if len(msg.GetData()) > maxAnnouncement || proto.Unmarshal(msg.GetData(), &pb) != nil ||
		len(pb.GetHeads()) == 0 || len(pb.GetHeads()) > maxAnnounced {
		a.exchange.replica.blame(from, cid.Undef, refuse(ReasonEncoding, "announcement is malformed"))
		return pubsub.ValidationReject
	}
	out := &announcement{block: pb.GetBlock()}
	for _, b := range pb.GetHeads() {
		c, err := cid.Cast(b)
		if err != nil {
			a.exchange.replica.blame(from, cid.Undef, refuse(ReasonCID, "announcement names a head that is no CID"))
			return pubsub.ValidationReject
		}
		out.heads = append(out.heads, c)
	}
	msg.ValidatorData = out
	return pubsub.ValidationAccept
}

// receive is the goroutine that takes announcements in: the block is admitted
// at once if its ancestry is there, and fetched with its ancestry if not.
func (a *announcer) receive(ctx context.Context) {
	for {
		msg, err := a.sub.Next(ctx)
		if err != nil {
			return // closed
		}
		news, ok := msg.ValidatorData.(*announcement)
		if !ok || msg.GetFrom() == a.exchange.opts.Host.ID() {
			continue
		}
		if !a.admitInline(ctx, msg.GetFrom(), news) { // who wrote it, not a relay, is to blame
			a.exchange.want(msg.ReceivedFrom, news.heads)
		}
	}
}

// admitInline admits the block of an announcement and reports whether nothing is
// left to fetch.
func (a *announcer) admitInline(ctx context.Context, from peer.ID, news *announcement) bool {
	r := a.exchange.replica
	if r.Holds(news.heads) {
		return true
	}
	if len(news.block) == 0 {
		return false
	}
	b, err := r.openFrom(from, news.block)
	if err != nil {
		return true // refused for ever
	}
	if m, ok := r.Member(b.author); ok && m.Revoked {
		return true // fetched only as the ancestry of a standing member's block
	}
	if _, err := r.admit(ctx, from, []*block{b}); err != nil {
		return reasonOf(err) != ""
	}
	return r.Holds(news.heads)
}

package crdt

import (
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// missed watches what gossip drops, for its queues are short: a peer that takes
// announcements more slowly than they are made gets no more of them in a row than a
// queue holds, and fetches the rest when a hello tells it of the heads. What waits
// for a slow peer so waits in the set, which is on disk. Gossip calls the methods;
// they do not block.
type missed struct{ exchange *Exchange }

// DropRPC is called for what was not sent to a peer.
func (m missed) DropRPC(_ *pubsub.RPC, p peer.ID) { m.exchange.missed(p) }

// UndeliverableMessage is called for what this node was too slow to take in. It is
// fetched from its author: a relay may have refused it since.
func (m missed) UndeliverableMessage(msg *pubsub.Message) {
	if news, ok := msg.ValidatorData.(*announcement); ok {
		m.exchange.want(msg.GetFrom(), news.heads)
	}
}

func (missed) OnNewOutboundStream(peer.ID, protocol.ID)             {}
func (missed) OnClosedOutboundStream(peer.ID)                       {}
func (missed) Join(string)                                          {}
func (missed) Leave(string)                                         {}
func (missed) Graft(peer.ID, string)                                {}
func (missed) Prune(peer.ID, string)                                {}
func (missed) ValidateMessage(*pubsub.Message)                      {}
func (missed) DeliverMessage(*pubsub.Message)                       {}
func (missed) RejectMessage(*pubsub.Message, string)                {}
func (missed) DuplicateMessage(*pubsub.Message)                     {}
func (missed) ThrottlePeer(peer.ID)                                 {}
func (missed) RecvRPC(*pubsub.RPC)                                  {}
func (missed) SendRPC(*pubsub.RPC, peer.ID)                         {}
func (missed) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}

// missed notes that a peer is to hear of the heads by a hello.
func (x *Exchange) missed(p peer.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.links[p]; l != nil && !l.missed {
		l.missed = true
		l.nudge()
	}
}

func (x *Exchange) takeMissed(l *link) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	missed := l.missed
	l.missed = false
	return missed
}

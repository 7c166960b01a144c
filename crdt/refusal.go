package crdt

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/trust"
)

// Reason says which rule a refused block breaks. Reasons are the labels of the
// refusal counter, so they are few and stable.
type Reason string

// Reasons for which a block is refused. All but ReasonMissing depend on the
// block and its ancestry alone, never on the clock, on what else has arrived,
// or on revocations, so every node refuses the same blocks.
const (
	ReasonCID       Reason = "cid"       // not CIDv1, dag-pb, SHA-256, or another block's
	ReasonBlock     Reason = "block"     // does not follow from its element (links, priority, key, tombstones, second element)
	ReasonEncoding  Reason = "encoding"  // not canonical, not parsable
	ReasonSignature Reason = "signature" // missing, wrong, or not Ed25519
	ReasonCluster   Reason = "cluster"   // of another cluster
	ReasonLimit     Reason = "limit"     // larger than the format allows
	ReasonChain     Reason = "chain"     // prev or seq is wrong
	ReasonParent    Reason = "parent"    // a parent names no edit of that path in the ancestry
	ReasonPath      Reason = "path"      // a path is not valid or comes twice
	ReasonEdit      Reason = "edit"      // an edit contradicts itself
	ReasonGrant     Reason = "grant"     // no grant in the ancestry lets the author do this
	ReasonMissing   Reason = "missing"   // a peer did not deliver what it announced
)

// ErrRefused is wrapped by every error that refuses a block.
var ErrRefused = errors.New("block refused")

// refusal is the error that refuses one block.
type refusal struct {
	reason Reason
	detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("block refused (%s): %s", r.reason, r.detail) }

func (r *refusal) Is(target error) bool { return target == ErrRefused }

func refuse(reason Reason, format string, args ...any) error {
	return &refusal{reason: reason, detail: fmt.Sprintf(format, args...)}
}

// reasonOf returns why err refuses a block, or "" if it does not.
func reasonOf(err error) Reason {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reason
	}
	return ""
}

// refusals counts refused blocks by reason and by the peer that sent them, and
// remembers the latest ones, so that a block that is sent again and again costs a
// map look-up.
type refusals struct {
	mu     sync.Mutex
	counts map[Reason]uint64
	peers  map[peer.ID]map[Reason]uint64 // members only: nobody else is listened to
	known  map[string]error
	order  []string
	next   int
}

// maxKnownRefusals bounds the negative cache.
const maxKnownRefusals = 4096

func newRefusals() *refusals {
	return &refusals{
		counts: make(map[Reason]uint64),
		peers:  make(map[peer.ID]map[Reason]uint64),
		known:  make(map[string]error),
	}
}

// add counts a refusal and remembers the block's CID. It returns how many blocks
// of the peer were refused for this reason by now.
func (r *refusals) add(from peer.ID, cid string, err error) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	reason := reasonOf(err)
	r.counts[reason]++
	if r.peers[from] == nil {
		r.peers[from] = make(map[Reason]uint64)
	}
	r.peers[from][reason]++
	if cid != "" && reason != ReasonMissing {
		r.remember(cid, err)
	}
	return r.peers[from][reason]
}

// remember puts a block into the negative cache. The caller holds mu.
func (r *refusals) remember(cid string, err error) {
	if _, ok := r.known[cid]; ok {
		return
	}
	if len(r.order) < maxKnownRefusals {
		r.order = append(r.order, cid)
	} else {
		delete(r.known, r.order[r.next])
		r.order[r.next] = cid
		r.next = (r.next + 1) % maxKnownRefusals
	}
	r.known[cid] = err
}

// find returns the error that refused the block earlier, or nil.
func (r *refusals) find(cid string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[cid]
}

func (r *refusals) snapshot() map[Reason]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}

// RefusedFrom returns how many blocks of a peer were refused since the start, by
// reason.
func (r *Replica) RefusedFrom(p peer.ID) map[Reason]uint64 {
	r.refused.mu.Lock()
	defer r.refused.mu.Unlock()
	return maps.Clone(r.refused.peers[p])
}

// refuseEncoding turns an error of a statement's parser into a refusal.
func refuseEncoding(err error) error {
	if err == nil {
		return nil
	}
	return refuse(ReasonEncoding, "%v", err)
}

// refuseEnvelope turns an error of trust.OpenEnvelope into a refusal.
func refuseEnvelope(err error) error {
	if errors.Is(err, trust.ErrSignature) {
		return refuse(ReasonSignature, "%v", err)
	}
	return refuse(ReasonEncoding, "%v", err)
}

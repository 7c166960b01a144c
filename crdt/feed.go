package crdt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"
	dscrdt "github.com/ipfs/go-ds-crdt"
	dspb "github.com/ipfs/go-ds-crdt/pb"
	"google.golang.org/protobuf/proto"
)

// errFeedClosed is returned by handOver once the feed is closed.
var errFeedClosed = errors.New("replica is closed")

// feed is go-ds-crdt's Broadcaster. It hands over admitted blocks one at a
// time; what go-ds-crdt wants broadcast it drops, because Append announces its
// blocks itself, after they are on disk.
type feed struct {
	blocks chan cid.Cid
	done   chan struct{} // one value each time go-ds-crdt is through with a block
	closed chan struct{}
	close  func()
	busy   bool // only Next touches it
}

func newFeed() *feed {
	f := &feed{blocks: make(chan cid.Cid), done: make(chan struct{}, 1), closed: make(chan struct{})}
	f.close = sync.OnceFunc(func() { close(f.closed) })
	return f
}

// Broadcast implements the Broadcaster of go-ds-crdt.
func (*feed) Broadcast(context.Context, []byte) error { return nil }

// Next implements the Broadcaster of go-ds-crdt, which calls it from one
// goroutine and, between two calls, processes what the first one returned.
func (f *feed) Next(ctx context.Context) ([]byte, error) {
	if f.busy {
		f.busy = false
		f.done <- struct{}{}
	}
	select {
	case <-ctx.Done():
		return nil, dscrdt.ErrNoMoreBroadcast
	case <-f.closed:
		return nil, dscrdt.ErrNoMoreBroadcast
	case c := <-f.blocks:
		f.busy = true
		return proto.Marshal(&dspb.CRDTBroadcast{Heads: []*dspb.Head{{Cid: c.Bytes()}}})
	}
}

// handOver gives a stored block to go-ds-crdt and waits until it is processed.
// The caller holds the append lock.
func (r *Replica) handOver(ctx context.Context, b *block) error {
	r.dag.work(b, nil)
	select {
	case r.feed.blocks <- b.cid:
	case <-r.feed.closed:
		return errFeedClosed
	}
	select { // not ctx: go-ds-crdt must not be left in the middle of a block
	case <-r.feed.done:
	case <-r.feed.closed:
		return errFeedClosed
	}
	ok, err := r.store.Has(ctx, processedKey(b.cid))
	if err != nil {
		return fmt.Errorf("hand over block %s: %w", b.cid, err)
	}
	if !ok {
		return fmt.Errorf("hand over block %s: go-ds-crdt did not process it", b.cid)
	}
	return nil
}

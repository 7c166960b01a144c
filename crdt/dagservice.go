package crdt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// errReadOnly is returned by what go-ds-crdt never asks of its DAG service.
var errReadOnly = errors.New("the block store only grows")

// dagService is go-ds-crdt's view of the block store. It fetches nothing: the
// admission puts whole ancestries in the store before go-ds-crdt hears of them.
type dagService struct {
	store *store
	// find returns the priority of a stored block.
	find func(cid.Cid) (uint64, bool)

	mu sync.Mutex
	// current is the block that go-ds-crdt is working on, and its node.
	current *block
	node    *merkledag.ProtoNode
	// records are written in the same batch as the current block.
	records map[string][]byte
}

// work names the block that go-ds-crdt will ask for next, with the records that
// Add writes along.
func (d *dagService) work(b *block, records map[string][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current, d.node, d.records = b, nil, records
}

// Get implements ipld.NodeGetter from the local store alone.
func (d *dagService) Get(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current == nil || d.current.cid != c {
		return d.stored(ctx, c)
	}
	if d.node == nil {
		nd, err := decodeNode(d.current.raw, c)
		if err != nil {
			return nil, err
		}
		d.node = nd
	}
	return d.node, nil
}

func (d *dagService) stored(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	prio, ok := d.find(c)
	if !ok {
		return nil, ipld.ErrNotFound{Cid: c}
	}
	raw, err := d.store.Get(ctx, blockKey(prio, c))
	if err != nil {
		return nil, fmt.Errorf("read block %s: %w", c, err)
	}
	return decodeNode(raw, c)
}

// GetMany implements ipld.NodeGetter.
func (d *dagService) GetMany(ctx context.Context, cids []cid.Cid) <-chan *ipld.NodeOption {
	out := make(chan *ipld.NodeOption, len(cids))
	defer close(out)
	for _, c := range cids {
		nd, err := d.Get(ctx, c)
		out <- &ipld.NodeOption{Node: nd, Err: err}
	}
	return out
}

// Add implements ipld.NodeAdder for the block that Append is writing. go-ds-crdt
// links a block to all its heads; Add trims the links to the element's `after`
// before go-ds-crdt asks for the CID, and stores only the block that the
// element determines.
func (d *dagService) Add(ctx context.Context, nd ipld.Node) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	pn, ok := nd.(*merkledag.ProtoNode)
	if !ok || d.current == nil {
		return errors.New("add block: go-ds-crdt made one that nobody asked for")
	}
	if err := setLinks(pn, d.current.After); err != nil {
		return fmt.Errorf("add block: %w", err)
	}
	if pn.Cid() != d.current.cid {
		return fmt.Errorf("add block: go-ds-crdt made %s, the element determines %s", pn.Cid(), d.current.cid)
	}
	return d.store.write(ctx, d.current, d.records)
}

// AddMany implements ipld.NodeAdder.
func (d *dagService) AddMany(ctx context.Context, nodes []ipld.Node) error {
	for _, nd := range nodes {
		if err := d.Add(ctx, nd); err != nil {
			return err
		}
	}
	return nil
}

// Remove implements ipld.DAGService by refusing.
func (*dagService) Remove(context.Context, cid.Cid) error { return errReadOnly }

// RemoveMany implements ipld.DAGService by refusing.
func (*dagService) RemoveMany(context.Context, []cid.Cid) error { return errReadOnly }

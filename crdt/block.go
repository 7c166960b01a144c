package crdt

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	dspb "github.com/ipfs/go-ds-crdt/pb"
	ipld "github.com/ipfs/go-ipld-format"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// A block is fully determined by its element: its links are the element's
// `after`, its priority is one more than the highest of its links', and its one
// key is the element's id. So ancestry is signed, and nobody can wrap an old
// element in a new block. To check a block is to build it again.

// maxBlock bounds a raw block: an element, its links once more, the frame.
const maxBlock = MaxElement + trust.MaxAfter*48 + 1024

// block is a block that has proved all that it can by itself.
type block struct {
	cid     cid.Cid
	raw     []byte
	prio    uint64
	element []byte
	id      definition.ChangeID
	kind    string
	author  peer.ID
	trust.Header

	change     *change           // of KindChange
	grant      *trust.Grant      // of KindGrant
	revocation *trust.Revocation // of KindRevocation
	rules      *trust.Rules      // of KindRules
}

// elementKey is the key of an element in go-ds-crdt.
func elementKey(id definition.ChangeID) ds.Key { return ds.NewKey(id.String()) }

// buildNode returns the DAG node around an element, as go-ds-crdt makes it.
func buildNode(element []byte, after []cid.Cid, prio uint64) (*merkledag.ProtoNode, error) {
	id := definition.ChangeID(definition.HashOf(element))
	data, err := proto.Marshal(&dspb.Delta{
		Elements: []*dspb.Element{{Key: elementKey(id).String(), Value: element}},
		Priority: prio,
	})
	if err != nil {
		return nil, err
	}
	nd := merkledag.NodeWithData(data)
	if err := nd.SetCidBuilder(merkledag.V1CidPrefix()); err != nil {
		return nil, err
	}
	return nd, setLinks(nd, after)
}

// setLinks makes after the links of a node.
func setLinks(nd *merkledag.ProtoNode, after []cid.Cid) error {
	links := make([]*ipld.Link, len(after))
	for i, c := range after {
		links[i] = &ipld.Link{Cid: c}
	}
	return nd.SetLinks(links)
}

// cidOf returns the CID of a raw block.
func cidOf(raw []byte) (cid.Cid, error) {
	c, err := merkledag.V1CidPrefix().Sum(raw)
	if err != nil {
		return cid.Undef, fmt.Errorf("hash block: %w", err)
	}
	return c, nil
}

// decodeNode parses a raw block for go-ds-crdt.
func decodeNode(raw []byte, c cid.Cid) (*merkledag.ProtoNode, error) {
	nd, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return nil, err
	}
	if err := nd.SetCidBuilder(merkledag.V1CidPrefix()); err != nil {
		return nil, err
	}
	if nd.Cid() != c {
		return nil, fmt.Errorf("decode block %s: bytes are another block's", c)
	}
	return nd, nil
}

// openBlock checks a block of the given cluster as far as it can prove itself:
// form, limits, encoding, signature, cluster and the element's own rules. What
// its ancestry must prove is for index.check. It is safe for concurrent use.
// Blocks from the node's own store were opened before they were stored: they are
// parsed, but neither verified nor built again (stored).
func openBlock(raw []byte, cluster trust.ClusterID, stored bool) (*block, error) {
	if len(raw) > maxBlock {
		return nil, refuse(ReasonLimit, "block of %d bytes", len(raw))
	}
	nd, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return nil, refuse(ReasonBlock, "%v", err)
	}
	var delta dspb.Delta
	if err := proto.Unmarshal(nd.Data(), &delta); err != nil {
		return nil, refuse(ReasonBlock, "%v", err)
	}
	if len(delta.GetElements()) != 1 || len(delta.GetTombstones()) != 0 {
		return nil, refuse(ReasonBlock, "%d elements and %d tombstones", len(delta.GetElements()), len(delta.GetTombstones()))
	}
	element := delta.GetElements()[0].GetValue()
	b, err := openElement(element, cluster, stored)
	if err != nil {
		return nil, err
	}
	b.raw, b.prio = raw, delta.GetPriority()
	if b.cid, err = cidOf(raw); err != nil || stored {
		return b, err
	}
	again, err := buildNode(element, b.After, b.prio)
	if err != nil {
		return nil, fmt.Errorf("build block: %w", err)
	}
	if b.prio == 0 || again.Cid() != b.cid {
		return nil, refuse(ReasonBlock, "block does not follow from its element")
	}
	return b, nil
}

// openBlocks opens blocks on all processors, for verifying signatures is most of the
// work of a fetch, and parsing that of a start. It returns what open made of those
// before the first that has an error, and that error.
func openBlocks(raws [][]byte, open func([]byte) (*block, error)) ([]*block, error) {
	blocks, errs := make([]*block, len(raws)), make([]error, len(raws))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(raws)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(raws)); i = next.Add(1) - 1 {
				if blocks[i], errs[i] = open(raws[i]); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return blocks[:i], err
		}
	}
	return blocks, nil
}

// openElement checks an element without its block.
func openElement(element []byte, cluster trust.ClusterID, stored bool) (*block, error) {
	if len(element) > MaxElement {
		return nil, refuse(ReasonLimit, "element of %d bytes", len(element))
	}
	open := trust.OpenEnvelope
	if stored {
		open = trust.ParseEnvelope
	}
	env, err := open(element)
	if err != nil {
		return nil, refuseEnvelope(err)
	}
	b := &block{
		element: element,
		id:      definition.ChangeID(definition.HashOf(element)),
		kind:    env.Kind,
		author:  env.Author,
	}
	if err := b.parsePayload(env.Payload, stored); err != nil {
		return nil, err
	}
	if b.Cluster != cluster {
		return nil, refuse(ReasonCluster, "element is of another cluster")
	}
	if b.grant != nil || b.revocation != nil || b.rules != nil {
		if !isAuthority(b.author, cluster) {
			return nil, refuse(ReasonGrant, "statement is not signed by the authority")
		}
	}
	return b, nil
}

func (b *block) parsePayload(payload []byte, stored bool) error {
	switch b.kind {
	case trust.KindChange:
		c, err := parseChange(payload, stored)
		b.change, b.Header = &c, c.Header
		return err
	case trust.KindGrant:
		g, err := trust.ParseGrant(payload)
		b.grant, b.Header = &g, trust.Header{Cluster: g.Cluster, After: g.After}
		return refuseEncoding(err)
	case trust.KindRevocation:
		r, err := trust.ParseRevocation(payload)
		b.revocation, b.Header = &r, trust.Header{Cluster: r.Cluster, After: r.After}
		return refuseEncoding(err)
	case trust.KindRules:
		r, err := trust.ParseRules(payload)
		b.rules, b.Header = &r, trust.Header{Cluster: r.Cluster, After: r.After}
		return refuseEncoding(err)
	default: // of a later version: admitted without effect
		h, err := trust.ParseHeader(payload)
		b.Header = h
		return refuseEncoding(err)
	}
}

// isAuthority reports whether the author is the cluster's authority, whose key
// names the cluster.
func isAuthority(author peer.ID, cluster trust.ClusterID) bool {
	key, err := author.ExtractPublicKey()
	if err != nil {
		return false
	}
	id, err := trust.ClusterOf(key)
	return err == nil && id == cluster
}

package oracle

import (
	"crypto/sha256"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// node is an element as the graph has it.
type node struct {
	element []byte
	after   [][]byte // the CIDs that it links to
}

func readNode(element []byte, env trust.Envelope) (node, error) {
	h, err := trust.ParseHeader(env.Payload)
	if err != nil {
		return node{}, err
	}
	n := node{element: element}
	for _, c := range h.After {
		n.after = append(n.after, c.Bytes())
	}
	return n, nil
}

// depthsOf returns how deep each element lies in the graph: one that links to none
// at 1, each other one below the deepest that it links to. What links to something
// that is not among them is not either.
func depthsOf(nodes []node) map[definition.ChangeID]uint64 {
	depths := make(map[definition.ChangeID]uint64, len(nodes))
	byCID := make(map[string]uint64, len(nodes))
	for found := true; found; {
		found = false
		var left []node
		for _, n := range nodes {
			depth, ok := uint64(1), true
			for _, c := range n.after {
				above, known := byCID[string(c)]
				depth, ok = max(depth, above+1), ok && known
			}
			if !ok {
				left = append(left, n)
				continue
			}
			found = true
			depths[definition.ChangeID(sha256.Sum256(n.element))] = depth
			byCID[n.cid(depth)] = depth
		}
		nodes = left
	}
	return depths
}

// cid returns the CID of the element's block: dag-pb, whose one link has a hash, an
// empty name and no size, around go-ds-crdt's delta of one element.
func (n node) cid(depth uint64) string {
	var block []byte
	for _, c := range n.after {
		var link []byte
		link = protowire.AppendBytes(protowire.AppendTag(link, 1, protowire.BytesType), c)
		link = protowire.AppendBytes(protowire.AppendTag(link, 2, protowire.BytesType), nil)
		link = protowire.AppendVarint(protowire.AppendTag(link, 3, protowire.VarintType), 0)
		block = protowire.AppendBytes(protowire.AppendTag(block, 2, protowire.BytesType), link)
	}
	var entry, delta []byte
	key := "/" + definition.ChangeID(sha256.Sum256(n.element)).String()
	entry = protowire.AppendString(protowire.AppendTag(entry, 1, protowire.BytesType), key)
	entry = protowire.AppendBytes(protowire.AppendTag(entry, 3, protowire.BytesType), n.element)
	delta = protowire.AppendBytes(protowire.AppendTag(delta, 1, protowire.BytesType), entry)
	delta = protowire.AppendVarint(protowire.AppendTag(delta, 3, protowire.VarintType), depth)
	block = protowire.AppendBytes(protowire.AppendTag(block, 1, protowire.BytesType), delta)
	hash := sha256.Sum256(block)
	return "\x01\x70\x12\x20" + string(hash[:])
}

package oracle

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// set is all elements, read.
type set struct {
	changes     map[definition.ChangeID]*change
	grants      []trust.Grant
	revocations []trust.Revocation
	part        func(definition.ChangeID) bool // which changes give versions
	depths      map[definition.ChangeID]uint64 // of the elements in the graph
}

// change is a batch of edits.
type change struct {
	author peer.ID
	prev   definition.ChangeID
	time   uint64
	edits  map[definition.Path]*crdtpb.Edit
}

// read opens elements, whose signatures must be right. Kinds that this version
// does not know have no effect.
func read(elements [][]byte) (*set, error) {
	s := &set{changes: make(map[definition.ChangeID]*change)}
	var nodes []node
	for _, element := range elements {
		env, err := trust.OpenEnvelope(element)
		if err != nil {
			return nil, err
		}
		n, err := readNode(element, env)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		switch env.Kind {
		case trust.KindChange:
			c, err := readChange(env)
			if err != nil {
				return nil, err
			}
			s.changes[definition.ChangeID(definition.HashOf(element))] = c
		case trust.KindGrant:
			g, err := trust.ParseGrant(env.Payload)
			if err != nil {
				return nil, err
			}
			s.grants = append(s.grants, g)
		case trust.KindRevocation:
			r, err := trust.ParseRevocation(env.Payload)
			if err != nil {
				return nil, err
			}
			s.revocations = append(s.revocations, r)
		}
	}
	s.depths = depthsOf(nodes)
	return s, nil
}

func readChange(env trust.Envelope) (*change, error) {
	var msg crdtpb.Change
	if err := proto.Unmarshal(env.Payload, &msg); err != nil {
		return nil, fmt.Errorf("read change: %w", err)
	}
	c := &change{author: env.Author, time: msg.GetTime(), edits: make(map[definition.Path]*crdtpb.Edit)}
	copy(c.prev[:], msg.GetPrev())
	for _, e := range msg.GetEdits() {
		path, err := definition.ParsePath(e.GetPath())
		if err != nil {
			return nil, fmt.Errorf("read change: %w", err)
		}
		c.edits[path] = e
	}
	return c, nil
}

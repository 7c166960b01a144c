package crdt_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	dspb "github.com/ipfs/go-ds-crdt/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	recordpb "github.com/libp2p/go-libp2p/core/record/pb"
	"github.com/multiformats/go-multihash"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// attack is what one hostile peer can draw on.
type attack struct {
	*weaver
	by      *writer // granted
	granted *woven  // its grant
	base    *woven  // what was there before, an ancestor of granted
	other   *writer // granted too, in the ancestry of granted
	theirs  *woven  // a first change of other, of the path theirs.json, on top of granted
	note    string  // tells its changes from those of other attacks
}

// ok is a change that would be accepted.
func (a *attack) ok(edits ...*crdtpb.Edit) *crdtpb.Change {
	if edits == nil {
		edits = []*crdtpb.Edit{edit("x.json", "x")}
	}
	msg := a.change(a.by, seconds(1), []*woven{a.granted}, edits...)
	msg.Note = a.note
	return msg
}

// bend seals a change that a function has bent.
func (a *attack) bend(bend func(*crdtpb.Change)) *woven {
	msg := a.ok()
	bend(msg)
	return a.sealChange(a.by.key, msg, a.granted)
}

// edits seals a change of these edits.
func (a *attack) edits(edits ...*crdtpb.Edit) *woven {
	return a.sealChange(a.by.key, a.ok(edits...), a.granted)
}

// reframe puts a good element in a bent frame.
func (a *attack) reframe(bend func(*frame)) *woven {
	good := a.edits()
	f := frameOf(good.element, []*woven{a.granted})
	bend(&f)
	return a.block(f)
}

// payload seals the bytes of a good change after a function has bent them.
func (a *attack) payload(bend func([]byte) []byte) *woven {
	a.t.Helper()
	good, err := proto.MarshalOptions{Deterministic: true}.Marshal(a.ok())
	if err != nil {
		a.t.Fatal(err)
	}
	return a.seal(a.by.key, trust.KindChange, bend(good), a.granted)
}

// envelope puts a good change in a bent envelope.
func (a *attack) envelope(bend func(*recordpb.Envelope)) *woven {
	a.t.Helper()
	var env recordpb.Envelope
	if err := proto.Unmarshal(a.edits().element, &env); err != nil {
		a.t.Fatal(err)
	}
	bend(&env)
	element, err := proto.Marshal(&env)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.block(frameOf(element, []*woven{a.granted}))
}

// statement seals a payload of the authority's kinds.
func (a *attack) statement(key crypto.PrivKey, kind string, marshal func() ([]byte, error), after ...*woven) *woven {
	a.t.Helper()
	payload, err := marshal()
	if err != nil {
		a.t.Fatal(err)
	}
	return a.seal(key, kind, payload, after...)
}

func withField(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(slices.Clone(b), num, protowire.BytesType), []byte("?"))
}

// refusalTest offers blocks in order; all but the last are good.
type refusalTest struct {
	name   string
	want   crdt.Reason
	blocks func(a *attack) []*woven
}

// onTheirs is a change on top of another's, whose edit a function has bent.
func onTheirs(bend func(*crdtpb.Edit)) func(a *attack) []*woven {
	return func(a *attack) []*woven {
		e := edit("theirs.json", "x", a.theirs)
		bend(e)
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, e), a.theirs)}
	}
}

// resolved names conflicts at these pointers, of two sides that need not be there.
func resolved(pointers ...string) []*crdtpb.ResolvedConflict {
	var out []*crdtpb.ResolvedConflict
	for _, p := range pointers {
		out = append(out, &crdtpb.ResolvedConflict{Lost: make([]byte, 32), Stands: make([]byte, 32), Pointer: p})
	}
	return out
}

// refusalTests has a case for each rule by which a block is refused.
var refusalTests = []refusalTest{
	// The block.
	{"no dag-pb", crdt.ReasonBlock, func(a *attack) []*woven {
		b := a.edits()
		b.raw = append([]byte{0xff}, b.raw...)
		return []*woven{b}
	}},
	{"no delta", crdt.ReasonBlock, func(a *attack) []*woven {
		b := a.edits()
		return []*woven{a.block(frame{links: []cid.Cid{b.cid}, delta: &dspb.Delta{}})}
	}},
	{"bytes after the block", crdt.ReasonBlock, func(a *attack) []*woven {
		b := a.edits()
		b.raw = withField(9, b.raw)
		return []*woven{b}
	}},
	{"a link too many", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.links = append(f.links, a.base.cid) })}
	}},
	{"a link too few", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.links = nil })}
	}},
	{"another link", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.links[0] = a.base.cid })}
	}},
	{"a priority too high", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Priority++ })}
	}},
	{"a priority too low", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Priority = 1 })}
	}},
	{"no priority", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Priority = 0 })}
	}},
	{"the highest priority", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Priority = 1<<64 - 1 })}
	}},
	{"a tombstone", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) {
			f.delta.Tombstones = []*dspb.Element{{Key: "/" + a.granted.id.String(), Id: "x"}}
		})}
	}},
	{"only a tombstone", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.block(frame{links: []cid.Cid{a.granted.cid}, delta: &dspb.Delta{
			Priority:   a.granted.prio + 1,
			Tombstones: []*dspb.Element{{Key: "/../../h", Id: "x"}},
		}})}
	}},
	{"a key that climbs", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Elements[0].Key = "/../../h/x" })}
	}},
	{"another element's key", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Elements[0].Key = "/" + a.granted.id.String() })}
	}},
	{"an element with an id", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Elements[0].Id = "x" })}
	}},
	{"two elements", crdt.ReasonBlock, func(a *attack) []*woven {
		return []*woven{a.reframe(func(f *frame) { f.delta.Elements = append(f.delta.Elements, f.delta.Elements[0]) })}
	}},
	{"an old element in a new block", crdt.ReasonBlock, func(a *attack) []*woven {
		old := a.edits()
		next := a.sealChange(a.other.key, a.change(a.other, seconds(1), []*woven{old}, edit("y.json", "y")), old)
		return []*woven{old, next, a.block(frameOf(old.element, []*woven{next}))}
	}},

	// The envelope.
	{"no envelope", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.block(frameOf([]byte("starling"), []*woven{a.granted}))}
	}},
	{"a forged signature", crdt.ReasonSignature, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) { e.Signature[7] ^= 1 })}
	}},
	{"no signature", crdt.ReasonSignature, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) { e.Signature = nil })}
	}},
	{"another author's name", crdt.ReasonSignature, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) {
			key, err := crypto.PublicKeyToProto(a.other.key.GetPublic())
			if err != nil {
				a.t.Fatal(err)
			}
			e.PublicKey = key
		})}
	}},
	{"another kind than was signed", crdt.ReasonSignature, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) { e.PayloadType = []byte("starling/change/2") })}
	}},
	{"another payload than was signed", crdt.ReasonSignature, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) {
			e.Payload = bytes.Replace(e.GetPayload(), []byte("x.json"), []byte("y.json"), 1)
		})}
	}},
	{"an unknown field of the envelope", crdt.ReasonEncoding, func(a *attack) []*woven {
		good := a.edits()
		return []*woven{a.block(frameOf(withField(9, good.element), []*woven{a.granted}))}
	}},
	{"no kind of envelope", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.envelope(func(e *recordpb.Envelope) { e.PayloadType = []byte("libp2p-peer-record") })}
	}},

	// The encoding of a change.
	{"an unknown field", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func(b []byte) []byte { return withField(99, b) })}
	}},
	{"an unknown field of an edit", crdt.ReasonEncoding, func(a *attack) []*woven {
		e := edit("x.json", "x")
		e.ProtoReflect().SetUnknown(withField(99, nil))
		return []*woven{a.edits(e)}
	}},
	{"fields in another order", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func(b []byte) []byte {
			_, _, n := protowire.ConsumeField(b) // the cluster, behind the rest
			return slices.Concat(b[n:], b[:n])
		})}
	}},
	{"a field twice", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func(b []byte) []byte {
			return protowire.AppendVarint(protowire.AppendTag(slices.Clone(b), 3, protowire.VarintType), 1)
		})}
	}},
	{"a default written out", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func(b []byte) []byte {
			return protowire.AppendBytes(protowire.AppendTag(slices.Clone(b), 7, protowire.BytesType), nil)
		})}
	}},
	{"no protobuf", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func([]byte) []byte { return []byte{0xff, 0xff} })}
	}},
	{"a note that is no UTF-8", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.payload(func(b []byte) []byte {
			return protowire.AppendBytes(protowire.AppendTag(slices.Clone(b), 7, protowire.BytesType), []byte{0xff})
		})}
	}},
	{"links of another kind", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.After[0][1] = cid.Raw })}
	}},
	{"links out of order", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.After = append(m.After, m.After[0]) })}
	}},
	{"too many links", crdt.ReasonEncoding, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) {
			for i := range trust.MaxAfter {
				h, err := multihash.Sum(fmt.Append(nil, i), multihash.SHA2_256, -1)
				if err != nil {
					a.t.Fatal(err)
				}
				m.After = append(m.After, cid.NewCidV1(cid.DagProtobuf, h).Bytes())
			}
			slices.SortFunc(m.GetAfter(), bytes.Compare)
		})}
	}},

	// The cluster.
	{"another cluster", crdt.ReasonCluster, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Cluster = bytes.Repeat([]byte{1}, 32) })}
	}},

	// Limits.
	{"too large a content", crdt.ReasonLimit, func(a *attack) []*woven {
		return []*woven{a.edits(edit("x.json", strings.Repeat("x", definition.MaxSize+1)))}
	}},
	{"too large an element", crdt.ReasonLimit, func(a *attack) []*woven {
		var edits []*crdtpb.Edit
		for i := range 4 {
			edits = append(edits, edit(fmt.Sprintf("%d.json", i), strings.Repeat("x", 200<<10)))
		}
		return []*woven{a.edits(edits...)}
	}},
	{"too many edits", crdt.ReasonLimit, func(a *attack) []*woven {
		var edits []*crdtpb.Edit
		for i := range crdt.MaxEdits + 1 {
			edits = append(edits, edit(fmt.Sprintf("%05d.json", i), "x"))
		}
		return []*woven{a.edits(edits...)}
	}},
	{"no edits", crdt.ReasonLimit, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Edits = nil })}
	}},
	{"too many parents", crdt.ReasonLimit, func(a *attack) []*woven {
		e := edit("x.json", "x")
		for i := range 513 {
			e.Parents = append(e.Parents, &crdtpb.Parent{Change: fmt.Appendf(nil, "%032d", i)})
		}
		return []*woven{a.edits(e)}
	}},
	{"too long a note", crdt.ReasonLimit, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Note = strings.Repeat("x", 4<<10+1) })}
	}},
	{"too long an actor", crdt.ReasonLimit, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Actor = strings.Repeat("x", 257) })}
	}},

	// The chain.
	{"no number", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Seq = 0 })}
	}},
	{"a second change without prev", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Seq = 2 })}
	}},
	{"a first change with prev", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Prev = a.granted.id[:] })}
	}},
	{"a short prev", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Seq, m.Prev = 2, []byte("short") })}
	}},
	{"a prev that is nothing", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Seq, m.Prev = 2, bytes.Repeat([]byte{1}, 32) })}
	}},
	{"a prev that is no change", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.bend(func(m *crdtpb.Change) { m.Seq, m.Prev = 2, a.granted.id[:] })}
	}},
	{"a number left out", crdt.ReasonChain, func(a *attack) []*woven {
		one := a.write(a.by, seconds(1), []*woven{a.granted}, edit("x.json", "1"))
		msg := a.change(a.by, seconds(2), []*woven{one}, edit("x.json", "2", one))
		msg.Seq = 3
		return []*woven{one, a.sealChange(a.by.key, msg, one)}
	}},
	{"another author's prev", crdt.ReasonChain, func(a *attack) []*woven {
		msg := a.change(a.by, seconds(1), []*woven{a.theirs}, edit("x.json", "x"))
		msg.Seq, msg.Prev = 2, a.theirs.id[:]
		return []*woven{a.theirs, a.sealChange(a.by.key, msg, a.theirs)}
	}},
	{"a prev outside the ancestry", crdt.ReasonChain, func(a *attack) []*woven {
		one := a.write(a.by, seconds(1), []*woven{a.granted}, edit("x.json", "1"))
		return []*woven{one, a.sealChange(a.by.key, a.change(a.by, seconds(2), []*woven{a.granted}, edit("x.json", "2")), a.granted)}
	}},

	// Parents.
	{"a parent that is nothing", crdt.ReasonParent, func(a *attack) []*woven {
		e := edit("x.json", "x")
		e.Parents = []*crdtpb.Parent{{Change: bytes.Repeat([]byte{1}, 32)}}
		return []*woven{a.edits(e)}
	}},
	{"a parent that is no change", crdt.ReasonParent, func(a *attack) []*woven {
		return []*woven{a.edits(edit("x.json", "x", a.granted))}
	}},
	{"a short parent", crdt.ReasonParent, func(a *attack) []*woven {
		e := edit("x.json", "x")
		e.Parents = []*crdtpb.Parent{{Change: []byte("short")}}
		return []*woven{a.edits(e)}
	}},
	{"a parent of another path", crdt.ReasonParent, func(a *attack) []*woven {
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, edit("x.json", "x", a.theirs)), a.theirs)}
	}},
	{"a parent outside the ancestry", crdt.ReasonParent, func(a *attack) []*woven {
		return []*woven{a.theirs, a.edits(edit("theirs.json", "x", a.theirs))}
	}},
	{"a parent twice", crdt.ReasonParent, func(a *attack) []*woven {
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, edit("theirs.json", "x", a.theirs, a.theirs)), a.theirs)}
	}},
	{"a moved parent without an origin", crdt.ReasonParent, func(a *attack) []*woven {
		e := edit("x.json", "x", a.theirs)
		e.Parents[0].Moved = true
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, e), a.theirs)}
	}},
	{"a moved parent of another origin", crdt.ReasonParent, func(a *attack) []*woven {
		e := edit("x.json", "x", a.theirs)
		e.Parents[0].Moved, e.MovedFrom = true, "y.json"
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, e), a.theirs)}
	}},

	// Paths.
	{"a path twice", crdt.ReasonPath, func(a *attack) []*woven {
		return []*woven{a.edits(edit("x.json", "1"), edit("x.json", "2"))}
	}},
	{"paths out of order", crdt.ReasonPath, func(a *attack) []*woven {
		return []*woven{a.edits(edit("y.json", "1"), edit("x.json", "2"))}
	}},
	{"no path", crdt.ReasonPath, badPath("")},
	{"a path that climbs", crdt.ReasonPath, badPath("../x.json")},
	{"a path with dots inside", crdt.ReasonPath, badPath("a/./x.json")},
	{"a dot-file", crdt.ReasonPath, badPath("a/.starling")},
	{"an absolute path", crdt.ReasonPath, badPath("/etc/passwd")},
	{"a backslash", crdt.ReasonPath, badPath(`a\x.json`)},
	{"a decomposed accent", crdt.ReasonPath, badPath("e\u0301.json")},
	{"a control character", crdt.ReasonPath, badPath("x\n.json")},
	{"a long path", crdt.ReasonPath, badPath(strings.Repeat("a/", 512) + "x.json")},
	{"a long component", crdt.ReasonPath, badPath(strings.Repeat("a", 256))},
	{"an origin that climbs", crdt.ReasonPath, func(a *attack) []*woven {
		e := edit("x.json", "x")
		e.MovedFrom = "../y.json"
		return []*woven{a.edits(e)}
	}},

	// Edits.
	{"an adopted edit with parents", crdt.ReasonEdit, func(a *attack) []*woven {
		e := edit("theirs.json", "x", a.theirs)
		e.Adopted = true
		return []*woven{a.theirs, a.sealChange(a.by.key, a.change(a.by, seconds(1), []*woven{a.theirs}, e), a.theirs)}
	}},
	{"an adopted deletion", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json", Deleted: true, Adopted: true})}
	}},
	{"a deletion with content", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json", Deleted: true, Content: []byte("x")})}
	}},
	{"no content", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json"})}
	}},
	{"a move to itself", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json", MovedFrom: "x.json", Content: []byte("x")})}
	}},
	{"a deletion that returns", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) { e.Content, e.Deleted, e.Returned = nil, true, true })},
	{"a resolution that returns", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) { e.Resolves, e.Returned = true, true })},
	{"a first version that returns", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json", Content: []byte("x"), Returned: true})}
	}},
	{"all and some conflicts resolved", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) { e.Resolves, e.Resolved = true, resolved("/a") })},
	{"conflicts of nothing resolved", crdt.ReasonEdit, func(a *attack) []*woven {
		return []*woven{a.edits(&crdtpb.Edit{Path: "x.json", Content: []byte("x"), Resolved: resolved("/a")})}
	}},
	{"a conflict resolved twice", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) { e.Resolved = resolved("/a", "/a") })},
	{"resolved conflicts out of order", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) { e.Resolved = resolved("/b", "/a") })},
	{"a resolved conflict of a short id", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) {
		e.Resolved = resolved("/a")
		e.Resolved[0].Lost = e.Resolved[0].Lost[1:]
	})},
	{"a resolved conflict without a side", crdt.ReasonEdit, onTheirs(func(e *crdtpb.Edit) {
		e.Resolved = resolved("/a")
		e.Resolved[0].Stands = nil
	})},
	{"too many resolved conflicts", crdt.ReasonLimit, onTheirs(func(e *crdtpb.Edit) {
		for i := range 257 {
			e.Resolved = append(e.Resolved, resolved(fmt.Sprintf("/%03d", i))...)
		}
	})},
	{"a resolved conflict of a long pointer", crdt.ReasonLimit, onTheirs(func(e *crdtpb.Edit) { e.Resolved = resolved("/" + strings.Repeat("a", 1024)) })},

	// Grants.
	{"no grant", crdt.ReasonGrant, func(a *attack) []*woven {
		stranger := a.writer()
		return []*woven{a.write(stranger, seconds(1), []*woven{a.granted}, edit("x.json", "x"))}
	}},
	{"a grant outside the ancestry", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.granted, a.write(a.by, seconds(1), []*woven{a.base}, edit("x.json", "x"))}
	}},
	{"a root without any grant", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.write(a.by, seconds(1), nil, edit("x.json", "x"))}
	}},
	{"a reader that writes", crdt.ReasonGrant, func(a *attack) []*woven {
		reader := a.writer()
		g := a.grant(reader.id, trust.RoleReader, nil, a.granted)
		return []*woven{g, a.write(reader, seconds(1), []*woven{g}, edit("x.json", "x"))}
	}},
	{"an edit outside the globs", crdt.ReasonGrant, func(a *attack) []*woven {
		narrow := a.writer()
		g := a.grant(narrow.id, trust.RoleWriter, []string{"own/**"}, a.granted)
		return []*woven{g, a.write(narrow, seconds(1), []*woven{g}, edit("other/x.json", "x"), edit("own/x.json", "x"))}
	}},
	{"a grant by a member", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.statement(a.by.key, trust.KindGrant, trust.Grant{
			Cluster: a.c.id, After: []cid.Cid{a.granted.cid}, Member: a.writer().id, Name: "x", Role: trust.RoleWriter,
		}.Marshal, a.granted)}
	}},
	{"a revocation by a member", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.statement(a.by.key, trust.KindRevocation, trust.Revocation{
			Cluster: a.c.id, After: []cid.Cid{a.granted.cid}, Member: a.other.id, Mode: trust.ModePurge,
		}.Marshal, a.granted)}
	}},
	{"rules by a member", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.statement(a.by.key, trust.KindRules, trust.Rules{
			Cluster: a.c.id, After: []cid.Cid{a.granted.cid}, Merge: 9,
		}.Marshal, a.granted)}
	}},
	{"an element of a later version by a stranger", crdt.ReasonGrant, func(a *attack) []*woven {
		return []*woven{a.later(a.writer().key)}
	}},
	{"a last change of another member", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.theirs, a.revoke(a.by.id, trust.ModeKeep, a.theirs, a.theirs)}
	}},
	{"a last change that is none", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.revoke(a.by.id, trust.ModeKeep, a.granted, a.granted)}
	}},
	{"a last change outside the ancestry", crdt.ReasonChain, func(a *attack) []*woven {
		return []*woven{a.theirs, a.revoke(a.other.id, trust.ModeKeep, a.theirs, a.granted)}
	}},
}

func badPath(p string) func(a *attack) []*woven {
	return func(a *attack) []*woven { return []*woven{a.edits(edit(p, "x"))} }
}

// later makes an element of a kind that this version does not know.
func (a *attack) later(key crypto.PrivKey) *woven {
	a.t.Helper()
	msg := &crdtpb.Change{Cluster: a.c.id[:], After: [][]byte{a.granted.cid.Bytes()}, Note: "of a later version"}
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.seal(key, "starling/annotation/7", payload, a.granted)
}

// attack returns what a fresh hostile peer can draw on.
func (ar *arena) attack(t testing.TB) (*hostile, *attack) {
	t.Helper()
	w := &weaver{t: t, c: ar.c}
	other := w.writer()
	first := w.grant(other.id, trust.RoleWriter, nil, ar.base)
	by := w.writer()
	granted := w.grant(by.id, trust.RoleWriter, nil, first)
	a := &attack{weaver: w, by: by, granted: granted, base: ar.base, other: other}
	a.theirs = w.sealChange(other.key, w.change(other, seconds(1), []*woven{granted}, edit("theirs.json", "theirs")), granted)
	h := newHostile(t, by.key, ar.psk, ar.at)
	h.offer(first, granted)
	eventually(t, func() error { return holds(ar.victim, granted) })
	return h, a
}

func holds(r *crdt.Replica, b *woven) error {
	if !r.Holds([]cid.Cid{b.cid}) {
		return fmt.Errorf("block %s is not there; refused so far: %v", b.cid, r.Stats().Refused)
	}
	return nil
}

// TestRefusals tries every rule on a real node, over the gate, while files are saved.
func TestRefusals(t *testing.T) {
	s := newSiege(t)
	good := make(map[definition.ChangeID]bool)
	total := uint64(0)
	for _, tt := range refusalTests {
		t.Run(tt.name, func(t *testing.T) {
			blocks := tt.blocks(s.mine())
			before := s.refused()
			s.h.offer(blocks...)
			eventually(t, func() error {
				if got := s.refused(); got[string(tt.want)] == before[string(tt.want)] {
					return fmt.Errorf("no refusal is counted as %s: %v", tt.want, got)
				}
				return nil
			})
			total++
			for _, b := range blocks[:len(blocks)-1] {
				good[b.id] = true
				s.holds(b)
			}
			s.save()
		})
	}
	s.blames(total)
	// What was offered to be good, and nothing else.
	eventually(t, func() error { return s.holdsOnly(good) })
}

func TestAGoodChangeByHandIsAdmitted(t *testing.T) {
	ar := newArena(t)
	h, a := ar.attack(t)
	one := a.write(a.by, seconds(1), []*woven{a.granted}, edit("x.json", "1"))
	moved := edit("z.json", "2", one)
	moved.Parents[0].Moved, moved.MovedFrom = true, "x.json"
	two := a.write(a.by, seconds(2), []*woven{one}, edit("x.json", "", one), moved)
	h.offer(one, two)
	eventually(t, func() error { return holds(ar.victim, two) })
	if got := content(t, ar.victim, "z.json"); got != "2" {
		t.Errorf("content is %q, want 2", got)
	}
	if got := ar.victim.Stats().Refused; len(got) != 0 {
		t.Errorf("something was refused: %v", got)
	}
}

func TestAnElementOfALaterVersionHasNoEffect(t *testing.T) {
	ar := newArena(t)
	h, a := ar.attack(t)
	ar.settle(t)
	digest, stats := ar.victim.Digest(), ar.victim.Stats()
	b := a.later(a.by.key)
	h.offer(b)
	eventually(t, func() error { return holds(ar.victim, b) })
	eventually(t, func() error { return holds(ar.honest, b) }) // it is passed on
	after := ar.victim.Stats()
	if ar.victim.Digest() != digest || after.Changes != stats.Changes || after.Rules != stats.Rules {
		t.Errorf("it had an effect: stats were %+v and are %+v", stats, after)
	}
	put(t, ar.victim, "x.json", "1") // on top of it
	ar.settle(t)
}

package crdt_test

import (
	"bytes"
	"slices"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	dspb "github.com/ipfs/go-ds-crdt/pb"
	ipld "github.com/ipfs/go-ipld-format"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// fataler is what testing.TB and rapid.T have in common as far as it is needed.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// woven is a block that a test made by hand, out of the formats alone.
type woven struct {
	cid     cid.Cid
	raw     []byte
	prio    uint64
	id      definition.ChangeID
	element []byte
}

// weaver makes blocks by hand. It uses nothing of package crdt but its
// generated messages, so it says a second time what a block looks like, and can
// say it wrong.
type weaver struct {
	t fataler
	c *testCluster
}

// writer is an author of woven changes.
type writer struct {
	key  crypto.PrivKey
	id   peer.ID
	seq  uint64
	last *woven
}

// frame is what stands around an element in a block.
type frame struct {
	links []cid.Cid
	delta *dspb.Delta
}

// frameOf returns the frame that an element determines.
func frameOf(element []byte, after []*woven) frame {
	id := definition.ChangeID(definition.HashOf(element))
	f := frame{delta: &dspb.Delta{
		Elements: []*dspb.Element{{Key: "/" + id.String(), Value: element}},
		Priority: 1,
	}}
	for _, a := range sorted(after) {
		f.links = append(f.links, a.cid)
		f.delta.Priority = max(f.delta.Priority, a.prio+1)
	}
	return f
}

// block returns the block of a frame.
func (w *weaver) block(f frame) *woven {
	w.t.Helper()
	data, err := proto.Marshal(f.delta)
	if err != nil {
		w.t.Fatal(err)
	}
	nd := merkledag.NodeWithData(data)
	if err := nd.SetCidBuilder(merkledag.V1CidPrefix()); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range f.links {
		if err := nd.AddRawLink("", &ipld.Link{Cid: c}); err != nil {
			w.t.Fatal(err)
		}
	}
	b := &woven{cid: nd.Cid(), raw: nd.RawData(), prio: f.delta.GetPriority()}
	if len(f.delta.GetElements()) > 0 {
		b.element = f.delta.GetElements()[0].GetValue()
		b.id = definition.ChangeID(definition.HashOf(b.element))
	}
	return b
}

// seal returns the block that a payload makes.
func (w *weaver) seal(key crypto.PrivKey, kind string, payload []byte, after ...*woven) *woven {
	w.t.Helper()
	element, err := trust.Seal(key, kind, payload)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.block(frameOf(element, after))
}

// header returns the fields that all kinds of elements begin with.
func (w *weaver) header(after []*woven) trust.Header {
	h := trust.Header{Cluster: w.c.id}
	for _, a := range sorted(after) {
		h.After = append(h.After, a.cid)
	}
	return h
}

func sorted(after []*woven) []*woven {
	after = slices.Clone(after)
	slices.SortFunc(after, func(a, b *woven) int { return bytes.Compare(a.cid.Bytes(), b.cid.Bytes()) })
	return slices.CompactFunc(after, func(a, b *woven) bool { return a.cid == b.cid })
}

func (w *weaver) writer() *writer {
	w.t.Helper()
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	return &writer{key: key, id: id}
}

// grant makes a grant by the cluster's authority.
func (w *weaver) grant(member peer.ID, role trust.Role, globs []string, after ...*woven) *woven {
	w.t.Helper()
	h := w.header(after)
	payload, err := trust.Grant{Cluster: h.Cluster, After: h.After, Member: member, Name: "m" + member.String()[40:], Role: role, Paths: globs}.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.seal(w.c.authority, trust.KindGrant, payload, after...)
}

// revoke makes a revocation by the cluster's authority; last may be nil.
func (w *weaver) revoke(member peer.ID, mode trust.RevocationMode, last *woven, after ...*woven) *woven {
	w.t.Helper()
	h := w.header(after)
	r := trust.Revocation{Cluster: h.Cluster, After: h.After, Member: member, Mode: mode}
	if last != nil {
		r.LastChange = last.id
	}
	payload, err := r.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.seal(w.c.authority, trust.KindRevocation, payload, after...)
}

// change returns the writer's next change, not yet sealed: a test may bend it.
func (w *weaver) change(by *writer, at uint64, after []*woven, edits ...*crdtpb.Edit) *crdtpb.Change {
	w.t.Helper()
	msg := &crdtpb.Change{Cluster: w.c.id[:], Seq: by.seq + 1, Time: at, Edits: edits}
	for _, a := range sorted(after) {
		msg.After = append(msg.After, a.cid.Bytes())
	}
	if by.last != nil {
		msg.Prev = by.last.id[:]
	}
	return msg
}

// write seals the writer's next change.
func (w *weaver) write(by *writer, at uint64, after []*woven, edits ...*crdtpb.Edit) *woven {
	w.t.Helper()
	b := w.sealChange(by.key, w.change(by, at, after, edits...), after...)
	by.seq, by.last = by.seq+1, b
	return b
}

func (w *weaver) sealChange(key crypto.PrivKey, msg *crdtpb.Change, after ...*woven) *woven {
	w.t.Helper()
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.seal(key, trust.KindChange, payload, after...)
}

// edit makes an edit on top of versions of the same path; without content it is
// a deletion.
func edit(path, content string, parents ...*woven) *crdtpb.Edit {
	e := &crdtpb.Edit{Path: path, Content: []byte(content), Deleted: content == ""}
	ids := make([][]byte, len(parents))
	for i, p := range parents {
		ids[i] = p.id[:]
	}
	slices.SortFunc(ids, bytes.Compare)
	for _, id := range ids {
		e.Parents = append(e.Parents, &crdtpb.Parent{Change: id})
	}
	return e
}

// adopt makes an adopted edit.
func adopt(path, content string) *crdtpb.Edit {
	return &crdtpb.Edit{Path: path, Content: []byte(content), Adopted: true}
}

// version names the edit of a path in a block's change.
func (b *woven) version(p definition.Path) definition.Version {
	return definition.Version{Change: b.id, Path: p}
}

func raws(blocks ...*woven) [][]byte {
	out := make([][]byte, len(blocks))
	for i, b := range blocks {
		out[i] = b.raw
	}
	return out
}

// linksOf returns the CIDs that a block links to, as text.
func linksOf(b *woven) []string {
	nd, err := merkledag.DecodeProtobuf(b.raw)
	if err != nil {
		return nil
	}
	var out []string
	for _, l := range nd.Links() {
		out = append(out, l.Cid.String())
	}
	return out
}

package crdt

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/starling-sync/starling/crdt/crdtpb"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/trust"
)

// Limits of the format. A block beyond them is refused by every node.
const (
	MaxElement = 768 << 10 // bytes of an element
	MaxEdits   = 4096      // edits of a change
	maxParents = 512       // parents of an edit
	maxNote    = 4 << 10   // bytes of a change's note
	maxActor   = 256       // bytes of a change's actor
	// maxResolved is how many conflicts an edit resolves one by one, and maxPointer the bytes of
	// the pointer of each.
	maxResolved = 256
	maxPointer  = 1 << 10
)

// change is the payload of an element of kind trust.KindChange.
type change struct {
	trust.Header
	seq   uint64
	prev  definition.ChangeID // zero for an author's first change
	time  Timestamp
	edits []definition.Edit // strictly ascending by path
	note  string
	actor string
}

// compareParents is the order of an edit's parents on the wire.
func compareParents(path definition.Path) func(a, b definition.Version) int {
	return func(a, b definition.Version) int {
		if moved := a.Path != path; moved != (b.Path != path) {
			if moved {
				return 1
			}
			return -1
		}
		return a.Change.Compare(b.Change)
	}
}

// marshal returns the one encoding of the change.
func (c change) marshal() ([]byte, error) {
	after, err := trust.MarshalAfter(c.After)
	if err != nil {
		return nil, err
	}
	msg := &crdtpb.Change{
		Cluster: c.Cluster[:],
		After:   after,
		Seq:     c.seq,
		Time:    uint64(c.time),
		Note:    c.note,
		Actor:   c.actor,
		Edits:   make([]*crdtpb.Edit, len(c.edits)),
	}
	if !c.prev.IsZero() {
		msg.Prev = c.prev[:]
	}
	for i, e := range c.edits {
		edit := &crdtpb.Edit{
			Path:      e.Path.String(),
			Content:   e.Content,
			Deleted:   e.Deleted,
			Adopted:   e.Adopted,
			MovedFrom: e.MovedFrom.String(),
			Resolves:  e.Resolves,
			Returned:  e.Returned,
		}
		for _, r := range e.Resolved {
			edit.Resolved = append(edit.Resolved, &crdtpb.ResolvedConflict{Lost: r.Lost[:], Stands: r.Stands[:], Pointer: r.Pointer})
		}
		for _, p := range e.Parents {
			edit.Parents = append(edit.Parents, &crdtpb.Parent{Change: p.Change[:], Moved: p.Path != e.Path})
		}
		msg.Edits[i] = edit
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(msg)
}

// parseChange parses a change and checks all that it can prove by itself. That one
// from the node's own store is in its canonical encoding was proved before (stored).
func parseChange(payload []byte, stored bool) (change, error) {
	var msg crdtpb.Change
	if err := proto.Unmarshal(payload, &msg); err != nil {
		return change{}, refuse(ReasonEncoding, "change: %v", err)
	}
	header, err := trust.ParseHeader(payload)
	if err != nil {
		return change{}, refuse(ReasonEncoding, "%v", err)
	}
	c := change{
		Header: header,
		seq:    msg.GetSeq(),
		time:   Timestamp(msg.GetTime()),
		note:   msg.GetNote(),
		actor:  msg.GetActor(),
		edits:  make([]definition.Edit, len(msg.GetEdits())),
	}
	if len(c.note) > maxNote || len(c.actor) > maxActor {
		return change{}, refuse(ReasonLimit, "note of %d bytes, actor of %d", len(c.note), len(c.actor))
	}
	if n := len(c.edits); n == 0 || n > MaxEdits {
		return change{}, refuse(ReasonLimit, "%d edits", n)
	}
	if len(msg.GetPrev()) > 0 && !setID(&c.prev, msg.GetPrev()) {
		return change{}, refuse(ReasonChain, "prev has %d bytes", len(msg.GetPrev()))
	}
	if c.seq == 0 || (c.seq == 1) != c.prev.IsZero() {
		return change{}, refuse(ReasonChain, "change %d and its prev contradict each other", c.seq)
	}
	for i, e := range msg.GetEdits() {
		if c.edits[i], err = parseEdit(e); err != nil {
			return change{}, err
		}
		if i > 0 && c.edits[i-1].Path.String() >= c.edits[i].Path.String() {
			return change{}, refuse(ReasonPath, "paths are not strictly ascending")
		}
	}
	if stored {
		return c, nil
	}
	again, err := c.marshal()
	if err != nil || !bytes.Equal(again, payload) {
		return change{}, refuse(ReasonEncoding, "change is not in its canonical encoding")
	}
	return c, nil
}

func parseEdit(msg *crdtpb.Edit) (definition.Edit, error) {
	path, err := definition.ParsePath(msg.GetPath())
	if err != nil {
		return definition.Edit{}, refuse(ReasonPath, "path of %d bytes is not valid", len(msg.GetPath()))
	}
	e := definition.Edit{
		Path:     path,
		Deleted:  msg.GetDeleted(),
		Adopted:  msg.GetAdopted(),
		Resolves: msg.GetResolves(),
		Returned: msg.GetReturned(),
		Content:  msg.GetContent(),
	}
	if len(msg.GetResolved()) > maxResolved {
		return definition.Edit{}, refuse(ReasonLimit, "%d resolved conflicts", len(msg.GetResolved()))
	}
	for _, m := range msg.GetResolved() {
		r := definition.ResolvedConflict{Pointer: m.GetPointer()}
		if !setID(&r.Lost, m.GetLost()) || !setID(&r.Stands, m.GetStands()) {
			return definition.Edit{}, refuse(ReasonEdit, "a resolved conflict is malformed")
		}
		e.Resolved = append(e.Resolved, r)
	}
	if msg.GetMovedFrom() != "" {
		if e.MovedFrom, err = definition.ParsePath(msg.GetMovedFrom()); err != nil {
			return definition.Edit{}, refuse(ReasonPath, "moved_from is not valid")
		}
	}
	if len(msg.GetParents()) > maxParents {
		return definition.Edit{}, refuse(ReasonLimit, "%d parents", len(msg.GetParents()))
	}
	for _, p := range msg.GetParents() {
		v := definition.Version{Path: path}
		if p.GetMoved() {
			v.Path = e.MovedFrom
		}
		if v.Path.IsZero() || !setID(&v.Change, p.GetChange()) {
			return definition.Edit{}, refuse(ReasonParent, "parent is malformed")
		}
		e.Parents = append(e.Parents, v)
	}
	order := compareParents(path)
	for i := 1; i < len(e.Parents); i++ {
		if order(e.Parents[i-1], e.Parents[i]) >= 0 {
			return definition.Edit{}, refuse(ReasonParent, "parents are not strictly ascending")
		}
	}
	return e, checkEdit(e)
}

// checkEdit refuses an edit that contradicts itself. An empty file is no
// definition (CAS skips it), so no content and deleted are the same thing.
func checkEdit(e definition.Edit) error {
	switch {
	case len(e.Content) > definition.MaxSize:
		return refuse(ReasonLimit, "content of %d bytes", len(e.Content))
	case e.Deleted != (len(e.Content) == 0):
		return refuse(ReasonEdit, "an edit has content or is a deletion")
	case e.Adopted && (e.Deleted || len(e.Parents) > 0 || !e.MovedFrom.IsZero() || e.Resolves || len(e.Resolved) > 0):
		return refuse(ReasonEdit, "an adopted edit has neither parents nor an origin")
	case e.Returned && (e.Deleted || e.Resolves || len(e.Parents) == 0):
		return refuse(ReasonEdit, "an edit that returns has content and parents")
	case len(e.Resolved) > 0 && (e.Resolves || len(e.Parents) == 0):
		return refuse(ReasonEdit, "an edit resolves all conflicts, or some of those before it")
	case len(e.Resolved) > maxResolved:
		return refuse(ReasonLimit, "%d resolved conflicts", len(e.Resolved))
	case !e.MovedFrom.IsZero() && e.MovedFrom == e.Path:
		return refuse(ReasonEdit, "a move has another origin")
	case e.Deleted && !e.MovedFrom.IsZero() && !slices.ContainsFunc(e.Parents, func(v definition.Version) bool { return v.Path == e.MovedFrom }):
		return refuse(ReasonEdit, "a deletion comes from nowhere")
	}
	for i, r := range e.Resolved {
		switch {
		case len(r.Pointer) > maxPointer || !utf8.ValidString(r.Pointer):
			return refuse(ReasonLimit, "pointer of %d bytes", len(r.Pointer))
		case i > 0 && e.Resolved[i-1].Compare(r) >= 0:
			return refuse(ReasonEdit, "resolved conflicts are not strictly ascending")
		}
	}
	return nil
}

// CheckDraft returns an error that says what is wrong with a draft, or nil, so
// that a node never signs what others refuse.
func checkDraft(d definition.Draft) error {
	if len(d.Edits) == 0 {
		return fmt.Errorf("%w: no edits", ErrDraft)
	}
	if len(d.Note) > maxNote || !utf8.ValidString(d.Note) {
		return fmt.Errorf("%w: note is longer than %d bytes or no UTF-8", ErrDraft, maxNote)
	}
	if len(d.Actor) > maxActor || !utf8.ValidString(d.Actor) {
		return fmt.Errorf("%w: actor is longer than %d bytes or no UTF-8", ErrDraft, maxActor)
	}
	seen := make(map[definition.Path]bool, len(d.Edits))
	for _, e := range d.Edits {
		if e.Path.IsZero() || seen[e.Path] {
			return fmt.Errorf("%w: path %q is empty or comes twice", ErrDraft, e.Path)
		}
		seen[e.Path] = true
		if err := checkEdit(e); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDraft, e.Path, err)
		}
		if slices.ContainsFunc(e.Parents, func(v definition.Version) bool { return v.Path != e.Path && v.Path != e.MovedFrom }) {
			return fmt.Errorf("%w: %s: a parent is of another path", ErrDraft, e.Path)
		}
	}
	return nil
}

func setID(id *definition.ChangeID, b []byte) bool {
	return copy(id[:], b) == len(id) && len(b) == len(id)
}

package definition

// View is what the directory should hold for one path: a pure function of the
// set of elements.
type View struct {
	Path Path
	// Present says whether the directory should hold a file.
	Present bool
	// Hash is the hash of the file's bytes; zero if not Present.
	Hash Hash
	// Merged says that the bytes are merged from several heads and are no
	// version's own.
	Merged bool
	// Withheld says why this node cannot tell what the directory should hold, so
	// that nothing may be done to the file; empty if it can. Hash is zero then.
	Withheld string
	// Heads are the versions of the path that count and are no ancestor of
	// another that counts, latest first by (time, change id). An edit that its
	// author makes on top of this view has them as parents. Empty if the path
	// was never heard of.
	Heads []Version
	// Winner is the head whose bytes, or whose deletion, stand; of merged bytes
	// the one whose text they are spliced into. Zero if there are no heads.
	Winner Version
	// Conflicts lists the merges that could not honour all sides: of the heads,
	// and of the path's history since the last edit that resolved it.
	Conflicts []Conflict
}

// ConflictKind says why a merge could not honour all sides.
type ConflictKind string

const (
	// ConflictEdits: two heads changed the same field unequally, or could not be
	// merged by structure at all. The later stands, for the field or whole.
	ConflictEdits ConflictKind = "edits"
	// ConflictDeletion: an edit against a deletion; the edit stands.
	ConflictDeletion ConflictKind = "deletion"
	// ConflictAdopted: a file that a joining node found on disk lost against
	// what the cluster holds.
	ConflictAdopted ConflictKind = "adopted"
	// ConflictPath: another path that is equal by case fold or normalisation,
	// or is a folder of this one, was there first and is held instead.
	ConflictPath ConflictKind = "path"
	// ConflictRenamed: two sides gave a file another name each, and both files are there; or one
	// side deleted it, and the file with the other's name is there.
	ConflictRenamed ConflictKind = "renamed"
	// ConflictReverted: a save took the file back to what it was before another's edit.
	// Nothing says whether its author meant to undo that edit or had not seen it.
	ConflictReverted ConflictKind = "reverted"
)

// Conflict is one losing side of one field of a merge, or of a whole file. Its losing bytes
// are never gone: they can be read by their version.
type Conflict struct {
	Kind ConflictKind `json:"kind"`
	// Pointer is the field's JSON pointer into the merged document (see FieldConflict). It
	// is empty for the whole file; then Reason says why it is the whole file. Comments of the
	// document have DocumentComments.
	Pointer   string    `json:"pointer,omitempty"`
	FieldKind FieldKind `json:"field_kind,omitempty"` // empty for the whole file
	Reason    string    `json:"reason,omitempty"`
	// Lost is the version that wrote what does not stand, and Stands the one that wrote what
	// stands instead; of another path for ConflictPath. For ConflictReverted, Stands is the
	// save, and Lost the edit that it took back.
	Lost   Version `json:"lost"`
	Stands Version `json:"stands"`
	// Base, LostText and StandsText are the field in what both sides were made on, and in each
	// side; for the whole file they are not set.
	Base       FieldText `json:"base,omitzero"`
	LostText   FieldText `json:"lost_text,omitzero"`
	StandsText FieldText `json:"stands_text,omitzero"`
	// At is the change that was made on top of the merge without resolving it, or the save that
	// reverted; zero while the sides are still heads.
	At ChangeID `json:"at,omitzero"`
	// AtPath is the path under which At has it, if the file was renamed since then.
	AtPath Path `json:"-"`
}

// MergeVersion is the version of the merge rules that this program knows: its
// parsers, its merge and its Unicode tables.
const MergeVersion = 1

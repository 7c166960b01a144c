package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
)

// LossKind says what the guard counts.
type LossKind uint8

const (
	// Deletion: files that are gone.
	Deletion LossKind = iota
	// Reversion: files that returned to bytes that they had before, as when a
	// directory is restored from a backup.
	Reversion
	// Overwriting: files in whose place is something else (see definition.Overwritten).
	Overwriting
	// Copying: new files that bear the ids, or have the bytes, of files that are there.
	Copying

	lossKinds = 4
)

// String returns the kind in lower case.
func (k LossKind) String() string {
	return [lossKinds]string{"deletion", "reversion", "overwriting", "copying"}[k]
}

// MarshalText implements encoding.TextMarshaler.
func (k LossKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *LossKind) UnmarshalText(text []byte) error {
	for kind := range LossKind(lossKinds) {
		if kind.String() == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("parse kind of loss %q: want deletion, reversion, overwriting or copying", text)
}

// Approval is a set of losses that the guard holds until somebody decides: Approve
// publishes exactly this set, Restore puts the files back.
type Approval struct {
	ID    string
	Kind  LossKind
	Paths []definition.Path // in order
	Since time.Time
}

const approvalPrefix = "approval/" // + ID

// heldSet is an Approval with what the files looked like when they were held (the
// zero hash for a deletion): a file that looks otherwise now is no longer part of it.
// It is durable, so that a restart does not let a part of it through.
type heldSet struct {
	id    string
	kind  LossKind
	since time.Time
	files map[definition.Path]definition.Hash
}

// storedSet is the durable form of a heldSet.
type storedSet struct {
	Kind  LossKind                   `json:"kind"`
	Since time.Time                  `json:"since"`
	Files map[definition.Path]string `json:"files"` // to the hash in hexadecimal
}

// decodeHeldSet reads what encode has made.
func decodeHeldSet(key string, value []byte) (*heldSet, error) {
	var stored storedSet
	if err := json.Unmarshal(value, &stored); err != nil {
		return nil, fmt.Errorf("load held deletions: %w", err)
	}
	set := &heldSet{
		id: strings.TrimPrefix(key, approvalPrefix), kind: stored.Kind, since: stored.Since,
		files: make(map[definition.Path]definition.Hash, len(stored.Files)),
	}
	for p, text := range stored.Files {
		var h definition.Hash
		if _, err := hex.Decode(h[:], []byte(text)); err != nil {
			return nil, fmt.Errorf("load held deletions: %w", err)
		}
		set.files[p] = h
	}
	return set, nil
}

// encode returns the set's durable form: its key and value.
func (s *heldSet) encode() (key string, value []byte, err error) {
	stored := storedSet{Kind: s.kind, Since: s.since, Files: make(map[definition.Path]string, len(s.files))}
	for p, h := range s.files {
		stored.Files[p] = hex.EncodeToString(h[:])
	}
	value, err = json.Marshal(stored)
	return approvalPrefix + s.id, value, err
}

// newHeldSet makes a set of losses, of which each file's hash is given. Its id is
// short enough to type and depends on what it holds.
func newHeldSet(kind LossKind, now time.Time, files map[definition.Path]definition.Hash) *heldSet {
	digest := sha256.New()
	fmt.Fprintln(digest, kind, now.UnixNano())
	for _, p := range slices.SortedFunc(maps.Keys(files), definition.Path.Compare) {
		h := files[p]
		fmt.Fprintf(digest, "%s\n%x\n", p, h)
	}
	return &heldSet{id: hex.EncodeToString(digest.Sum(nil)[:4]), kind: kind, since: now, files: files}
}

// reason is what Status shows for a file of the set.
func (s *heldSet) reason() string {
	return "the guard holds this " + s.kind.String() + ": approve " + s.id + " publishes it, with --restore it is undone"
}

// paths returns the paths of the set in order.
func (s *heldSet) paths() []definition.Path {
	return slices.SortedFunc(maps.Keys(s.files), definition.Path.Compare)
}

// approval is the set as others see it.
func (s *heldSet) approval() Approval {
	return Approval{ID: s.id, Kind: s.kind, Since: s.since, Paths: s.paths()}
}

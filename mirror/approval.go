package mirror

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
)

// LossKind says what the deletion guard counts.
type LossKind uint8

const (
	// Deletion: files that are gone.
	Deletion LossKind = iota
	// Reversion: files that returned to bytes that they had before, as when a
	// directory is restored from a backup.
	Reversion
)

// String returns the kind in lower case.
func (k LossKind) String() string { return [...]string{"deletion", "reversion"}[k] }

// MarshalText implements encoding.TextMarshaler.
func (k LossKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *LossKind) UnmarshalText(text []byte) error {
	for _, kind := range []LossKind{Deletion, Reversion} {
		if kind.String() == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("parse kind of loss %q: want deletion or reversion", text)
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

// approvals are the sets that are held.
type approvals struct {
	sets   map[string]*heldSet
	byPath map[definition.Path]*heldSet
	// changed: since the last list.
	changed bool
}

// storedSet is the durable form of a heldSet.
type storedSet struct {
	Kind  LossKind                   `json:"kind"`
	Since time.Time                  `json:"since"`
	Files map[definition.Path]string `json:"files"` // to the hash in hexadecimal
}

func (m *Mirror) loadApprovals(ctx context.Context) error {
	records, err := m.replica.LoadRecords(ctx, approvalPrefix)
	if err != nil {
		return fmt.Errorf("load held deletions: %w", err)
	}
	for key, value := range records {
		var stored storedSet
		if err := json.Unmarshal(value, &stored); err != nil {
			return fmt.Errorf("load held deletions: %w", err)
		}
		set := &heldSet{
			id: strings.TrimPrefix(key, approvalPrefix), kind: stored.Kind, since: stored.Since,
			files: make(map[definition.Path]definition.Hash, len(stored.Files)),
		}
		for p, text := range stored.Files {
			var h definition.Hash
			if _, err := hex.Decode(h[:], []byte(text)); err != nil {
				return fmt.Errorf("load held deletions: %w", err)
			}
			set.files[p] = h
		}
		m.approvals.add(set)
	}
	return nil
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

func (a *approvals) add(s *heldSet) {
	if a.sets == nil {
		a.sets = make(map[string]*heldSet)
		a.byPath = make(map[definition.Path]*heldSet)
	}
	a.sets[s.id] = s
	a.changed = true
	for p := range s.files {
		a.byPath[p] = s
	}
}

// remove takes a path out of the set that it is in, and returns the set, or nil.
// The set is gone with its last path.
func (a *approvals) remove(p definition.Path) *heldSet {
	s := a.byPath[p]
	if s == nil {
		return nil
	}
	a.changed = true
	delete(a.byPath, p)
	delete(s.files, p)
	if len(s.files) == 0 {
		delete(a.sets, s.id)
	}
	return s
}

// list returns the sets, oldest first.
func (a *approvals) list() []Approval {
	list := make([]Approval, 0, len(a.sets))
	for _, s := range a.sets {
		list = append(list, Approval{
			ID: s.id, Kind: s.kind, Since: s.since,
			Paths: slices.SortedFunc(maps.Keys(s.files), definition.Path.Compare),
		})
	}
	slices.SortFunc(list, func(x, y Approval) int {
		return cmp.Or(x.Since.Compare(y.Since), strings.Compare(x.ID, y.ID))
	})
	return list
}

// releaseApproval takes a path out of the set that holds it.
func (m *Mirror) releaseApproval(t *turn, p definition.Path) {
	s := m.approvals.remove(p)
	if s == nil {
		return
	}
	m.unhold(p.String())
	m.saveSet(t, s)
}

// saveSet writes a held set with the records of the turn, or drops it if it has
// become empty.
func (m *Mirror) saveSet(t *turn, s *heldSet) {
	key, value, err := s.encode()
	if err != nil {
		t.err = errors.Join(t.err, err)
		return
	}
	if len(s.files) == 0 {
		value = nil
	}
	t.records[key] = value
	t.synced = true
}

// Approvals returns the sets of losses that are held, oldest first, as of the last
// turn. It never blocks.
func (m *Mirror) Approvals() []Approval {
	m.report.mu.Lock()
	defer m.report.mu.Unlock()
	list := slices.Clone(m.report.approvals)
	for i := range list {
		list[i].Paths = slices.Clone(list[i].Paths)
	}
	return list
}

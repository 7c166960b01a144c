package trust

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	maxUses = 10_000
	// An invitation is kept for a while after it expired, so that a node that
	// used it in time and lost the answer can still ask again, and so that one
	// who comes late hears why.
	keepExpired = 7 * 24 * time.Hour

	defaultTTL = time.Hour
)

// InviteOptions says what a new invitation allows.
type InviteOptions struct {
	Role  Role          // default: RoleWriter
	Paths []string      // see Grant.Paths
	Uses  int           // how many nodes may join with it; default: 1
	TTL   time.Duration // default: 1 hour
}

// Invitation is what a token is made of that the inviter must know again.
type Invitation struct {
	Secret  [16]byte
	Role    Role
	Paths   []string
	Uses    int
	Expires time.Time
}

// Invitations are the authority's open invitations. They live in a file that is
// written anew and synced at each change. All methods may be called by any
// goroutine and block for the disk.
type Invitations struct {
	path string

	mu   sync.Mutex
	open []invitation // oldest first
}

// invitation is an Invitation in the file.
type invitation struct {
	Secret  []byte    `json:"secret"`
	Role    Role      `json:"role"`
	Paths   []string  `json:"paths,omitempty"`
	Uses    int       `json:"uses"`
	Expires time.Time `json:"expires"`
	// UsedBy are the nodes that have a use.
	UsedBy []peer.ID `json:"used_by,omitempty"`
}

// invitationFile is the whole file.
type invitationFile struct {
	Version     int          `json:"version"`
	Invitations []invitation `json:"invitations"`
}

// OpenInvitations reads the invitations kept in the file at path, which must be
// private to its owner. Without a file there are none; it comes with the first.
func OpenInvitations(path string) (*Invitations, error) {
	v := &Invitations{path: path}
	data, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open invitations: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f invitationFile
	if err := dec.Decode(&f); err != nil {
		// The cause may quote the file.
		return nil, fmt.Errorf("open invitations: %s is damaged: remove it, and write new tokens for the nodes that have not joined", path)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("open invitations: %s has version %d, want 1", path, f.Version)
	}
	v.open = f.Invitations
	return v, nil
}

// Invite makes an invitation. It is on disk when Invite returns.
func (v *Invitations) Invite(o InviteOptions, now time.Time) (Invitation, error) {
	if o.Role == 0 {
		o.Role = RoleWriter
	}
	if o.Uses == 0 {
		o.Uses = 1
	}
	if o.TTL == 0 {
		o.TTL = defaultTTL
	}
	if o.Role != RoleReader && o.Role != RoleWriter {
		return Invitation{}, fmt.Errorf("invite: no such role")
	}
	if o.Uses < 1 || o.Uses > maxUses {
		return Invitation{}, fmt.Errorf("invite: %d uses, want 1 to %d", o.Uses, maxUses)
	}
	if o.TTL < time.Second {
		return Invitation{}, fmt.Errorf("invite: lifetime %s, want at least a second", o.TTL)
	}
	if err := CheckPaths(o.Paths); err != nil {
		return Invitation{}, fmt.Errorf("invite: %w", err)
	}
	inv := Invitation{Role: o.Role, Paths: slices.Clone(o.Paths), Uses: o.Uses, Expires: now.Add(o.TTL).Truncate(time.Second)}
	rand.Read(inv.Secret[:]) // never fails

	v.mu.Lock()
	defer v.mu.Unlock()
	open := append(slices.Clone(v.open), invitation{
		Secret:  inv.Secret[:],
		Role:    inv.Role,
		Paths:   inv.Paths,
		Uses:    inv.Uses,
		Expires: inv.Expires,
	})
	open = slices.DeleteFunc(open, func(i invitation) bool { return now.After(i.Expires.Add(keepExpired)) })
	if err := v.replace(open); err != nil {
		return Invitation{}, fmt.Errorf("invite: %w", err)
	}
	return inv, nil
}

// use finds the invitation whose secret made the proof and gives the member a use
// of it, which is on disk when use returns. A member that has one already gets the
// same again, and fresh is false. Errors wrap ErrTokenRefused, ErrTokenExpired or
// ErrTokenUsed, or are the disk's.
func (v *Invitations) use(proof []byte, inviter, member peer.ID, cluster ClusterID, now time.Time) (inv Invitation, fresh bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := -1
	for i := range v.open {
		// Every open invitation is tried, so the time tells nothing of which.
		if hmac.Equal(proof, proofOf(v.open[i].Secret, member, inviter, cluster)) {
			at = i
		}
	}
	if at < 0 {
		return Invitation{}, false, ErrTokenRefused
	}
	found := v.open[at]
	inv = Invitation{Role: found.Role, Paths: found.Paths, Uses: found.Uses, Expires: found.Expires}
	copy(inv.Secret[:], found.Secret)
	if slices.Contains(found.UsedBy, member) {
		return inv, false, nil
	}
	if !now.Before(found.Expires) {
		return Invitation{}, false, ErrTokenExpired
	}
	if len(found.UsedBy) >= found.Uses {
		return Invitation{}, false, ErrTokenUsed
	}
	found.UsedBy = append(slices.Clone(found.UsedBy), member)
	open := slices.Clone(v.open)
	open[at] = found
	if err := v.replace(open); err != nil {
		return Invitation{}, false, err
	}
	return inv, true, nil
}

// release takes back a member's use of an invitation that came to nothing.
func (v *Invitations) release(inv Invitation, member peer.ID) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	open := slices.Clone(v.open)
	for i := range open {
		if bytes.Equal(open[i].Secret, inv.Secret[:]) {
			open[i].UsedBy = slices.DeleteFunc(slices.Clone(open[i].UsedBy), func(p peer.ID) bool { return p == member })
		}
	}
	return v.replace(open)
}

// replace makes open the invitations, on disk first. It is called under mu.
func (v *Invitations) replace(open []invitation) error {
	data, err := json.MarshalIndent(invitationFile{Version: 1, Invitations: open}, "", "\t")
	if err != nil {
		return fmt.Errorf("write invitations: %w", err)
	}
	if err := WriteSecret(v.path, append(data, '\n')); err != nil {
		return fmt.Errorf("write invitations: %w", err)
	}
	v.open = open
	return nil
}

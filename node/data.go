package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"

	"github.com/starling-sync/starling/internal/filelock"
	"github.com/starling-sync/starling/trust"
)

// Files of a data directory. All are private to the node's user.
const (
	nodeKeyName     = "node.key"
	authorityName   = "authority.key" // only where the authority is
	pskName         = "network.key"
	membershipName  = "membership.json" // written last: without it no node is set up
	invitationsName = "invitations.json"
	peersName       = "peers.json" // remembered addresses
	asideName       = "aside"      // a reader's own edits
	lockName        = "lock"
)

// membership is what a node knows about its place in the cluster from the start.
type membership struct {
	Cluster   trust.ClusterID `json:"cluster"`
	Authority []byte          `json:"authority"` // public key
	// Grant is the node's own grant, which it shows at its hellos.
	Grant []byte `json:"grant"`
	// Founder: the node made the cluster, so it has no first sync to wait for.
	Founder bool `json:"founder,omitempty"`
	// Heads are the heads that the granter had, or those that Init made: the first sync is
	// complete when their ancestry is here.
	Heads []cid.Cid `json:"heads,omitempty"`
	// Peers are the addresses of the token.
	Peers []string `json:"peers,omitempty"`
}

// secrets are the keys in a data directory.
type secrets struct {
	key       crypto.PrivKey
	psk       pnet.PSK
	authority crypto.PrivKey // nil unless this node is the authority
}

// makeData makes a data directory for a new node and locks it. An existing one
// may hold no node.
func makeData(data string) (*filelock.Lock, error) {
	if err := trust.MakePrivate(data); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := lockData(data)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(data, membershipName)); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", data, ErrExists), lock.Close())
	}
	return lock, nil
}

// lockData checks that a data directory is private, locks it and removes what a crash
// left half-written there.
func lockData(data string) (*filelock.Lock, error) {
	if err := trust.CheckPrivate(data); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := filelock.Acquire(filepath.Join(data, lockName))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("data directory %s is %w: stop the other starling, or name another with --data", data, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := trust.SweepSecrets(data); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory: %w", err), lock.Close())
	}
	return lock, nil
}

func loadMembership(data string) (membership, error) {
	var m membership
	name := filepath.Join(data, membershipName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("data directory %s: %w", data, ErrNoNode)
	}
	if err != nil {
		return m, fmt.Errorf("read membership: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read membership: %s is damaged: restore it from a backup, or join anew with another data directory", name)
	}
	return m, nil
}

func (m membership) save(data string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("save membership: %w", err)
	}
	if err := trust.WriteSecret(filepath.Join(data, membershipName), append(text, '\n')); err != nil {
		return fmt.Errorf("save membership: %w", err)
	}
	return nil
}

func loadSecrets(data string) (secrets, error) {
	var s secrets
	var err error
	if s.key, err = trust.LoadKey(filepath.Join(data, nodeKeyName)); err != nil {
		return s, fmt.Errorf("load this node's key: %w", err)
	}
	if s.psk, err = trust.LoadPSK(filepath.Join(data, pskName)); err != nil {
		return s, fmt.Errorf("load the network's key: %w", err)
	}
	s.authority, err = trust.LoadKey(filepath.Join(data, authorityName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("load the authority's key: %w", err)
	}
	return s, nil
}

// nodeKey loads this node's key, or makes it: a join that failed half-way is
// repeated with the key that the authority may have granted already.
func nodeKey(data string) (crypto.PrivKey, peer.ID, error) {
	name := filepath.Join(data, nodeKeyName)
	key, err := trust.LoadKey(name)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = trust.CreateKey(name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("make this node's key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(key)
	return key, id, err
}

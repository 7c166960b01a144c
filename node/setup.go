package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/trust"
)

// Identity says who a node is.
type Identity struct {
	Name    string
	Peer    peer.ID
	Cluster trust.ClusterID
	Dir     string
}

// InitOptions says what Init makes. Data and Dir are required.
type InitOptions struct {
	Data   string // the data directory, made if need be
	Dir    string // the directory to mirror; it must exist
	Name   string // default: the host's name
	Listen string // multiaddr; default DefaultListen
}

// Init makes a new cluster with this node as its founder and authority. It
// changes no definition; the directory gets its marker.
func Init(ctx context.Context, o InitOptions) (Identity, error) {
	config, err := newConfig(o.Data, o.Dir, o.Name, o.Listen)
	if err != nil {
		return Identity{}, fmt.Errorf("init: %w", err)
	}
	lock, err := makeData(o.Data)
	if err != nil {
		return Identity{}, fmt.Errorf("init: %w", err)
	}
	id, err := found(ctx, o.Data, config)
	if err := errors.Join(err, lock.Close()); err != nil {
		return Identity{}, fmt.Errorf("init: %w", err)
	}
	return id, nil
}

func found(ctx context.Context, data string, config Config) (Identity, error) {
	key, self, err := nodeKey(data)
	if err != nil {
		return Identity{}, err
	}
	authority, err := authorityKey(data)
	if err != nil {
		return Identity{}, err
	}
	public, err := crypto.MarshalPublicKey(authority.GetPublic())
	if err != nil {
		return Identity{}, err
	}
	cluster, err := trust.ClusterOf(authority.GetPublic())
	if err != nil {
		return Identity{}, err
	}
	if _, err := trust.CreatePSK(filepath.Join(data, pskName)); err != nil && !errors.Is(err, trust.ErrExists) {
		return Identity{}, err
	}
	if err := mirror.Mark(config.Dir, cluster.String()); err != nil {
		return Identity{}, err
	}
	r, err := crdt.Open(ctx, crdt.Options{Dir: data, Cluster: cluster, Key: key})
	if err != nil {
		return Identity{}, err
	}
	grant, _, err := r.Grant(ctx, authority, trust.Grant{Member: self, Name: config.Name, Role: trust.RoleWriter})
	if err == nil {
		err = r.SetRules(ctx, authority, definition.MergeVersion)
	}
	heads := r.Heads()
	if err := errors.Join(err, r.Close()); err != nil {
		return Identity{}, err
	}
	if err := config.save(data); err != nil {
		return Identity{}, err
	}
	m := membership{Cluster: cluster, Authority: public, Grant: grant, Founder: true, Heads: heads}
	return Identity{Name: config.Name, Peer: self, Cluster: cluster, Dir: config.Dir}, m.save(data)
}

// authorityKey makes the authority's key, or loads it after an Init that failed
// half-way.
func authorityKey(data string) (crypto.PrivKey, error) {
	name := filepath.Join(data, authorityName)
	key, err := trust.CreateKey(name)
	if errors.Is(err, trust.ErrExists) {
		key, err = trust.LoadKey(name)
	}
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	return key, nil
}

// JoinOptions says what Join makes. Data, Dir and Token are required.
type JoinOptions struct {
	Data   string // the data directory, made if need be
	Dir    string // the directory to mirror; it must exist
	Name   string // default: the host's name
	Listen string // multiaddr; default DefaultListen
	Token  trust.Token
}

// Join makes this node a member of the token's cluster. It changes no
// definition; the directory gets its marker. A Join that failed can be repeated
// with the same data directory and token. Errors wrap trust's sentinels where
// the inviter said no.
func Join(ctx context.Context, o JoinOptions) (Identity, error) {
	config, err := newConfig(o.Data, o.Dir, o.Name, o.Listen)
	if err != nil {
		return Identity{}, fmt.Errorf("join: %w", err)
	}
	lock, err := makeData(o.Data)
	if err != nil {
		return Identity{}, fmt.Errorf("join: %w", err)
	}
	id, err := join(ctx, o.Data, config, o.Token)
	if err := errors.Join(err, lock.Close()); err != nil {
		return Identity{}, err
	}
	return id, nil
}

func join(ctx context.Context, data string, config Config, t trust.Token) (Identity, error) {
	key, self, err := nodeKey(data)
	if err != nil {
		return Identity{}, err
	}
	public, err := crypto.MarshalPublicKey(t.Authority)
	if err != nil {
		return Identity{}, err
	}
	if err := mirror.Mark(config.Dir, t.Cluster.String()); err != nil {
		return Identity{}, err
	}
	h, err := joiningHost(key, t.PSK)
	if err != nil {
		return Identity{}, err
	}
	welcome, err := trust.Join(ctx, h, t, config.Name)
	if err != nil && !saidNo(err) && ctx.Err() == nil {
		err = fmt.Errorf("join: %w: see that its node runs and that %v can be reached from here: %w", ErrUnreachable, t.Addrs, err)
	}
	if err := errors.Join(err, h.Close()); err != nil {
		return Identity{}, err
	}
	if err := trust.SavePSK(filepath.Join(data, pskName), t.PSK); err != nil && !errors.Is(err, trust.ErrExists) {
		return Identity{}, err
	}
	grant, err := trust.OpenGrant(welcome.Grant, t.Authority, self)
	if err != nil {
		return Identity{}, err
	}
	config.Name = grant.Name // that of an earlier try whose answer was lost
	if err := config.save(data); err != nil {
		return Identity{}, err
	}
	m := membership{Cluster: t.Cluster, Authority: public, Grant: welcome.Grant, Heads: welcome.Heads}
	for _, a := range t.Addrs {
		m.Peers = append(m.Peers, a.String()+"/p2p/"+t.Inviter.String())
	}
	return Identity{Name: config.Name, Peer: self, Cluster: t.Cluster, Dir: config.Dir}, m.save(data)
}

// saidNo reports whether an error of trust.Join is the inviter's answer, or
// judges it, and not the network's.
func saidNo(err error) bool {
	for _, answer := range []error{
		trust.ErrTokenRefused, trust.ErrTokenExpired, trust.ErrTokenUsed, trust.ErrToken, trust.ErrNameTaken,
		trust.ErrTooManyAttempts, trust.ErrInviter, trust.ErrForeign, trust.ErrEncoding, trust.ErrSignature,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// newConfig makes a new node's configuration: what the data directory has in
// its config.yaml already stays.
func newConfig(data, dir, name, listen string) (Config, error) {
	if data == "" || dir == "" {
		return Config{}, fmt.Errorf("%w: data and mirrored directory must be given", ErrConfig)
	}
	c, err := readConfig(data)
	if err != nil {
		return Config{}, err
	}
	if c.Dir, err = filepath.Abs(dir); err != nil {
		return Config{}, err
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return Config{}, fmt.Errorf("directory %s: %w: create it, or name another", c.Dir, mirror.ErrNoDirectory)
	}
	if err := checkApart(data, c.Dir); err != nil {
		return Config{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return Config{}, err
	}
	c.Name = cmp.Or(name, c.Name, host)
	if listen != "" {
		c.Listen = []string{listen}
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

// ExportAuthority writes the authority's key, encrypted. No node need run.
func ExportAuthority(data string, w io.Writer, passphrase []byte) error {
	key, err := trust.LoadKey(filepath.Join(data, authorityName))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("export authority: %w: its key is not in %s", ErrNotAuthority, data)
	}
	if err != nil {
		return fmt.Errorf("export authority: %w", err)
	}
	return trust.ExportAuthority(w, key, string(passphrase))
}

// ImportAuthority makes this node the authority with an exported key. A running
// node notices at its next start.
func ImportAuthority(data string, r io.Reader, passphrase []byte) error {
	m, err := loadMembership(data)
	if err != nil {
		return fmt.Errorf("import authority: %w", err)
	}
	key, err := trust.ImportAuthority(r, string(passphrase))
	if err != nil {
		return fmt.Errorf("import authority: %w", err)
	}
	cluster, err := trust.ClusterOf(key.GetPublic())
	if err != nil {
		return fmt.Errorf("import authority: %w", err)
	}
	if cluster != m.Cluster {
		return fmt.Errorf("import authority: %w: the key is of cluster %s, this node of %s", ErrInvalid, cluster, m.Cluster)
	}
	if err := trust.SaveKey(filepath.Join(data, authorityName), key); err != nil && !errors.Is(err, trust.ErrExists) {
		return fmt.Errorf("import authority: %w", err)
	}
	return nil
}

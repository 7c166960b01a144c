package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/starling-sync/starling/crdt"
	"github.com/starling-sync/starling/discovery"
	"github.com/starling-sync/starling/internal/filelock"
	"github.com/starling-sync/starling/mirror"
	"github.com/starling-sync/starling/trust"
)

// Options says which node to run and how.
type Options struct {
	// Data is the data directory that Init or Join made.
	Data string
	// Listen overrides the configuration's addresses.
	Listen string
	// Observe and Refill: see mirror.Options.
	Observe, Refill bool
	// Version is what Status tells of the program.
	Version string
	// Logger gets what a human wants to know once; nil discards.
	Logger *slog.Logger

	// lookout zero is usualTimes; tests set it.
	lookout lookoutTimes
	// clockAhead is how far ahead of the right one this node's clock claims to be; tests
	// set it.
	clockAhead time.Duration
}

// clock says what time this node believes it is.
func (o Options) clock() time.Time { return time.Now().Add(o.clockAhead) }

// Node is a running node. Its methods are safe for concurrent use.
type Node struct {
	opts       Options
	config     Config
	identity   Identity
	membership membership
	secrets    secrets
	log        *slog.Logger
	started    time.Time

	lock        *filelock.Lock
	replica     *crdt.Replica
	gate        *trust.Gate
	host        host.Host
	gated       host.Host
	exchange    *crdt.Exchange
	invitations *trust.Invitations // nil unless this node is the authority
	inviter     *trust.Inviter     // likewise
	reports     *reports
	conflicts   *openConflicts
	editing     sync.Mutex // held by Edit while it makes a change on top of the heads
	findings    *findings
	flips       *flips
	lookout     *lookout
	discovery   *discovery.Discovery
	mirror      *mirror.Mirror

	replaced bool  // the store is not the one that Init made
	noted    known // what was noted last of what the store holds

	stated chan struct{} // one slot: the set has a new statement
	cancel context.CancelFunc
	wg     sync.WaitGroup
	done   chan struct{} // closed when the node ended by itself
	ended  sync.Once
	err    error // how it ended; written before done is closed

	closing sync.Once
	closed  error
}

// Open starts the node of a data directory. It returns when everything runs, or
// an error when something does not; it awaits no peer.
func Open(ctx context.Context, o Options) (*Node, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{opts: o, log: o.Logger, started: time.Now(), stated: make(chan struct{}, 1), done: make(chan struct{})}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	if err := n.load(); err != nil {
		return err
	}
	authority, err := crypto.UnmarshalPublicKey(n.membership.Authority)
	if err != nil {
		return fmt.Errorf("read the authority's public key: %w", err)
	}
	n.replica, err = crdt.Open(ctx, crdt.Options{
		Dir:         n.opts.Data,
		Cluster:     n.membership.Cluster,
		Key:         n.secrets.key,
		MinFree:     n.config.MinFreeMiB << 20,
		Known:       n.expected(),
		OnStatement: n.noteStatement,
		Logger:      n.log,
	})
	if err != nil {
		return err
	}
	if err = n.recall(ctx); err != nil {
		return err
	}
	if n.conflicts, err = openConflictsOf(ctx, n.replica); err != nil {
		return err
	}
	n.findings = newFindings(n.replica)
	n.flips = newFlips(n.replica)
	n.lookout = newLookout(n.opts.lookout)
	n.gate = trust.NewGate(trust.GateOptions{
		Cluster:       n.membership.Cluster,
		Authority:     authority,
		Standing:      n.standing,
		OpenProtocols: []protocol.ID{crdt.HelloProtocol, trust.JoinProtocol},
		Logger:        n.log,
	})
	if n.host, err = listeningHost(n.secrets, n.config, n.gate); err != nil {
		return err
	}
	if err := n.keepPorts(); err != nil {
		return err
	}
	n.gate.Start(n.host)
	n.gated = n.gate.Host(n.host)
	n.exchange, err = crdt.NewExchange(n.replica, crdt.ExchangeOptions{
		Host: n.gated, Gate: n.gate, Grant: n.membership.Grant, Logger: n.log,
	})
	if err != nil {
		return err
	}
	if err := n.openInviter(); err != nil {
		return err
	}
	if err := n.openMirror(ctx); err != nil {
		return err
	}
	n.reports = newReports(n)
	background, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	if err := n.openDiscovery(background); err != nil {
		return err
	}
	n.wg.Go(func() { n.runMirror(background) })
	n.wg.Go(func() { n.beginSync(background) })
	n.wg.Go(func() { n.followStatements(background) })
	n.wg.Go(func() { n.followConflicts(background) })
	n.wg.Go(func() { n.followFindings(background) })
	n.wg.Go(func() { n.followMembers(background) })
	n.wg.Go(func() { n.followKnown(background) })
	n.wg.Go(func() {
		select {
		case <-n.replica.Failed():
			n.end(n.replica.Err())
		case <-background.Done():
		}
	})
	return nil
}

// load reads the data directory.
func (n *Node) load() error {
	var err error
	if n.membership, err = loadMembership(n.opts.Data); err != nil {
		return err
	}
	if n.config, err = LoadConfig(n.opts.Data); err != nil {
		return err
	}
	if err = checkApart(n.opts.Data, n.config.Dir); err != nil {
		return err
	}
	if n.lock, err = lockData(n.opts.Data); err != nil {
		return err
	}
	if n.opts.Listen != "" {
		if err := checkAddr(n.opts.Listen); err != nil {
			return fmt.Errorf("%w: listen: %w", ErrConfig, err)
		}
		n.config.Listen = []string{n.opts.Listen}
	}
	if n.secrets, err = loadSecrets(n.opts.Data); err != nil {
		return err
	}
	self, err := peer.IDFromPrivateKey(n.secrets.key)
	if err != nil {
		return err
	}
	n.identity = Identity{Name: n.config.Name, Peer: self, Cluster: n.membership.Cluster, Dir: n.config.Dir}
	return nil
}

// keepPorts writes the ports that were found for port 0 to the configuration.
func (n *Node) keepPorts() error {
	listen, changed := resolvePorts(n.config.Listen, n.host.Network().ListenAddresses())
	if !changed {
		return nil
	}
	n.config.Listen = listen
	c, err := readConfig(n.opts.Data)
	if err != nil {
		return err
	}
	c.Listen = listen
	return c.save(n.opts.Data)
}

func (n *Node) openInviter() error {
	if n.secrets.authority == nil {
		return nil
	}
	var err error
	if n.invitations, err = trust.OpenInvitations(filepath.Join(n.opts.Data, invitationsName)); err != nil {
		return err
	}
	n.inviter, err = trust.NewInviter(n.gated, trust.InviterOptions{
		Cluster: n.membership.Cluster, Invitations: n.invitations, Grant: n.grant, Logger: n.log,
	})
	return err
}

func (n *Node) openMirror(ctx context.Context) error {
	mode, err := n.config.fileMode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	limit, err := n.config.formTime()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	n.mirror, err = mirror.Open(ctx, mirror.Options{
		Dir:        n.config.Dir,
		Cluster:    n.membership.Cluster.String(),
		Founder:    n.founder(),
		Extensions: n.config.Extensions,
		FileMode:   mode,
		Aside:      filepath.Join(n.opts.Data, asideName),
		ReadOnly:   n.readOnly,
		Observe:    n.opts.Observe,
		Refill:     n.opts.Refill,
		MinFree:    n.config.MinFreeMiB << 20,
		FormTime:   limit,
		Logger:     n.log,
	}, n.replica)
	return err
}

func (n *Node) openDiscovery(ctx context.Context) error {
	static, err := parsePeers(append(n.config.Peers, n.membership.Peers...))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	off := func(flag *bool) bool { return flag != nil && !*flag }
	n.discovery, err = discovery.Start(ctx, discovery.Options{
		Host:       n.gated,
		Cluster:    n.membership.Cluster.String(),
		Static:     static,
		Remembered: filepath.Join(n.opts.Data, peersName),
		NoMDNS:     off(n.config.MDNS),
		NoDHT:      off(n.config.DHT),
		Members:    n.others,
		Logger:     n.log,
	})
	return err
}

// Close ends everything, in the opposite order of the start, and waits for it.
// What was acknowledged is on disk.
func (n *Node) Close() error {
	n.closing.Do(func() { n.closed = n.close() })
	return n.closed
}

func (n *Node) close() error {
	var errs []error
	if n.discovery != nil {
		errs = append(errs, n.discovery.Close())
	}
	if n.reports != nil {
		n.reports.close()
	}
	if n.cancel != nil {
		n.cancel()
	}
	n.wg.Wait()
	if n.mirror != nil {
		errs = append(errs, n.mirror.Close())
	}
	if n.inviter != nil {
		errs = append(errs, n.inviter.Close())
	}
	if n.exchange != nil {
		n.exchange.Close()
	}
	if n.gate != nil {
		errs = append(errs, n.gate.Close())
	}
	if n.host != nil {
		errs = append(errs, n.host.Close())
	}
	if n.replica != nil {
		if n.exchange != nil {
			if err := n.saveKnown(context.Background()); err != nil {
				n.log.Warn("cannot note what the store holds", "err", err)
			}
		}
		errs = append(errs, n.replica.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}

// runMirror is the mirror loop's goroutine.
func (n *Node) runMirror(ctx context.Context) {
	if err := n.mirror.Run(ctx); err != nil && ctx.Err() == nil {
		n.end(fmt.Errorf("mirror: %w", err))
	}
}

// greetTime is how long a start waits for some peer before this node signs
// anything: a node that was restored from an old copy hears of its own later
// changes first.
const greetTime = time.Second

// beginSync lets the mirror begin once this node holds what its first sync needs.
func (n *Node) beginSync(ctx context.Context) {
	granted := func() bool {
		_, ok := n.replica.Member(n.identity.Peer)
		return ok && n.replica.Holds(n.membership.Heads)
	}
	if err := n.replica.Await(ctx, granted); err != nil {
		return
	}
	if err := n.awaitLost(ctx); err != nil {
		return
	}
	if len(n.others()) > 0 {
		n.awaitGreeting(ctx)
	}
	if ctx.Err() == nil {
		n.mirror.StartSync()
	}
}

func (n *Node) awaitGreeting(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(n.exchange.Peers()) == 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// end notes that the node cannot go on.
func (n *Node) end(err error) {
	n.ended.Do(func() {
		n.err = err
		close(n.done)
	})
}

// Done is closed if the node cannot go on; Err then says why.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err returns why the node ended by itself, once Done is closed.
func (n *Node) Err() error { return n.err }

// Ready is closed once the first sync was done and the directory is what the
// view says.
func (n *Node) Ready() <-chan struct{} { return n.mirror.Ready() }

// Config returns the configuration in force.
func (n *Node) Config() Config { return n.config }

// Identity says who this node is.
func (n *Node) Identity() Identity { return n.identity }

// Elements calls yield with the bytes of every element of the set, ancestors
// first, until yield returns an error.
func (n *Node) Elements(ctx context.Context, yield func(element []byte) error) error {
	return n.replica.Elements(ctx, yield)
}

// Addrs returns where this node can be reached, each ending in /p2p/ID.
func (n *Node) Addrs() []ma.Multiaddr {
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Addrs()})
	if err != nil { // the id is this node's own
		return nil
	}
	return addrs
}

package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// Options says whom to look for and where. Host, Cluster and Members are
// required.
type Options struct {
	// Host is the gated host: its streams reach members only. It is closed by
	// its owner, after Close.
	Host host.Host
	// Cluster is the cluster's text id. The name of the multicast DNS service and
	// the prefix of the DHT's protocol derive from it, so clusters on one network
	// do not see each other.
	Cluster string
	// Static are peers with addresses that somebody wrote down, in the token or
	// in the config. They are dialed whether or not Members names them.
	Static []peer.AddrInfo
	// Remembered is the file that keeps peers' addresses over a restart; "" turns
	// it off. Its directory must exist.
	Remembered string
	// NoMDNS turns multicast DNS off.
	NoMDNS bool
	// NoDHT turns the DHT off. Other members cannot look up peers through this
	// node then.
	NoDHT bool
	// Members returns the members that should be connected, other than this node
	// and without revoked ones. It is called from any goroutine and must not
	// block.
	Members func() []peer.ID
	// Logger takes what is to be said; nil discards it.
	Logger *slog.Logger
}

func (o Options) validate() error {
	var errs []error
	if o.Host == nil {
		errs = append(errs, errors.New("no host"))
	}
	if o.Cluster == "" {
		errs = append(errs, errors.New("no cluster id"))
	}
	if o.Members == nil {
		errs = append(errs, errors.New("no member function"))
	}
	return errors.Join(errs...)
}

// Discovery keeps a host connected to the members of its cluster.
type Discovery struct {
	dialer *dialer
	memory *memory
	events event.Subscription
	dht    *table // nil if turned off

	cancel  context.CancelFunc
	running sync.WaitGroup
	close   sync.Once
	closed  error
}

// Start begins to look for members and to connect to them, and returns at once:
// no peer need be there. When ctx ends the search ends too, but only Close waits
// for it and gives back what it holds.
func Start(ctx context.Context, o Options) (*Discovery, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("start discovery: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	memory, err := recall(o.Remembered, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("start discovery: %w", err)
	}
	events, err := o.Host.EventBus().Subscribe([]any{
		new(event.EvtPeerConnectednessChanged),
		new(event.EvtPeerIdentificationCompleted),
	}, eventbus.Name("discovery"), eventbus.BufSize(256))
	if err != nil {
		return nil, fmt.Errorf("start discovery: subscribe to the host's events: %w", err)
	}

	d := &Discovery{memory: memory, events: events}
	here := newWhereabouts(o.Host, o.Logger)
	d.dialer = newDialer(o, here, memory)
	if !o.NoDHT {
		if d.dht, err = startTable(o.Host, o.Cluster, d.dialer.wants, here.plausible); err != nil {
			return nil, errors.Join(fmt.Errorf("start discovery: %w", err), events.Close())
		}
		d.dialer.lookup = d.dht.find
	}

	ctx, d.cancel = context.WithCancel(ctx)
	d.running.Go(func() { d.dialer.run(ctx, events.Out()) })
	d.running.Go(func() { memory.run(ctx) })
	d.running.Go(func() {
		var announcer *lan
		if !o.NoMDNS {
			announcer = newLAN(o.Host.ID(), o.Cluster, here, d.dialer.propose, o.Logger)
			defer announcer.stop()
		}
		here.watch(ctx, func(moved bool) {
			if announcer != nil {
				announcer.restart(ctx)
			}
			if moved {
				d.dialer.again()
			}
		})
	})
	return d, nil
}

// Nudge says that the membership changed: look again now. It never blocks and may
// be called from any goroutine.
func (d *Discovery) Nudge() { d.dialer.nudge() }

// Close stops the search, waits for everything that it started, and writes what is
// to be remembered. Connections stay: they are the host's. It may be called more
// than once.
func (d *Discovery) Close() error {
	d.close.Do(func() {
		d.cancel()
		d.running.Wait()
		errs := []error{d.events.Close()}
		if d.dht != nil {
			errs = append(errs, d.dht.close())
		}
		errs = append(errs, d.memory.save())
		if err := errors.Join(errs...); err != nil {
			d.closed = fmt.Errorf("close discovery: %w", err)
		}
	})
	return d.closed
}

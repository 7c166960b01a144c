package discovery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// parallelDials bounds the dials at a time, strangerDials those of them that may
	// go to strangers: somebody who invents peers at addresses that swallow every
	// packet holds up no member.
	parallelDials = 16
	strangerDials = 4

	// settled is how long a connection must have lasted for its loss to be a new
	// event. A peer that accepts and hangs up at once, because its gater does not
	// know this node yet, is backed off from like one that does not answer.
	settled = 5 * time.Second

	// sweepInterval is how often everything is looked at though nothing happened.
	sweepInterval = time.Minute

	// Bounds on what the local network may propose.
	maxStrangers     = 64
	maxProposedAddrs = 16

	// unreachableAfter is the number of failures in a row (some ten seconds) at
	// which a human is told, once.
	unreachableAfter = 6
)

var errDidNotLast = errors.New("the connection did not last")

// dialer connects the host to the members. One goroutine, run, owns the table of
// peers and sleeps until a peer is due or something happens; the dials run beside
// it, parallelDials at most.
type dialer struct {
	host    host.Host
	here    *whereabouts
	memory  *memory
	members func() []peer.ID
	static  map[peer.ID][]ma.Multiaddr
	lookup  func(context.Context, peer.ID) error // finds and connects; nil without a DHT
	log     *slog.Logger

	nudges  chan struct{}
	moves   chan struct{}
	found   chan peer.AddrInfo
	results chan result
	dials   sync.WaitGroup
	wanted  atomic.Pointer[map[peer.ID]bool] // as of the last refresh; never changed in place

	// Of run's goroutine alone.
	peers     map[peer.ID]*candidate
	busy      int       // dials that run
	strangely int       // of those, the ones to strangers
	swept     time.Time // when everything was last looked at
}

// result is the outcome of a dial.
type result struct {
	peer     peer.ID
	stranger bool // when the dial began
	err      error
}

func newDialer(o Options, here *whereabouts, m *memory) *dialer {
	d := &dialer{
		host:    o.Host,
		here:    here,
		memory:  m,
		members: o.Members,
		static:  map[peer.ID][]ma.Multiaddr{},
		log:     o.Logger,
		nudges:  make(chan struct{}, 1),
		moves:   make(chan struct{}, 1),
		found:   make(chan peer.AddrInfo),
		results: make(chan result, parallelDials), // so no dial waits for run to end
		peers:   map[peer.ID]*candidate{},
	}
	for _, s := range o.Static {
		d.static[s.ID] = append(d.static[s.ID], s.Addrs...)
	}
	d.refresh(time.Now(), true)
	return d
}

// nudge makes run look at the members again. It never blocks.
func (d *dialer) nudge() { signal(d.nudges) }

// again makes run try everybody anew, because this machine is somewhere else now.
// It never blocks.
func (d *dialer) again() { signal(d.moves) }

// propose names a peer that the local network told of. It blocks until run takes
// it or ctx ends.
func (d *dialer) propose(ctx context.Context, info peer.AddrInfo) {
	select {
	case d.found <- info:
	case <-ctx.Done():
	}
}

// wants reports whether p is a member or a static peer. Any goroutine may ask.
func (d *dialer) wants(p peer.ID) bool { return (*d.wanted.Load())[p] }

// run dials until ctx ends and returns when no dial is left. It never blocks on
// anything but its channels: the host waits for those who read its events.
func (d *dialer) run(ctx context.Context, events <-chan any) {
	defer d.dials.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-d.nudges:
			d.refresh(time.Now(), false)
		case <-d.moves:
			d.startOver(time.Now())
		case info := <-d.found:
			d.learn(info, time.Now())
		case r := <-d.results:
			d.settle(r, time.Now())
		case e, open := <-events:
			if !open {
				return
			}
			d.notice(e, time.Now())
		}
		now := time.Now()
		if now.Sub(d.swept) >= sweepInterval {
			d.sweep(now)
		}
		d.dialDue(ctx, now)
		timer.Reset(d.next(now))
	}
}

// refresh makes the table follow the members. Who is new is dialed: at the start
// at once, later with deference, for he probably dials us. Who is a member no more
// is forgotten.
func (d *dialer) refresh(now time.Time, start bool) {
	wanted := map[peer.ID]bool{}
	for _, p := range d.members() {
		wanted[p] = true
	}
	for p := range d.static {
		wanted[p] = true
	}
	delete(wanted, d.host.ID())
	d.wanted.Store(&wanted)

	for p := range wanted {
		c := d.peers[p]
		switch {
		case c == nil:
			c = &candidate{due: now}
			if !start {
				c.due = now.Add(d.deference(p))
			}
			d.peers[p] = c
		case c.stranger:
			c.stranger = false
		default:
			continue
		}
		if d.observe(p, c, now) {
			d.remember(p)
		}
	}
	for p, c := range d.peers {
		if !wanted[p] && !c.stranger {
			delete(d.peers, p)
		}
	}
}

// sweep looks at everything, for the sake of what nobody told: members that
// changed without a nudge, addresses that a connected peer pushed.
func (d *dialer) sweep(now time.Time) {
	d.swept = now
	d.refresh(now, false)
	for p, c := range d.peers {
		if d.observe(p, c, now) && !c.stranger {
			d.remember(p)
		}
	}
}

// startOver forgets all failures: they were made from another place.
func (d *dialer) startOver(now time.Time) {
	for _, c := range d.peers {
		c.failures = 0
		c.due = now.Add(jitter(250 * time.Millisecond))
	}
}

// learn takes a peer that the local network proposed. Addresses that are new for
// it end its backoff.
func (d *dialer) learn(info peer.AddrInfo, now time.Time) {
	c := d.peers[info.ID]
	if c == nil {
		if !d.makeRoom() {
			return
		}
		c = &candidate{stranger: true, due: now.Add(d.deference(info.ID))}
		d.peers[info.ID] = c
		d.observe(info.ID, c, now)
	}
	fresh := slices.DeleteFunc(info.Addrs, func(a ma.Multiaddr) bool { return ma.Contains(c.proposed, a) })
	if len(fresh) == 0 {
		return
	}
	c.proposed = slices.Concat(fresh, c.proposed)
	c.proposed = c.proposed[:min(len(c.proposed), maxProposedAddrs)]
	c.failures = 0
	c.bringForward(now.Add(d.deference(info.ID)))
}

// makeRoom reports whether one more stranger may be taken, after it has put out
// the one that failed most, if they are too many.
func (d *dialer) makeRoom() bool {
	strangers := 0
	var worst peer.ID
	failures := 0
	for p, c := range d.peers {
		if !c.stranger {
			continue
		}
		strangers++
		if c.failures > failures && !c.dialing {
			worst, failures = p, c.failures
		}
	}
	if strangers < maxStrangers {
		return true
	}
	delete(d.peers, worst)
	return worst != ""
}

// settle takes the outcome of a dial.
func (d *dialer) settle(r result, now time.Time) {
	d.busy--
	if r.stranger {
		d.strangely--
	}
	c := d.peers[r.peer]
	if c == nil {
		return
	}
	c.dialing = false
	wasUp := !c.since.IsZero()
	if d.observe(r.peer, c, now) || wasUp {
		return // Connected, or lost again, which observe has dealt with.
	}
	if r.err == nil {
		r.err = errDidNotLast
	}
	d.failed(r.peer, c, r.err, now)
}

func (d *dialer) failed(p peer.ID, c *candidate, err error, now time.Time) {
	c.failures++
	c.due = now.Add(backoff(c.failures))
	if c.failures == unreachableAfter && !c.stranger {
		d.log.Info("a member cannot be reached; still trying", "peer", p, "err", err)
		return
	}
	d.log.Debug("dial failed", "peer", p, "err", err)
}

// notice takes an event of the host.
func (d *dialer) notice(e any, now time.Time) {
	switch e := e.(type) {
	case event.EvtPeerConnectednessChanged:
		if c := d.peers[e.Peer]; c != nil {
			d.observe(e.Peer, c, now)
		}
	case event.EvtPeerIdentificationCompleted:
		if c := d.peers[e.Peer]; c != nil && !c.stranger && d.observe(e.Peer, c, now) {
			d.remember(e.Peer)
		}
		if d.lookup == nil {
			return
		}
		// Here is one more whom the DHT can ask for those who are missing. It takes
		// him in after he has answered a first question.
		for _, c := range d.peers {
			if !c.stranger && now.Sub(c.last) > settled {
				c.bringForward(now.Add(250*time.Millisecond + jitter(250*time.Millisecond)))
			}
		}
	}
}

// observe compares what is known of p with the host's connections, and reports
// whether p is connected. The host's events are hints only: they may come late and
// in another order than a dial's outcome.
func (d *dialer) observe(p peer.ID, c *candidate, now time.Time) bool {
	connected := d.host.Network().Connectedness(p) == network.Connected
	switch {
	case connected && c.since.IsZero():
		c.since = now
	case connected && now.Sub(c.since) >= settled:
		c.failures = 0
	case !connected && !c.since.IsZero():
		lasted := now.Sub(c.since)
		c.since = time.Time{}
		if lasted < settled {
			d.failed(p, c, errDidNotLast, now)
			break
		}
		c.failures = 0
		c.due = now.Add(d.deference(p))
	}
	return connected
}

// deference is how long to wait for a peer that probably dials us at this very
// moment too: of two nodes the one with the lesser id goes first, so that they end
// up with one connection.
func (d *dialer) deference(p peer.ID) time.Duration {
	if d.host.ID() < p {
		return jitter(50 * time.Millisecond)
	}
	return 250*time.Millisecond + jitter(250*time.Millisecond)
}

// dialDue starts the dials that are due: of members before strangers, and of those
// with few failures first.
func (d *dialer) dialDue(ctx context.Context, now time.Time) {
	if d.next(now) > 0 {
		return
	}
	// Nobody is dialed on old news: a revocation closes connections, and the loss
	// of one leads here.
	d.refresh(now, false)
	due := slices.SortedFunc(maps.Keys(d.peers), func(a, b peer.ID) int {
		ca, cb := d.peers[a], d.peers[b]
		return cmp.Or(cmp.Compare(ca.rank(), cb.rank()), ca.due.Compare(cb.due))
	})
	for _, p := range due {
		c := d.peers[p]
		if !c.idle() || c.due.After(now) || !d.hasRoom(c) || d.observe(p, c, now) {
			continue
		}
		c.dialing, c.last = true, now
		d.busy++
		stranger := c.stranger
		if stranger {
			d.strangely++
		}
		addrs := slices.Concat(d.static[p], d.memory.addrs(p), c.proposed)
		d.dials.Go(func() { d.results <- result{p, stranger, d.dial(ctx, p, addrs)} })
	}
}

// hasRoom reports whether one more dial, to c, may run.
func (d *dialer) hasRoom(c *candidate) bool {
	return d.busy < parallelDials && (!c.stranger || d.strangely < strangerDials)
}

// next returns how long run may sleep. Who waits for room is not counted: the end
// of a dial wakes run.
func (d *dialer) next(now time.Time) time.Duration {
	wait := d.swept.Add(sweepInterval).Sub(now)
	for _, c := range d.peers {
		if c.idle() && d.hasRoom(c) {
			wait = min(wait, c.due.Sub(now))
		}
	}
	return max(wait, 0)
}

// remember keeps the addresses of a connected peer for the next run: first those
// at which it was dialed, then those where it says that it listens.
func (d *dialer) remember(p peer.ID) {
	var proven []ma.Multiaddr
	near := false
	for _, c := range d.host.Network().ConnsToPeer(p) {
		near = near || allLoopback([]ma.Multiaddr{c.RemoteMultiaddr()})
		if c.Stat().Direction == network.DirOutbound {
			proven = append(proven, c.RemoteMultiaddr())
		}
	}
	listens := d.host.Peerstore().Addrs(p)
	if !near {
		listens = d.here.plausible(listens)
	}
	slices.SortFunc(listens, ma.Multiaddr.Compare)
	d.memory.remember(p, ma.Unique(slices.Concat(proven, listens)))
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func jitter(limit time.Duration) time.Duration { return rand.N(limit) }

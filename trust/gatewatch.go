package trust

import (
	"maps"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
)

// stranger is a connection whose peer is no member.
type stranger struct {
	since    time.Time
	deadline time.Time // when it is cut
}

// Start begins to watch the host's connections: it cuts those whose peer is still
// no member HelloTimeout after it connected, and after Recheck those whose peer is
// revoked. The host is the one that has this gate as its connection gater, wrapped
// or not. Start is called once.
func (g *Gate) Start(h host.Host) {
	g.mu.Lock()
	g.host = h
	g.recheck = true
	g.mu.Unlock()
	h.Network().Notify(g.notifiee())
	for _, c := range h.Network().Conns() {
		g.connected(c)
	}
	g.watcher.Go(g.watch)
	g.poke()
}

// Close ends the watch and refuses the streams that wait, and returns when both
// have ended. Connections stay; the host is to be closed next.
func (g *Gate) Close() error {
	g.mu.Lock()
	closed, h := g.closed, g.host
	g.closed = true
	g.mu.Unlock()
	if closed {
		return nil
	}
	close(g.done)
	if h != nil {
		h.Network().StopNotify(g.notifiee())
	}
	g.watcher.Wait()
	g.waiters.Wait()
	return nil
}

// notifiee is comparable, so that StopNotify finds what Notify was given.
func (g *Gate) notifiee() network.Notifiee { return connections{network.GlobalNoopNotifiee, g} }

// connections tells a gate what connects. libp2p calls it; it does not block.
type connections struct {
	*network.NoopNotifiee
	gate *Gate
}

func (n connections) Connected(_ network.Network, c network.Conn)    { n.gate.connected(c) }
func (n connections) Disconnected(_ network.Network, c network.Conn) { n.gate.disconnected(c) }

func (g *Gate) connected(c network.Conn) {
	if g.IsMember(c.RemotePeer()) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.strangers[c]; known || c.IsClosed() {
		return
	}
	now := time.Now()
	s := stranger{since: now, deadline: now.Add(g.o.HelloTimeout)}
	if c.Stat().Direction == network.DirInbound {
		g.inbound++
		if g.inbound > g.o.MaxStrangers {
			s.deadline = now // several passed InterceptSecured at once
		}
	}
	g.strangers[c] = s
	g.poke()
}

func (g *Gate) disconnected(c network.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(c)
}

// joining gives a connection that came to join more time.
func (g *Gate) joining(c network.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, ok := g.strangers[c]; ok && s.deadline.After(s.since) {
		s.deadline = s.since.Add(max(joinTimeout, g.o.HelloTimeout))
		g.strangers[c] = s
	}
}

// forget is called under mu.
func (g *Gate) forget(c network.Conn) {
	if _, known := g.strangers[c]; !known {
		return
	}
	delete(g.strangers, c)
	if c.Stat().Direction == network.DirInbound {
		g.inbound--
	}
}

// poke wakes the watcher without blocking.
func (g *Gate) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// watch is the gate's one goroutine.
func (g *Gate) watch() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-g.done:
			return
		case <-g.wake:
		case <-timer.C:
		}
		g.mu.Lock()
		recheck := g.recheck
		g.recheck = false
		g.mu.Unlock()
		if recheck {
			g.cutRevoked()
		}
		timer.Reset(g.cutStrangers(time.Now()))
	}
}

// cutRevoked closes the connections of revoked peers.
func (g *Gate) cutRevoked() {
	for _, c := range g.host.Network().Conns() {
		if p := c.RemotePeer(); g.o.Standing(p) == StandingRevoked {
			g.o.Logger.Info("cut the connection of a revoked node", "peer", p)
			c.Close()
		}
	}
}

// cutStrangers closes the connections whose time is over and returns how long the
// next one has.
func (g *Gate) cutStrangers(now time.Time) time.Duration {
	next := time.Hour
	var over []network.Conn
	for c, s := range g.snapshot() {
		switch {
		case g.IsMember(c.RemotePeer()) || c.IsClosed():
			g.disconnected(c)
		case !now.Before(s.deadline) || g.o.Standing(c.RemotePeer()) == StandingRevoked:
			over = append(over, c)
		default:
			next = min(next, s.deadline.Sub(now))
		}
	}
	for _, c := range over {
		g.o.Logger.Info("cut a connection that showed no grant", "peer", c.RemotePeer())
		g.disconnected(c)
		c.Close()
	}
	return next
}

func (g *Gate) snapshot() map[network.Conn]stranger {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.strangers)
}

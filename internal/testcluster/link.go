package testcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// link is the one way from a node to another: a TCP proxy that can be cut. Cutting
// ends its connections and refuses new ones.
type link struct {
	listener net.Listener
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string // host:port; empty until it is known
	cut    bool
	conns  map[net.Conn]struct{}
}

// linkDialTime bounds how long a link dials its target.
const linkDialTime = 5 * time.Second

func newLink() (*link, error) {
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open link: %w", err)
	}
	l := &link{listener: listener, ctx: ctx, cancel: cancel, conns: make(map[net.Conn]struct{})}
	l.wg.Go(l.accept)
	return l, nil
}

// accept is the listening goroutine. It ends with the listener.
func (l *link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() { l.carry(conn) })
	}
}

// carry connects one connection with the target until either end closes, or the
// link is cut.
func (l *link) carry(from net.Conn) {
	defer from.Close()
	target, ok := l.take(from)
	defer l.drop(from)
	if !ok {
		return
	}
	to, err := (&net.Dialer{Timeout: linkDialTime}).DialContext(l.ctx, "tcp", target)
	if err != nil {
		return
	}
	defer to.Close()
	if _, ok := l.take(to); !ok {
		return
	}
	defer l.drop(to)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to) // its error is the other end's
		from.Close()
	})
	_, _ = io.Copy(to, from)
	to.Close()
	back.Wait()
}

// take makes a connection one that cutting ends, unless the link is cut.
func (l *link) take(c net.Conn) (target string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || l.target == "" || l.ctx.Err() != nil {
		return "", false
	}
	l.conns[c] = struct{}{}
	return l.target, true
}

func (l *link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// lead says where the link goes.
func (l *link) lead(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

// setCut cuts the link or mends it.
func (l *link) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut = cut; cut {
		l.closeConns()
	}
}

// closeConns ends all connections. The caller holds mu.
func (l *link) closeConns() {
	for c := range l.conns {
		c.Close()
	}
}

// close ends the link and waits.
func (l *link) close() error {
	l.mu.Lock()
	l.cancel()
	l.closeConns()
	l.mu.Unlock()
	err := l.listener.Close()
	l.wg.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close link: %w", err)
	}
	return nil
}

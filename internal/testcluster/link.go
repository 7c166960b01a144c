package testcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// link is the one way from a node to another: a TCP proxy that can be cut and made
// slow. Cutting ends its connections and refuses new ones.
type link struct {
	listener net.Listener
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string // host:port; empty until it is known
	cut    bool
	rate   int // bytes a second each way; 0 is no limit
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
		l.pass(from, to)
		from.Close()
	})
	l.pass(to, from)
	to.Close()
	back.Wait()
}

const (
	// linkPiece is how much a link takes in at once, in bytes.
	linkPiece = 8 << 10
	// linkBuffer is about what the system keeps for a slow link: it is to hold up those
	// who send, not to hold much itself. Less than a segment of the loopback would
	// make it wait for timers.
	linkBuffer = 128 << 10
)

// pass carries bytes one way until either end closes; the error is that end's.
func (l *link) pass(to, from net.Conn) {
	buf := make([]byte, linkPiece)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
		if rate := l.limit(); rate > 0 {
			timer := time.NewTimer(time.Duration(n) * time.Second / time.Duration(rate))
			select {
			case <-timer.C:
			case <-l.ctx.Done():
				timer.Stop()
				return
			}
		}
	}
}

func (l *link) limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate
}

// slow limits how many bytes a second pass each way.
func (l *link) slow(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = rate
	for c := range l.conns {
		narrow(c)
	}
}

// narrow lets the system keep little for a connection.
func narrow(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(linkBuffer) // a hint, as the next is
		_ = tcp.SetWriteBuffer(linkBuffer)
	}
}

// take makes a connection one that cutting ends, unless the link is cut.
func (l *link) take(c net.Conn) (target string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || l.target == "" || l.ctx.Err() != nil {
		return "", false
	}
	l.conns[c] = struct{}{}
	if l.rate > 0 {
		narrow(c)
	}
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

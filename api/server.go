package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/starling-sync/starling/node"
)

const (
	// headerTimeout bounds how long a client may take to say what it wants.
	headerTimeout = 10 * time.Second
	// closeTimeout bounds how long Close lets a request finish that is under way.
	closeTimeout = 2 * time.Second
)

// Server serves the API of one node on one listener.
type Server struct {
	http   http.Server
	cancel context.CancelFunc
	done   chan struct{} // closed when the serving goroutine has ended
	err    error         // why, if not by Close; to be read after done
}

// Serve starts to serve the API of n on l, which it owns from now on. A nil
// logger discards. Close ends it.
func Serve(l net.Listener, n *node.Node, logger *slog.Logger) *Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{cancel: cancel, done: make(chan struct{})}
	s.http = http.Server{
		Handler:           NewHandler(n),
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.err = fmt.Errorf("serve admin API: %w", err)
		}
	}()
	return s
}

// Done is closed when the server has ended, by Close or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close takes no more requests, ends those that wait for something, lets the
// others finish for a moment, and returns when the server has ended. It returns
// why it ended, if that was before Close.
func (s *Server) Close() error {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // what is still open after its time is cut
	}
	<-s.done
	return s.err
}

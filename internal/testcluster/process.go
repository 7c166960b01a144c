package testcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/starling-sync/starling/node"
	"github.com/starling-sync/starling/trust"
)

// nodeEnv makes a test binary a node: it holds a setup.
const nodeEnv = "STARLING_TESTCLUSTER_NODE"

// setup is what a node process is told.
type setup struct {
	Data   string
	Refill bool
	Level  slog.Level
	// Join, if not nil, is done first, unless it was done before.
	Join *joining
	// Die says where the process is to kill itself.
	Die Death
}

// joining is node.JoinOptions as text.
type joining struct{ Dir, Name, Listen, Token string }

func (j *joining) do(data string) error {
	token, err := trust.ParseToken([]byte(j.Token))
	if err != nil {
		return err
	}
	_, err = node.Join(context.Background(), node.JoinOptions{Data: data, Dir: j.Dir, Name: j.Name, Listen: j.Listen, Token: token})
	if errors.Is(err, node.ErrExists) {
		return nil
	}
	return err
}

// Main runs the tests of a binary, or the one node that New started the binary for,
// and returns the exit code. The tests fail if they leave a goroutine behind.
//
//	func TestMain(m *testing.M) { os.Exit(testcluster.Main(m)) }
func Main(m *testing.M) int {
	if text := os.Getenv(nodeEnv); text != "" {
		if err := runNode(text); err != nil {
			fmt.Fprintln(os.Stderr, "node failed:", err)
			return 1
		}
		return 0
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "the tests left goroutines behind:", err)
			return 1
		}
	}
	return code
}

// runNode runs a node until its standard input ends, which also happens when the
// test's process dies. Meanwhile it answers calls there.
func runNode(text string) error {
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read setup: %w", err)
	}
	s.Die.arm()
	if s.Join != nil {
		if err := s.Join.do(s.Data); err != nil {
			return err
		}
	}
	n, err := node.Open(context.Background(), node.Options{
		Data:   s.Data,
		Refill: s.Refill,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: s.Level})),
	})
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.RegisterName(serviceName, &service{n}); err != nil {
		return errors.Join(err, n.Close())
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.ServeCodec(jsonrpc.NewServerCodec(stdio{os.Stdin, os.Stdout}))
	}()
	select {
	case <-served:
	case <-n.Done(): // the test sees the process end
		return errors.Join(n.Err(), n.Close())
	}
	if err := n.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := goleak.Find(); err != nil {
		return fmt.Errorf("goroutines are left after Close: %w", err)
	}
	return nil
}

// stdio is a pair of pipes as one connection.
type stdio struct {
	io.ReadCloser
	io.WriteCloser
}

// Close closes both.
func (s stdio) Close() error { return errors.Join(s.WriteCloser.Close(), s.ReadCloser.Close()) }

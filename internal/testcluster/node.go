package testcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Node is one member of a cluster: its directory, its data directory and, while it
// runs, its process. The methods that ask the node fail while it does not run.
type Node struct {
	Dir           // the mirrored directory
	Name   string // node-0, node-1, ...
	ID     peer.ID
	Data   string // the data directory
	Refill bool   // node.Options.Refill at the next start

	join    *joining // what the process does first; nil for nothing
	logFile string
	level   slog.Level
	running *process // nil while it does not
}

// process is a node's process.
type process struct {
	cmd    *exec.Cmd
	client *rpc.Client
	opened chan struct{} // closed when the node has answered its first call
	done   chan struct{} // closed when the process has ended
	err    error         // how it ended; written before done is closed

	dismissed bool // it was asked to end
}

// startTime and stopTime bound how long a node may take to start and to leave.
const (
	startTime = 60 * time.Second
	stopTime  = 60 * time.Second
)

func newNode(root string, i int, level slog.Level) (*Node, error) {
	name := fmt.Sprintf("node-%d", i)
	n := &Node{
		Dir:     Dir(filepath.Join(root, name, "dir")),
		Name:    name,
		Data:    filepath.Join(root, name, "data"),
		logFile: filepath.Join(root, name, "log"),
		level:   level,
	}
	if err := os.MkdirAll(string(n.Dir), 0o755); err != nil {
		return nil, err
	}
	return n, os.MkdirAll(n.Data, 0o700)
}

// Running reports whether the node was started and neither stopped nor killed.
func (n *Node) Running() bool { return n.running != nil }

// start starts the node's process and waits until the node is open.
func (n *Node) start() error {
	if err := n.launch(Death{}); err != nil {
		return err
	}
	err := n.open()
	if err != nil {
		p := n.running
		n.running = nil
		return fmt.Errorf("start %s: %w", n.Name, errors.Join(err, p.kill(), p.err))
	}
	return nil
}

// launch starts the node's process.
func (n *Node) launch(d Death) error {
	if n.running != nil {
		return fmt.Errorf("start %s: it runs", n.Name)
	}
	text, err := json.Marshal(setup{Data: n.Data, Refill: n.Refill, Level: n.level, Join: n.join, Die: d})
	if err != nil {
		return fmt.Errorf("start %s: %w", n.Name, err)
	}
	p, err := startProcess(n.logFile, string(text))
	if err != nil {
		return fmt.Errorf("start %s: %w", n.Name, err)
	}
	n.running = p
	return nil
}

// open waits until the node's process answers.
func (n *Node) open() error {
	p := n.running
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-p.opened:
		return nil
	case <-p.done:
		return errors.New("it ended at once")
	case <-timer.C:
		return fmt.Errorf("it is not open after %v", startTime)
	}
}

func startProcess(logFile, text string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self) // until stop or kill
	cmd.Env = append(os.Environ(), nodeEnv+"="+text,
		"GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0") // the race detector's default is a second
	cmd.Stderr = log
	var pipes stdio
	if pipes.WriteCloser, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if pipes.ReadCloser, err = cmd.StdoutPipe(); err != nil {
		return nil, errors.Join(err, pipes.WriteCloser.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, client: jsonrpc.NewClient(pipes), opened: make(chan struct{}), done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	go func() { // until the client is closed
		var status Reply[Status]
		if p.client.Call(serviceName+".Status", struct{}{}, &status) == nil {
			close(p.opened)
		}
	}()
	return p, nil
}

// stop ends the node as a terminating signal does, and waits. The error says if it
// did not end well, or left a goroutine behind.
func (n *Node) stop() error {
	p := n.running
	if p == nil {
		return fmt.Errorf("stop %s: it does not run", n.Name)
	}
	n.running = nil
	err := p.client.Close() // the end of its standard input
	if errors.Is(err, rpc.ErrShutdown) {
		err = nil // the process has ended before, p.err says how
	}
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-p.done:
		err = errors.Join(err, p.err)
	case <-timer.C:
		// The log then shows where its goroutines are.
		err = errors.Join(fmt.Errorf("it has not ended after %v", stopTime), p.cmd.Process.Signal(syscall.SIGQUIT))
		<-p.done
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", n.Name, err)
	}
	return nil
}

// kill ends the process by SIGKILL and waits.
func (n *Node) kill() error {
	p := n.running
	if p == nil {
		return fmt.Errorf("kill %s: it does not run", n.Name)
	}
	n.running = nil
	if err := p.kill(); err != nil {
		return fmt.Errorf("kill %s: %w", n.Name, err)
	}
	return nil
}

func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.done
	if closeErr := p.client.Close(); !errors.Is(closeErr, rpc.ErrShutdown) {
		err = errors.Join(err, ignoreClosed(closeErr))
	}
	return err
}

// ignoreClosed returns nil for a pipe that the end of its process has closed.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// Logged returns all that the node has logged, over all its runs.
func (n *Node) Logged() (string, error) {
	text, err := os.ReadFile(n.logFile)
	return string(text), err
}

// logTail returns the end of what the node has logged.
func (n *Node) logTail() string {
	const most = 16 << 10
	f, err := os.Open(n.logFile)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	tail, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(tail)
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starling": checkedMain})
}

// checkedMain is main, but ends with an exit code of its own if what a command printed
// as JSON is not what its schema says, or if it printed what drives a terminal.
func checkedMain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	var out, said lockedBuffer
	code := run(ctx, os.Args[1:], os.Stdin, io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &said))
	for _, err := range []error{checkPrinted(os.Args[1:], []byte(out.String())), checkLegible(os.Args[1:], out.String(), said.String())} {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 99
		}
	}
	os.Exit(code)
}

// lockedBuffer is a buffer to which a library may still log while it is read.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// checkLegible checks that nothing of what a command printed drives a terminal, unless it
// was asked for bytes as they are.
func checkLegible(args []string, out, said string) error {
	p := new(program)
	c, rest, err := p.command().Find(args)
	if err == nil && c.ParseFlags(rest) == nil {
		text := c.Flags().Lookup("text")
		switch command := commandOf(c); {
		case command == "cat",
			command == "diff" && text.Changed && p.output != outputJSON,
			command == "watch" && c.ArgsLenAtDash() >= 0: // it is its command that prints
			out = ""
		}
	}
	for _, text := range []string{out, said} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && hidden(r) }); i >= 0 || !utf8.ValidString(text) {
			return fmt.Errorf("it printed what must not reach a terminal: %q", text)
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starling": checkedMain})
}

// checkedMain is main, but ends with an exit code of its own if what a command printed
// as JSON is not what its schema says.
func checkedMain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	var out bytes.Buffer
	code := run(ctx, os.Args[1:], os.Stdin, io.MultiWriter(os.Stdout, &out), os.Stderr)
	if err := checkPrinted(os.Args[1:], out.Bytes()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 99
	}
	os.Exit(code)
}

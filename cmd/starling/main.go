// Command starling keeps a directory of definition files equal on all nodes of a
// cluster. `starling help` lists its commands.
//
// This package is thin: a command parses its flags, calls package node (init,
// join, run, authority) or asks a running node through package api (all others),
// and prints. Data goes to stdout as a table or as JSON, messages go to stderr,
// and the exit code says how it went; exit.go has the codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop. From then on signals do what they do by
	// default, so the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command and returns the exit code. A cancelled context asks the
// command to finish.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.command()
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	return p.report(called.CommandPath(), err)
}

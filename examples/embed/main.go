// Embed runs a Starling node inside another Go program: it makes a cluster of
// one out of a directory, or goes on with it, writes a definition into it and
// lists what the directory holds.
//
//	go run ./examples/embed -data /tmp/embed-data -dir /tmp/embed-services
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/node"
)

func main() {
	data := flag.String("data", "", "data directory of the node")
	dir := flag.String("dir", "", "directory to keep equal")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *data, *dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
}

// run runs a node until it has shown what it can do.
func run(ctx context.Context, data, dir string, out io.Writer) (err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	_, err = node.Init(ctx, node.InitOptions{Data: data, Dir: dir, Name: "embedded", Listen: "/ip4/127.0.0.1/tcp/0"})
	if err != nil && !errors.Is(err, node.ErrExists) {
		return err
	}
	n, err := node.Open(ctx, node.Options{Data: data, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	select {
	case <-n.Ready():
	case <-n.Done():
		return n.Err()
	case <-ctx.Done():
		return ctx.Err()
	}

	path, err := definition.ParsePath("Hello-1.json")
	if err != nil {
		return err
	}
	edit := definition.Edit{Path: path, Content: []byte("{\n  \"id\": 1,\n  \"name\": \"Hello\"\n}\n")}
	if _, err := n.Edit(ctx, definition.Draft{Edits: []definition.Edit{edit}, Note: "written by a Go program"}); err != nil {
		return err
	}
	entries, err := n.List(ctx, "")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fmt.Fprintf(out, "%s\t%d bytes\tby %s\n", e.Path, e.Size, e.Author)
	}
	return nil
}

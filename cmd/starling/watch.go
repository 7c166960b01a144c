package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
)

func (p *program) watchCommand() *cobra.Command {
	var w watcher
	c := &cobra.Command{
		Use:     "watch [GLOB...] [-- COMMAND [ARG...]]",
		Short:   "Changes as they land on this node, one JSON a line",
		GroupID: groupFiles,
		Long: `Prints each change as it lands on this node, in the form that "starling log -o json" gives it, one
a line, until it is stopped. With a GLOB only edits of paths that it matches count. A change comes
after those that it was made on.

With --since it goes on after a change that was printed before, also after a restart of the node and
on any other node. Nothing is left out; what was made without knowledge of that change, on another
node at the same time, may come twice.

With a COMMAND nothing is printed: it runs once for each change, with the paths on its standard
input, one a line, and the change in its environment: STARLING_CHANGE, STARLING_AUTHOR,
STARLING_PEER, STARLING_SEQ, STARLING_TIME, STARLING_NOTE, STARLING_ACTOR. One runs at a time, and one
that runs when watch is stopped is waited for. If one fails watch ends with exit code 1, unless it is
told to --keep-going. Exit code 3: the node stopped. Whenever it ends it says what to go on after.`,
		Example: `  starling watch 'oauth/**' | jq -r .edits[].path
  starling watch --since wgzkq6fqrg22 -- ./deploy.sh`,
		Args: takes(0, math.MaxInt),
		RunE: func(c *cobra.Command, args []string) error {
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				args, w.command = args[:dash], args[dash:]
				if len(w.command) == 0 {
					return usage("no command after --")
				}
			}
			if w.keepGoing && len(w.command) == 0 {
				return usage("--keep-going goes with a command")
			}
			w.program, w.query.Match = p, args
			return w.run(c.Context())
		},
	}
	c.Flags().StringVar(&w.query.Since, "since", "", "go on after this `change` (default: from now on)")
	c.Flags().BoolVar(&w.keepGoing, "keep-going", false, "go on if the command fails, and end with exit code 1")
	return c
}

// watcher is one call of watch.
type watcher struct {
	*program
	query     api.WatchQuery
	command   []string
	keepGoing bool

	last   string // the change to go on after; empty if none was seen
	failed int    // how many commands did
}

func (w *watcher) run(ctx context.Context) error {
	if len(w.command) > 0 {
		if _, err := exec.LookPath(w.command[0]); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	client, err := w.client()
	if err != nil {
		return err
	}
	changes, err := client.Watch(ctx, w.query)
	if err != nil {
		return err
	}
	defer changes.Close()
	w.last = w.query.Since
	for {
		change, err := changes.Next()
		switch {
		case ctx.Err() != nil:
			return w.stopped()
		case err != nil:
			return w.ended(err)
		case len(w.command) == 0:
			err = writeJSON(w.stdout, change, "")
		default:
			err = w.handle(ctx, change)
		}
		if err != nil {
			return err
		}
		w.last = change.ID
	}
}

// handle runs the command for a change.
func (w *watcher) handle(ctx context.Context, change api.Change) error {
	var paths strings.Builder
	for _, e := range change.Edits {
		paths.WriteString(e.Path + "\n")
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), w.command[0], w.command[1:]...) // #nosec G204 -- it is the operator's
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(paths.String()), w.stdout, w.stderr
	command.Env = append(os.Environ(),
		"STARLING_DATA="+w.data, "STARLING_SOCKET="+w.socket,
		"STARLING_CHANGE="+change.ID, "STARLING_AUTHOR="+legible(change.Author), "STARLING_PEER="+change.Peer,
		"STARLING_SEQ="+strconv.FormatUint(change.Seq, 10), "STARLING_TIME="+change.Time.Format(time.RFC3339Nano),
		"STARLING_NOTE="+legible(change.Note), "STARLING_ACTOR="+legible(change.Actor),
	)
	err := command.Run()
	if err == nil {
		return nil
	}
	w.failed++
	err = fmt.Errorf("watch: the command failed on change %s: %w", change.ID, err)
	if w.keepGoing {
		w.say("starling: %v", err)
		return nil
	}
	again := ""
	if w.last != "" {
		again = ", begin with it again with --since " + w.last
	}
	return fmt.Errorf("%w: go on after it with --since %s%s", err, change.ID, again)
}

// stopped is how watch ends when it is asked to.
func (w *watcher) stopped() error {
	if w.last != "" {
		w.say("Stopped; go on with --since %s", w.last)
	}
	if w.failed > 0 {
		return &exit{exitProblem, fmt.Errorf("watch: the command failed on %s", count(w.failed, "change"))}
	}
	return nil
}

// ended is how watch ends when there is nothing more to read.
func (w *watcher) ended(err error) error {
	if w.last == "" {
		return err
	}
	return fmt.Errorf("%w; go on with --since %s", err, w.last)
}

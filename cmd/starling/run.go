package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/node"
)

// firstSyncNews is how often run says how far the first sync is.
const firstSyncNews = 5 * time.Second

// runOptions are the flags of run.
type runOptions struct {
	once            bool
	wait            time.Duration
	observe, refill bool
	listen          string
	logLevel        string
}

func (p *program) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:     "run",
		Short:   "Run the node, in the foreground",
		GroupID: groupStart,
		Long: `Runs the node until it gets SIGTERM or SIGINT; a second one ends it at once. It is ready,
and says so in its log and to systemd, when the first sync was done once and the
directory is what the cluster says; members that are away are not awaited. SIGHUP
reads the configuration again.

With --once it syncs with whoever is there and ends, for cron in rsync's place. Exit
code 0: equal with all members that were there. 1: equal but for files that are held. 3: nobody
was there. 4: not in time.`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("wait") && !o.once {
				return usage("--wait goes with --once")
			}
			return p.runNode(c.Context(), o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.once, "once", false, "sync once with whoever is there, and end")
	f.DurationVar(&o.wait, "wait", time.Minute, "how `long` --once may take")
	f.BoolVar(&o.observe, "observe", false, "write and publish nothing; log what would be done")
	f.BoolVar(&o.refill, "refill", false, "fill an empty directory that has lost its marker, and publish no deletion")
	f.StringVar(&o.listen, "listen", os.Getenv("STARLING_LISTEN"), "`address` to listen on (STARLING_LISTEN; default: the configuration's)")
	f.StringVar(&o.logLevel, "log-level", os.Getenv("STARLING_LOG_LEVEL"), "`level` of the log: debug, info, warn or error (STARLING_LOG_LEVEL; default: the configuration's)")
	return c
}

func (p *program) runNode(ctx context.Context, o runOptions) (err error) {
	config, err := node.LoadConfig(p.data)
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	if err := setLevel(level, o, config); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(logger) // some libraries print through the standard library's log

	end := func() {}
	if o.once {
		end = p.progress("syncing")
	}
	n, err := node.Open(ctx, node.Options{
		Data:    p.data,
		Listen:  o.listen,
		Observe: o.observe,
		Refill:  o.refill,
		Version: builtVersions().Version,
		Logger:  logger,
	})
	if err != nil {
		end()
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if o.once {
		defer end()
		return p.syncOnce(ctx, n, o.wait)
	}

	listener, err := api.Listen(ctx, n.Config().Socket, n.Config().SocketGroup)
	if err != nil {
		return err
	}
	server := api.Serve(listener, n, logger)
	defer func() { err = errors.Join(err, server.Close()) }()

	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	ready := n.Ready()
	waiting := time.NewTimer(firstSyncNews)
	defer waiting.Stop()
	for {
		select {
		case <-waiting.C:
			s := n.Status(ctx)
			logger.Info("the first sync goes on", "elements", s.Elements, "definitions", s.Definitions, "reachable", s.Reachable, "members", s.Members)
			waiting.Reset(firstSyncNews)
		case <-ready:
			ready = nil
			waiting.Stop()
			spareMemory()
			logger.Info("ready", "name", n.Identity().Name, "dir", n.Identity().Dir)
			notify(logger, daemon.SdNotifyReady)
		case <-hangup:
			if ready == nil {
				notify(logger, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
			}
			reload(logger, level, p.data, o, n.Config())
			if ready == nil {
				notify(logger, daemon.SdNotifyReady)
			}
		case <-n.Done():
			return n.Err()
		case <-server.Done():
			return nil // Close says why
		case <-ctx.Done():
			logger.Info("stopping")
			notify(logger, daemon.SdNotifyStopping)
			return nil
		}
	}
}

// gcPercent is how much garbage there may be, in percent of what is in use, before it
// is collected. A node is idle most of the time and holds an index of all history, so
// memory is worth more than the time.
const gcPercent = 30

// spareMemory gives back what the start took, and keeps memory low from then on,
// unless GOGC says how (https://pkg.go.dev/runtime).
func spareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	debug.FreeOSMemory()
}

// syncOnce syncs with whoever is there.
func (p *program) syncOnce(ctx context.Context, n *node.Node, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	result, err := n.SyncOnce(ctx)
	switch {
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	case result.Equal:
		return nil
	case result.PeersFound == 0:
		return &exit{exitUnreachable, fmt.Errorf("no member was there within %v: see that one is running and can be reached", wait)}
	case result.Held:
		return &exit{exitProblem, fmt.Errorf("equal but for what needs somebody: %s", result.Difference)}
	}
	why := ""
	if result.Difference != "" {
		why = " (" + result.Difference + ")"
	}
	return &exit{exitLate, fmt.Errorf("not equal with the %s that were there within %v%s: give it longer with --wait", count(result.PeersFound, "member"), wait, why)}
}

// setLevel sets the level of the log: the flag's, else the configuration's.
func setLevel(level *slog.LevelVar, o runOptions, config node.Config) error {
	text := config.LogLevel
	if o.logLevel != "" {
		text = o.logLevel
	}
	if text == "" {
		text = "info"
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err != nil {
		return usage("log level %q: want debug, info, warn or error", text)
	}
	level.Set(l)
	return nil
}

// notify tells systemd, if it runs us.
func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("cannot notify systemd", "err", err)
	}
}

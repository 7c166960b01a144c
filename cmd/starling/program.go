package main

import (
	"cmp"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/node"
)

// program is one run of the command line: where it reads and writes, and the
// flags that every command has.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	data   string // data directory of the node
	socket string // socket of the node; empty if the configuration says it
	output output

	parsed bool // the command line was understood; what fails now is no usage error
}

const (
	groupStart   = "start"
	groupFiles   = "files"
	groupCluster = "cluster"
)

// command returns the tree of commands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "starling",
		Short: "Keeps a directory of definition files equal on all nodes of a cluster",
		Long: `Starling keeps a directory of definition files equal on all nodes of a cluster.
Every node may edit, none is the leader, and nothing is lost on the way.

Begin on one node with "starling init", then "starling run" and "starling invite";
on each other node with "starling join" and "starling run".`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			p.parsed = true
		},
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Begin:"},
		&cobra.Group{ID: groupFiles, Title: "Definitions:"},
		&cobra.Group{ID: groupCluster, Title: "The cluster:"},
	)

	flags := root.PersistentFlags()
	flags.StringVar(&p.data, "data", cmp.Or(os.Getenv("STARLING_DATA"), defaultData()), "data `directory` of the node (STARLING_DATA)")
	flags.StringVar(&p.socket, "socket", os.Getenv("STARLING_SOCKET"), "`path` of the node's socket, if its data directory is out of reach (STARLING_SOCKET)")
	p.output = output(cmp.Or(os.Getenv("STARLING_OUTPUT"), string(outputTable)))
	flags.VarP(&p.output, "output", "o", "form of what is printed: table or json (STARLING_OUTPUT)")

	root.AddCommand(
		p.initCommand(), p.inviteCommand(), p.joinCommand(), p.runCommand(), p.authorityCommand(),
		p.lsCommand(), p.catCommand(), p.putCommand(), p.rmCommand(),
		p.logCommand(), p.showCommand(), p.diffCommand(), p.blameCommand(), p.checkCommand(), p.exportCommand(), p.watchCommand(),
		p.conflictsCommand(), p.resolveCommand(), p.revertCommand(), p.rollbackCommand(),
		p.statusCommand(), p.peersCommand(), p.verifyCommand(), p.approveCommand(), p.markCommand(), p.refillCommand(),
		p.revokeCommand(), p.rulesCommand(),
		p.versionCommand(),
	)
	return root
}

// client returns a client of the node whose data directory, or socket, the
// command line names.
func (p *program) client() (*api.Client, error) {
	if p.socket != "" {
		return api.Dial(p.socket), nil
	}
	config, err := node.LoadConfig(p.data)
	if err != nil {
		return nil, err
	}
	return api.Dial(config.Socket), nil
}

// say writes one line for people, to stderr.
func (p *program) say(format string, args ...any) {
	printf(p.stderr, format+"\n", args...)
}

// defaultData is /var/lib/starling for root, and the user's state folder by the
// XDG base directory specification for everybody else.
func defaultData() string {
	if os.Geteuid() == 0 {
		return "/var/lib/starling"
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "starling")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "starling")
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/spf13/cobra"

	"github.com/starling-sync/starling/api"
	"github.com/starling-sync/starling/internal/enclosing"
	"github.com/starling-sync/starling/mirror"
)

func (p *program) exportCommand() *cobra.Command {
	var at moment
	c := &cobra.Command{
		Use:     "export DIR",
		Short:   "Write all definitions to a plain directory, as they are or were at a time",
		GroupID: groupFiles,
		Long: `Writes all definitions, as they are at one moment or were at a time, to a directory that does not
exist or is empty, outside of any mirrored directory. What they were is told from all changes that are here now, by the clocks of
those who made them (see "starling rollback"). It is a plain directory: nothing keeps it equal to anything. Definitions can hold secrets, so
only you can read what is written.`,
		Example: `  starling export /tmp/services
  starling export /tmp/services --at "yesterday 18:00"`,
		Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			status, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			if err := outsideMirrors(args[0], status.Dir); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			files, err := client.Snapshot(c.Context(), at.Time)
			if err != nil {
				return err
			}
			if err := export(args[0], files); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			return p.print(exported{args[0], len(files)}, func(w io.Writer) {
				printf(w, "%s written to %s\n", count(len(files), "definition"), args[0])
			})
		},
	}
	c.Flags().Var(&at, "at", momentHelp("as they were at this `time`"))
	return c
}

// outsideMirrors refuses a path in a mirrored directory, marked or one of those that are
// named: what is written there would be published to all members.
func outsideMirrors(path string, dirs ...string) error {
	mirrored, err := mirror.DirectoryAround(path)
	for _, dir := range dirs {
		var inside bool
		if mirrored == "" && err == nil && dir != "" {
			if inside, err = enclosing.Is(dir, path); inside {
				mirrored = dir
			}
		}
	}
	if err != nil {
		return err
	}
	if mirrored != "" {
		return &exit{exitRefused, fmt.Errorf("%s is in the mirrored directory %s, and all members would get it: name a place outside of it", path, mirrored)}
	}
	return nil
}

// exported is what export prints.
type exported struct {
	Dir         string `json:"dir" doc:"The directory that was written."`
	Definitions int    `json:"definitions" doc:"How many it holds."`
}

// export writes files to a directory, which it makes; one that is there must be
// empty. What it could not finish it leaves there.
func export(dir string, files []api.File) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return &exit{exitRefused, fmt.Errorf("%s is not empty: name a new directory", dir)}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := create(root, f); err != nil {
			return errors.Join(fmt.Errorf("%s is not complete: %w", dir, err), root.Close())
		}
	}
	return root.Close()
}

// create writes one file that is not there yet, and the folders above it.
func create(root *os.Root, f api.File) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(f.Content)
	return errors.Join(err, file.Close())
}

package main

import (
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versions is what version prints.
type versions struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version of this program",
		Args:  takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := builtVersions()
			return p.print(v, func(w io.Writer) {
				revision := v.Revision
				if v.Modified {
					revision += " (modified)"
				}
				printf(w, "starling\t%s\n", v.Version)
				if revision != "" {
					printf(w, "revision\t%s\n", revision)
				}
				printf(w, "go\t%s\n", v.Go)
				printf(w, "platform\t%s\n", v.Platform)
			})
		},
	}
}

// builtVersions reads what the Go tool wrote into the program.
func builtVersions() versions {
	v := versions{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

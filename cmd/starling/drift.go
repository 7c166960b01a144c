package main

import (
	"context"
	"io"

	"github.com/starling-sync/starling/api"
)

// textDrift is what diff prints with --text of one path in the directory.
type textDrift struct {
	api.Drift
	Text string `json:"text" doc:"The difference as a unified diff."`
}

// textDriftList is what diff prints with --text of the directory.
type textDriftList struct {
	Drift    []textDrift `json:"drift" nullable:"false"`
	Settling bool        `json:"settling"`
}

// diffDirectory compares what the cluster says with the node's directory: one path, or
// all if it is empty.
func (p *program) diffDirectory(ctx context.Context, path string, text bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	list, err := client.Drift(ctx, path)
	if err != nil {
		return err
	}
	if list.Settling {
		p.say("Something was saved or arrived just now: ask again.")
	}
	if text {
		return p.textDrift(ctx, client, list)
	}
	if err := p.print(list, func(w io.Writer) { writeDrift(w, list) }); err != nil {
		return err
	}
	for _, d := range list.Drift {
		if d.Held != "" || d.Extent != "none" && d.Extent != "layout" {
			return &exit{code: exitProblem}
		}
	}
	return nil
}

func writeDrift(w io.Writer, list api.DriftList) {
	for i, d := range list.Drift {
		if i > 0 {
			printf(w, "\n")
		}
		what := "is changed in the directory"
		switch {
		case !d.InDirectory && !d.InCluster:
			what = "is in the directory only, and not mirrored"
		case d.Extent == "none":
			what = "is in the directory as the cluster says"
		case !d.InDirectory:
			what = "is missing in the directory"
		case !d.InCluster:
			what = "is in the directory only"
		}
		printf(w, "%s %s\n", d.Path, what)
		if d.Held != "" {
			printf(w, "  held: %s\n", d.Held)
		}
		if d.InDirectory && d.InCluster && d.Extent != "none" {
			writeComparison(w, d.Comparison)
		}
	}
}

// textDrift prints unified diffs from what the cluster says to what the directory holds.
func (p *program) textDrift(ctx context.Context, client *api.Client, list api.DriftList) error {
	out := textDriftList{Drift: make([]textDrift, 0, len(list.Drift)), Settling: list.Settling}
	differ := false
	for _, d := range list.Drift {
		oldName, newName := "/dev/null", "/dev/null"
		var old, now []byte
		var err error
		if d.InCluster {
			oldName = d.Path
			if old, err = client.Content(ctx, d.Path, ""); err != nil {
				return err
			}
		}
		if d.InDirectory {
			newName = d.Path + " (directory)"
			if now, err = client.DirectoryContent(ctx, d.Path); err != nil {
				return err
			}
		}
		if d.Held != "" && !d.InDirectory && !d.InCluster {
			p.say("%s is not mirrored, so there is nothing to compare: %s", d.Path, d.Held)
		}
		t := textDrift{d, unified(oldName, old, newName, now)}
		differ = differ || t.Text != "" || d.Held != ""
		out.Drift = append(out.Drift, t)
	}
	if p.output == outputJSON {
		if err := p.print(out, nil); err != nil {
			return err
		}
	} else {
		for _, d := range out.Drift {
			if err := p.writeUnified(d.Text); err != nil {
				return err
			}
		}
	}
	if differ {
		return &exit{code: exitProblem}
	}
	return nil
}

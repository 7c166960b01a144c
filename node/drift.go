package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/starling-sync/starling/definition"
)

// Drift is one path of which this node's directory holds something else than the view
// says: it is held, waits for an approval, or was saved just now.
type Drift struct {
	// Path is the file's name relative to the directory. It is no definition.Path, because
	// of a file that is held the name itself may be the reason.
	Path       string
	Difference        // from the view to the directory
	Held       string // why the file is left alone; empty if it is not
}

// Drift looks at the directory and compares it with the view: one path, or all for the
// zero path, in order, and then the files that are held for their names. A path whose bytes are equal is among them only if it was asked
// for. Settling reports that the same question may soon have another answer. Errors wrap
// ErrNotFound if there is no such path in either. It blocks until the first sync begins.
func (n *Node) Drift(ctx context.Context, path definition.Path) (drifts []Drift, settling bool, err error) {
	held := n.holdings(ctx)
	if held.trouble != "" {
		return nil, false, fmt.Errorf("compare with the directory: %s", held.trouble)
	}
	for _, h := range held.files {
		asked := h.path == path
		if !asked && (path != definition.Path{} || h.view == h.directory && h.held == "") {
			continue
		}
		d, err := n.drift(ctx, h)
		if err != nil {
			return nil, false, err
		}
		drifts = append(drifts, d)
	}
	for _, h := range held.held {
		if _, err := definition.ParsePath(h.Path); err != nil && path == (definition.Path{}) {
			drifts = append(drifts, Drift{Path: h.Path, Held: h.Reason, Difference: Difference{Comparison: Comparison{Extent: ExtentNone}}})
		}
	}
	if len(drifts) == 0 && path != (definition.Path{}) {
		return nil, false, fmt.Errorf("compare with the directory: %s: %w", path, ErrNotFound)
	}
	return drifts, !held.quiet, nil
}

func (n *Node) drift(ctx context.Context, h holding) (Drift, error) {
	d := Drift{Path: h.path.String(), Held: h.held}
	view, want, err := n.replica.Read(ctx, h.path)
	if err != nil {
		return d, fmt.Errorf("compare with the directory: %w", err)
	}
	var got []byte
	if h.directory != (definition.Hash{}) {
		switch got, err = n.mirror.Read(ctx, h.path); {
		case errors.Is(err, fs.ErrNotExist): // it went meanwhile
		case err != nil:
			return d, fmt.Errorf("compare with the directory: %w", err)
		}
	}
	d.Difference = Difference{Comparison: compare(h.path, want, got), FromPresent: view.Present, ToPresent: len(got) > 0}
	return d, nil
}

// ReadDirectory returns the bytes that this node's directory holds for a path. Errors
// wrap ErrNotFound. It blocks until the first sync begins.
func (n *Node) ReadDirectory(ctx context.Context, p definition.Path) ([]byte, error) {
	content, err := n.mirror.Read(ctx, p)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s in the directory: %w", p, ErrNotFound)
	}
	return content, err
}

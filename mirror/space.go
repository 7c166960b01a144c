package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/starling-sync/starling/internal/diskspace"
)

// errLowSpace says that the disk is nearly full.
var errLowSpace = errors.New("too little disk space is left")

// checkSpace returns an error if less than MinFree is left for the directory or for
// the node's own data.
func (m *Mirror) checkSpace() error {
	for _, dir := range []string{m.opts.Dir, m.opts.Aside} {
		if dir == "" {
			continue
		}
		free, err := freeSpace(dir)
		if err != nil {
			return err
		}
		if free < m.opts.MinFree {
			return fmt.Errorf("%w: %d MiB at %s, at least %d MiB are wanted", errLowSpace, free>>20, dir, m.opts.MinFree>>20)
		}
	}
	return nil
}

// freeSpace returns how many bytes this user may still write to the file system of
// dir, or of the nearest folder above it that is there.
func freeSpace(dir string) (uint64, error) {
	for {
		free, err := diskspace.Free(dir)
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return free, err
		}
		dir = above
	}
}

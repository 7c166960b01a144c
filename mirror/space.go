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
func (o Options) checkSpace() error {
	for _, folder := range []string{o.Dir, o.Aside} {
		if folder == "" {
			continue
		}
		free, err := freeSpace(folder)
		if err != nil {
			return err
		}
		if free < o.MinFree {
			return fmt.Errorf("%w: %d MiB at %s, at least %d MiB are wanted", errLowSpace, free>>20, folder, o.MinFree>>20)
		}
	}
	return nil
}

// freeSpace returns how many bytes this user may still write to the file system of
// folder, or of the nearest folder above it that is there.
func freeSpace(folder string) (uint64, error) {
	for {
		free, err := diskspace.Free(folder)
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return free, err
		}
		folder = above
	}
}

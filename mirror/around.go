package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/starling-sync/starling/internal/enclosing"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// DirectoryAround returns the mirrored directory that a path lies in, or "" if it lies in none: the
// nearest folder with a marker, of whatever cluster. The path need not be there yet.
func DirectoryAround(path string) (directory string, err error) {
	folders, err := enclosing.Folders(path)
	if err != nil {
		return "", fmt.Errorf("look for the mirrored directory above %s: %w", path, err)
	}
	for _, folder := range folders {
		info, err := os.Lstat(filepath.Join(folder, dir.MarkerName))
		switch {
		case err == nil && info.Mode().IsRegular(): // a data directory may bear the name
			return folder, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return "", fmt.Errorf("look for the mirrored directory above %s: %w", path, err)
		}
	}
	return "", nil
}

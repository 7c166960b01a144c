package trust

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/starling-sync/starling/internal/failpoint"
)

// maxSecret bounds what is read from a secret file in bytes.
const maxSecret = 4 << 20

// CheckPrivate returns an error that wraps ErrTooOpen if a file or folder grants
// anything to its group or to everybody, and says which command closes it.
// Symbolic links are followed.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check permissions: %w", err)
	}
	return checkPrivate(path, info)
}

func checkPrivate(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	want := "600"
	if info.IsDir() {
		want = "700"
	}
	return fmt.Errorf("%w: %s has mode %04o: run `chmod %s %s`", ErrTooOpen, path, info.Mode().Perm(), want, path)
}

// WriteSecret replaces the file at path by one that holds data, with mode 0600.
// The file is whole or not there at any moment, and is on disk with its name when
// WriteSecret returns. The folder must exist.
func WriteSecret(path string, data []byte) error {
	return writeSecret(path, data, os.Rename)
}

// createSecret is WriteSecret, but fails with ErrExists rather than replace.
func createSecret(path string, data []byte) error {
	return writeSecret(path, data, func(temp, path string) error {
		// A link, unlike a rename, never replaces a file.
		err := os.Link(temp, path)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: %s", ErrExists, path)
		}
		if err != nil {
			return err
		}
		return os.Remove(temp)
	})
}

// writeSecret writes and syncs a temporary file beside path, has place give it
// its name, and syncs the folder.
func writeSecret(path string, data []byte, place func(temp, path string) error) (err error) {
	temp := filepath.Join(filepath.Dir(path), tempPrefix+rand.Text()+tempSuffix)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // often closed already
			_ = os.Remove(temp)
			err = fmt.Errorf("write secret: %w", err)
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	failpoint.Hit(failpoint.SecretSynced, temp)
	if err := place(temp, path); err != nil {
		return err
	}
	failpoint.Hit(failpoint.SecretPlaced, path)
	err = syncDir(filepath.Dir(path))
	failpoint.Hit(failpoint.SecretSaved, path)
	return err
}

// What the temporary files are called.
const (
	tempPrefix = ".starling-"
	tempSuffix = ".tmp"
)

// MakePrivate makes a folder of mode 0700, unless it is there, and those above it. They
// are on disk when it returns.
func MakePrivate(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := MakePrivate(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := syncDir(above)
	failpoint.Hit(failpoint.FolderSynced, above)
	return err
}

// SweepSecrets removes the temporary files that writes left in a folder when a crash
// interrupted them: they hold secrets. The caller makes sure that nobody writes there.
func SweepSecrets(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("remove temporary files: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("remove temporary files: %w", err)
			}
		}
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// readSecret reads a file that only its owner may use. The permissions are those
// of the very file that is read.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no regular file", ErrKeyFile, path)
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecret {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrKeyFile, path, maxSecret)
	}
	return data, nil
}

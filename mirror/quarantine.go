package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/starling-sync/starling/definition"
)

// errNoQuarantine says that an edit that is not published cannot be put anywhere.
var errNoQuarantine = errors.New("no folder is configured for what was edited here: move the file away")

// quarantine is a folder outside the directory where bytes are put that would go. It may
// be none.
type quarantine string

// put writes content into it as PATH@HASH, durably. The same bytes have the same
// name, so a program that writes them again and again fills no disk. The error is
// errNoQuarantine if there is no folder.
func (q quarantine) put(p definition.Path, content []byte) error {
	if q == "" {
		return errNoQuarantine
	}
	name := filepath.Join(string(q), filepath.FromSlash(p.String())+"@"+definition.HashOf(content).String()[:12])
	if _, err := os.Lstat(name); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".starling-*.tmp") // 0600
	if err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("put aside: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// putTorn keeps what is left of a torn file, in case that somebody has begun to edit
// it since. It returns false if that cannot be done: then the file is left alone.
func (q quarantine) putTorn(p definition.Path, content []byte, log *slog.Logger) bool {
	if len(bytes.Trim(content, "\x00")) > 0 && q != "" {
		if err := q.put(p, content); err != nil {
			log.Warn("cannot put aside what a power failure left of a file", "path", p, "err", err)
			return false
		}
	}
	log.Info("a power failure has damaged a file that its program had not synced; it is restored", "path", p)
	return true
}

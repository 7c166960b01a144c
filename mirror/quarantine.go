package mirror

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/starling-sync/starling/definition"
)

// errNoQuarantine says that an edit that is not published cannot be put anywhere.
var errNoQuarantine = errors.New("no folder is configured for what was edited here: move the file away")

// quarantine keeps the bytes of an edit that is not published, so that the view can be restored.
func (m *Mirror) quarantine(f finding) error {
	if m.opts.Aside == "" {
		return errNoQuarantine
	}
	content := f.content
	if content == nil {
		var err error
		if content, err = f.entry.read(m.dir, f.path); err != nil {
			return fmt.Errorf("put aside: %w", err)
		}
	}
	if err := putInQuarantine(m.opts.Aside, f.path, content); err != nil {
		return err
	}
	m.report.count(func(s *Status) { s.Aside++ })
	m.log.Info("an edit was put aside and the file is restored", "path", f.path, "folder", m.opts.Aside)
	return nil
}

// putInQuarantine writes content below folder as PATH@HASH, durably. The same bytes have the same
// name, so a program that writes them again and again fills no disk.
func putInQuarantine(folder string, p definition.Path, content []byte) error {
	name := filepath.Join(folder, filepath.FromSlash(p.String())+"@"+definition.HashOf(content).String()[:12])
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

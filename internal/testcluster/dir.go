package testcluster

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir is a directory of definitions. Names are relative to it and slash-separated.
type Dir string

func (d Dir) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// Write replaces a file by renaming a complete one into place, and makes its
// folder if need be.
func (d Dir) Write(name, content string) error {
	commit, err := d.Prepare(name, content)
	if err != nil {
		return err
	}
	return commit()
}

// Prepare does all of Write but the rename, which commit does. The file's other
// name begins with a dot, so no node looks at it.
func (d Dir) Prepare(name, content string) (commit func() error, err error) {
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	return func() error { return os.Rename(temp, path) }, os.WriteFile(temp, []byte(content), 0o640)
}

// WriteInPlace truncates a file and writes it in two pieces, as many programs do:
// others see it empty and half in between.
func (d Dir) WriteInPlace(name, content string) error {
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	half := len(content) / 2
	for _, piece := range []string{content[:half], content[half:]} {
		if _, err := f.WriteString(piece); err != nil {
			return err
		}
	}
	return f.Close()
}

// Remove removes a file.
func (d Dir) Remove(name string) error { return os.Remove(d.path(name)) }

// Rename renames a file, over another if there is one.
func (d Dir) Rename(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(d.path(to)), 0o755); err != nil {
		return err
	}
	return os.Rename(d.path(from), d.path(to))
}

// Read returns a file's content.
func (d Dir) Read(name string) (string, error) {
	content, err := os.ReadFile(d.path(name))
	return string(content), err
}

// Files returns the content of all files, by name, except those whose name begins
// with a dot.
func (d Dir) Files() (map[string]string, error) {
	files := make(map[string]string)
	err := d.walk(func(name string) error {
		if strings.HasPrefix(filepath.Base(name), ".") {
			return nil
		}
		content, err := d.Read(name)
		files[name] = content
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return files, nil
}

// Temps returns the names of the temporary files that a node has left behind.
func (d Dir) Temps() ([]string, error) {
	var temps []string
	err := d.walk(func(name string) error {
		if strings.HasPrefix(filepath.Base(name), ".starling-") {
			temps = append(temps, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for temporary files: %w", err)
	}
	return temps, nil
}

// walk calls visit with the name of everything that is no folder.
func (d Dir) walk(visit func(name string) error) error {
	return filepath.WalkDir(string(d), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(string(d), path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name))
	})
}

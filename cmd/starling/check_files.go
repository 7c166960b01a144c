package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/definition/lint"
)

// fileReader reads the files that check looks at.
type fileReader struct {
	extensions []string
	stdin      io.Reader
	stdinName  string

	failed []error // what could not be read, and why
}

// read looks at files and directories. It returns the reports of each directory, and those of all
// single files.
func (r *fileReader) read(args []string) [][]lint.Report {
	var groups [][]lint.Report
	var single []lint.Report
	seen := make(map[string]bool)
	for _, arg := range args {
		if clean := filepath.Clean(arg); !seen[clean] {
			seen[clean] = true
			info, err := os.Stat(arg)
			switch {
			case arg == "-":
				single = r.add(single, r.stdinName, r.stdinName, r.stdin)
			case err != nil:
				r.fail(err)
			case info.IsDir():
				groups = append(groups, r.directory(arg))
			default:
				single = r.file(single, arg)
			}
		}
	}
	return append(groups, single)
}

func (r *fileReader) fail(err error) { r.failed = append(r.failed, fmt.Errorf("check: %w", err)) }

// directory looks at the files below a directory that a mirror would take, and at what it
// would take if it were a file.
func (r *fileReader) directory(dir string) (reports []lint.Report) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.fail(err)
		return nil
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		shown := filepath.Join(dir, name)
		hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden, errors.Is(err, fs.ErrNotExist): // it went away meanwhile
		case err != nil:
			r.fail(fmt.Errorf("%s: %w", shown, withoutPath(err)))
		case entry.IsDir() || !r.mirrored(name):
		case !entry.Type().IsRegular():
			reports = append(reports, lint.Unmirrored(shown, "it is no regular file, and a mirror takes no other, nor follows links: put the file itself here"))
		default:
			f, err := root.Open(name)
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				r.fail(fmt.Errorf("%s: %w", shown, withoutPath(err)))
				break
			}
			reports = r.add(reports, name, shown, f)
			f.Close()
		}
		return nil
	})
	return reports
}

// withoutPath returns what went wrong without the path, which is only within the directory.
func withoutPath(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// file looks at one file, whatever its ending.
func (r *fileReader) file(reports []lint.Report, name string) []lint.Report {
	f, err := os.Open(name)
	if err != nil {
		r.fail(err)
		return reports
	}
	defer f.Close()
	return r.add(reports, filepath.Base(name), name, f)
}

// add looks at what is read from a file. Its name is that within the directory, shown is what
// people call it.
func (r *fileReader) add(reports []lint.Report, name, shown string, from io.Reader) []lint.Report {
	p, err := definition.ParsePath(filepath.ToSlash(name))
	if err != nil {
		return append(reports, lint.Unmirrored(shown, "no mirror takes a file of this name: "+err.Error()))
	}
	content, err := io.ReadAll(io.LimitReader(from, definition.MaxSize+1))
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", shown, withoutPath(err)))
		return reports
	}
	return append(reports, lint.Check(p, content).At(shown))
}

func (r *fileReader) mirrored(name string) bool {
	return slices.Contains(r.extensions, strings.ToLower(path.Ext(name)))
}

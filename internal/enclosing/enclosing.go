// Package enclosing tells in which folders a path lies, whatever links lead there.
package enclosing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Folders returns the folders that a path lies in, its own first if it is one, up to the
// root of the file system. Links are followed, and what of the path is not there yet does
// not count: it would be made in the first of the folders. The path is read as the system
// reads it, so ".." behind a link leads to the folder above the link's target.
func Folders(path string) ([]string, error) {
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		path = here + string(filepath.Separator) + path
	}
	var folder string
	for {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			if folder, err = filepath.EvalSymlinks(path); err == nil {
				break
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
		path = above(path)
	}
	folders := []string{folder}
	for next := filepath.Dir(folder); next != folder; next = filepath.Dir(folder) {
		folder = next
		folders = append(folders, folder)
	}
	return folders, nil
}

// above returns a path without its last name; it takes none out in another way, as
// filepath.Dir does.
func above(path string) string {
	trimmed := strings.TrimRight(path, string(filepath.Separator))
	i := strings.LastIndexByte(trimmed, filepath.Separator)
	if i <= 0 {
		return string(filepath.Separator)
	}
	return trimmed[:i]
}

// Is reports whether a path lies in a folder, or is that folder.
func Is(folder, path string) (bool, error) {
	of, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	folders, err := Folders(path)
	if err != nil {
		return false, err
	}
	for _, f := range folders {
		if info, err := os.Stat(f); err == nil && os.SameFile(info, of) {
			return true, nil
		}
	}
	return false, nil
}

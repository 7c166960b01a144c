package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Walk calls visit for every name below dir that does not begin with a dot, and for
// our own temporary files, with what lstat says about it: folders before what is in
// them. A folder or file that
// goes away meanwhile is left out; one that cannot be read is passed to visit
// with its error.
func (d *Directory) Walk(dir string, visit func(name string, info fs.FileInfo, err error)) error {
	root := d.root
	if dir != "." {
		if err := d.checkFolder(dir); err != nil {
			return err
		}
		sub, err := d.root.OpenRoot(dir)
		if err != nil {
			return err
		}
		defer sub.Close()
		root = sub
	}
	return walkRoot(root, dir, visit)
}

// List is Walk for the names in one folder, and not for those below.
func (d *Directory) List(dir string, visit func(name string, info fs.FileInfo, err error)) error {
	if err := d.checkFolder(dir); err != nil {
		return err
	}
	sub, err := d.root.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer sub.Close()
	return listRoot(sub, dir, func(_, name string, info fs.FileInfo, err error) { visit(name, info, err) })
}

func walkRoot(root *os.Root, dir string, visit func(string, fs.FileInfo, error)) error {
	return listRoot(root, dir, func(base, name string, info fs.FileInfo, err error) {
		visit(name, info, err)
		if err != nil || !info.IsDir() {
			return
		}
		if err := walkFolder(root, base, name, visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			visit(name, info, err)
		}
	})
}

// listRoot calls visit for the names in the folder that root is.
func listRoot(root *os.Root, dir string, visit func(base, name string, info fs.FileInfo, err error)) error {
	entries, err := readNames(root)
	if err != nil {
		return fmt.Errorf("list folder %s: %w", dir, err)
	}
	for _, base := range entries {
		if strings.HasPrefix(base, ".") && !IsTemp(base) {
			continue
		}
		name := path.Join(dir, base)
		info, err := root.Lstat(base)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		visit(base, name, info, err)
	}
	return nil
}

// IsLinkToFolder reports whether what info shows is a link, and what is behind it a folder,
// wherever it is.
func (d *Directory) IsLinkToFolder(name string, info fs.FileInfo) bool {
	if info.Mode()&fs.ModeSymlink == 0 {
		return false
	}
	behind, err := os.Stat(filepath.Join(d.path, name))
	return err == nil && behind.IsDir()
}

func walkFolder(root *os.Root, base, name string, visit func(string, fs.FileInfo, error)) error {
	sub, err := root.OpenRoot(base)
	if err != nil {
		return err
	}
	defer sub.Close()
	return walkRoot(sub, name, visit)
}

// readNames returns the names in a folder in no order.
func readNames(root *os.Root) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

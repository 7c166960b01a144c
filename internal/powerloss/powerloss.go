// Package powerloss knows what a directory may hold after its machine has lost power, for
// tests.
//
// A Disk follows a real directory: the test says when something may have changed (Look)
// and what was synced (FileSynced, FolderSynced, AllSynced), which it learns from
// failpoints. What no sync covers may be lost, each thing by itself: a file has any of the
// contents that it had since it was synced last, or a torn one; a name stands for any file
// that it stood for since its folder was synced, or for none; and a folder that is lost
// takes along all that is in it. That is what POSIX allows, and more than most file
// systems do.
package powerloss

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Disk follows a directory. Its methods are safe for concurrent use.
type Disk struct {
	root string

	mu    sync.Mutex
	nodes map[uint64]*node // by inode number, which the open files keep from being used again
	state State
}

// node is a file, or a folder if it has no open file.
type node struct {
	id   uint64
	file *os.File
	// born is the name under which it was seen first.
	born string
}

// State is what a disk may hold after a loss of power at one moment. The zero value is an
// empty disk.
type State struct {
	// names are, of each name, what it stood for since it was last durable, that first;
	// nil is nothing.
	names map[string][]*node
	// contents are, of each file, what it held since it was last durable, that first.
	contents map[*node][]string
}

// New follows a directory. What is there now is durable.
func New(dir string) (*Disk, error) {
	d := &Disk{
		root:  dir,
		nodes: make(map[uint64]*node),
		state: State{names: make(map[string][]*node), contents: make(map[*node][]string)},
	}
	return d, d.AllSynced()
}

// Close ends it.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, n := range d.nodes {
		if n.file != nil {
			errs = append(errs, n.file.Close())
		}
	}
	return errors.Join(errs...)
}

// Look notes what has changed.
func (d *Disk) Look() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.look()
}

func (d *Disk) look() error {
	seen := make(map[string]*node)
	err := filepath.WalkDir(d.root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == d.root {
			return ignoreAbsent(err)
		}
		rel, err := filepath.Rel(d.root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		n, err := d.node(name, rel, entry.IsDir())
		if err != nil {
			return ignoreAbsent(err) // it has just gone; the next look finds out
		}
		seen[rel] = n
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	for name := range d.state.names {
		if _, ok := seen[name]; !ok {
			seen[name] = nil
		}
	}
	for name, n := range seen {
		past, ok := d.state.names[name]
		if !ok {
			past = []*node{nil}
		}
		if past[len(past)-1] != n {
			past = append(slices.Clone(past), n)
		}
		d.state.names[name] = past
	}
	return nil
}

// node returns what is at a name, and notes what it holds.
func (d *Disk) node(name, rel string, folder bool) (*node, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	id := info.Sys().(*syscall.Stat_t).Ino
	n := d.nodes[id]
	if n == nil {
		f, err := os.Open(name) // an open file keeps the number from being used again
		if err != nil {
			return nil, err
		}
		n = &node{id: id, file: f, born: rel}
		d.nodes[id] = n
		if !folder {
			d.state.contents[n] = []string{""}
		}
	}
	if folder {
		return n, nil
	}
	content, err := io.ReadAll(io.NewSectionReader(n.file, 0, info.Size()))
	if err != nil {
		return nil, err
	}
	if past := d.state.contents[n]; past[len(past)-1] != string(content) {
		d.state.contents[n] = append(slices.Clone(past), string(content))
	}
	return n, nil
}

// FileSynced says that a file's content is durable, though its name need not be.
func (d *Disk) FileSynced(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return err
	}
	if past := d.state.names[name]; len(past) > 0 {
		d.synced(past[len(past)-1])
	}
	return nil
}

func (d *Disk) synced(n *node) {
	if past := d.state.contents[n]; len(past) > 0 {
		d.state.contents[n] = past[len(past)-1:]
	}
}

// FolderSynced says that the names in a folder are durable: "." is the directory.
func (d *Disk) FolderSynced(folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return err
	}
	for name, past := range d.state.names {
		if path.Dir(name) == folder {
			d.state.names[name] = past[len(past)-1:]
		}
	}
	return nil
}

// AllSynced says that everything is durable.
func (d *Disk) AllSynced() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(); err != nil {
		return err
	}
	for name, past := range d.state.names {
		d.state.names[name] = past[len(past)-1:]
	}
	for n := range d.state.contents {
		d.synced(n)
	}
	return nil
}

// State returns what may be there if the power is lost now.
func (d *Disk) State() (State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.look()
	return State{names: maps.Clone(d.state.names), contents: maps.Clone(d.state.contents)}, err
}

// File is what a loss of power left of one file.
type File struct {
	Content string
	// Latest is what it held last.
	Latest string
	// Born is the name that the file had first.
	Born string
}

// Remains are the files that a loss of power left, by name, and the folders.
type Remains struct {
	Files   map[string]File
	Folders []string
}

// Oldest are remains where nothing survived that no sync covers.
func (s State) Oldest() Remains { return s.remains(func(int) int { return 0 }, nil) }

// Newest are remains where everything survived.
func (s State) Newest() Remains { return s.remains(func(n int) int { return n - 1 }, nil) }

// Some are remains where some of it survived. torn lets files be torn.
func (s State) Some(rng *rand.Rand, torn bool) Remains {
	if !torn {
		return s.remains(rng.IntN, nil)
	}
	return s.remains(rng.IntN, func(content string) string {
		cut := rng.IntN(len(content) + 1)
		if rng.IntN(2) == 0 {
			return content[:cut]
		}
		return content[:cut] + strings.Repeat("\x00", len(content)-cut)
	})
}

// remains chooses, of the things that each name and each file may be, one.
func (s State) remains(choose func(n int) int, tear func(string) string) Remains {
	r := Remains{Files: make(map[string]File)}
	lost := make(map[string]bool) // folders
	held := make(map[*node]File)
	for _, name := range slices.Sorted(maps.Keys(s.names)) { // folders before what is in them
		past := s.names[name]
		n := past[choose(len(past))]
		if n == nil || lost[path.Dir(name)] {
			lost[name] = true
			continue
		}
		versions, isFile := s.contents[n]
		if !isFile {
			r.Folders = append(r.Folders, name)
			continue
		}
		f, ok := held[n]
		if !ok {
			i := choose(len(versions))
			f = File{Content: versions[i], Latest: versions[len(versions)-1], Born: n.born}
			if len(versions) > 1 && tear != nil && choose(3) == 0 {
				f.Content = tear(f.Latest)
			}
			held[n] = f
		}
		r.Files[name] = f
	}
	return r
}

// Write makes the remains in an empty directory.
func (r Remains) Write(dir string) error {
	for _, name := range r.Folders {
		if err := os.Mkdir(filepath.Join(dir, filepath.FromSlash(name)), 0o700); err != nil {
			return err
		}
	}
	for name, f := range r.Files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(f.Content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

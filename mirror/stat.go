package mirror

import (
	"errors"
	"io/fs"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// diskState is what one look at a path on disk found.
type diskState struct {
	kind diskKind
	// hash is the content's hash; zero unless the file is present.
	hash definition.Hash
	// parses says that the content is a definition; it is set only where it
	// matters, for content that is neither the base's nor the view's.
	parses bool
	// folder says that a folder is in the place of the file, which is absent then.
	folder bool
	// fault says why the file cannot be imported: it is unreadable or does not
	// parse.
	fault string
}

type diskKind uint8

const (
	absent diskKind = iota
	present
	// unreadable: something is there, but no content that could be mirrored: a
	// link, a device, a file over the size limit, or no permission.
	unreadable
)

// look finds out what is on disk for p and notes it in e. info is what lstat just
// said, or nil. It returns the content if it had to be read. The error says that the
// file is being replaced and must be looked at again.
func (e *entry) look(d *dir.Directory, p definition.Path, info fs.FileInfo) ([]byte, error) {
	if info == nil {
		var err error
		info, err = d.Lstat(p.String())
		if errors.Is(err, fs.ErrNotExist) {
			e.see(diskState{})
			return nil, nil
		}
		if err != nil {
			e.see(unreadableBy(err))
			return nil, nil
		}
	}
	if info.IsDir() {
		e.see(diskState{folder: true})
		return nil, nil
	}
	if !info.Mode().IsRegular() {
		e.see(unreadableBy(dir.KindFault(info.Mode())))
		return nil, nil
	}
	if e.clean && dir.StatOf(info) == e.stat {
		return nil, nil
	}
	return e.readAs(d, p, info)
}

// read reads the content of p again, though its stat may be the same.
func (e *entry) read(d *dir.Directory, p definition.Path) ([]byte, error) {
	e.clean = false
	content, err := e.look(d, p, nil)
	if err == nil && content == nil {
		err = dir.ErrReplaced
	}
	return content, err
}

// readAs reads the file that info shows.
func (e *entry) readAs(d *dir.Directory, p definition.Path, info fs.FileInfo) ([]byte, error) {
	content, err := d.ReadFile(p.String(), info)
	switch {
	case errors.Is(err, dir.ErrReplaced), errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		e.see(unreadableBy(err))
		return nil, nil
	}
	e.see(diskState{kind: present, hash: definition.HashOf(content)})
	e.stat = dir.StatOf(info)
	e.clean = e.stat.Proves(time.Now(), d.Tick())
	return content, nil
}

// see notes what is there and forgets the stat.
func (e *entry) see(s diskState) {
	e.seen, e.stat, e.clean = s, dir.Stat{}, false
}

// unreadableBy is the state of a name that is there but cannot be read.
func unreadableBy(err error) diskState {
	fault := err.Error()
	if errors.Is(err, fs.ErrPermission) {
		fault = "this process may not read it"
	}
	return diskState{kind: unreadable, fault: fault}
}

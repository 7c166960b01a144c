package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// look finds out what is on disk for p and notes it in e. info is what lstat just
// said, or nil. It returns the content if it had to be read. The error says that the
// file is being replaced and must be looked at again.
func (m *Mirror) look(p definition.Path, e *entry, info fs.FileInfo) ([]byte, error) {
	if info == nil {
		var err error
		info, err = m.dir.Lstat(p.String())
		if errors.Is(err, fs.ErrNotExist) {
			e.see(sight{})
			return nil, nil
		}
		if err != nil {
			e.see(unreadableBy(err))
			return nil, nil
		}
	}
	if info.IsDir() {
		e.see(sight{folder: true})
		return nil, nil
	}
	if !info.Mode().IsRegular() {
		e.see(unreadableBy(dir.KindFault(info.Mode())))
		return nil, nil
	}
	if at := dir.StatOf(info); e.sure && at == e.at {
		return nil, nil
	}
	return m.readAs(p, e, info)
}

// read reads the content of p again, though its stamp may be the same.
func (m *Mirror) read(p definition.Path, e *entry) ([]byte, error) {
	e.sure = false
	content, err := m.look(p, e, nil)
	if err == nil && content == nil {
		err = dir.ErrReplaced
	}
	return content, err
}

// readAs reads the file that info shows.
func (m *Mirror) readAs(p definition.Path, e *entry, info fs.FileInfo) ([]byte, error) {
	content, err := m.dir.ReadFile(p.String(), info)
	switch {
	case errors.Is(err, dir.ErrReplaced), errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		e.see(unreadableBy(err))
		return nil, nil
	}
	e.see(sight{kind: present, hash: definition.HashOf(content)})
	e.at = dir.StatOf(info)
	e.sure = e.at.Proves(time.Now(), m.dir.Tick())
	return content, nil
}

// see notes what is there and forgets the stamp.
func (e *entry) see(s sight) {
	e.seen, e.at, e.sure = s, dir.Stat{}, false
}

// unreadableBy is the sight of a name that is there but cannot be read.
func unreadableBy(err error) sight {
	fault := err.Error()
	if errors.Is(err, fs.ErrPermission) {
		fault = "this process may not read it"
	}
	return sight{kind: unreadable, fault: fault}
}

// parse notes whether the content of p is a definition. It returns false if the file
// may still be written to; then it will be looked at again.
func (m *Mirror) parse(p definition.Path, e *entry, content []byte, now time.Time) bool {
	doc, err := definition.Parse(p, content)
	if (err != nil || !doc.Complete()) && !m.settling.rested(p, e.at, now, m.opts.SettleTime) {
		return false
	}
	delete(m.settling, p)
	e.seen.parses = err == nil
	if err != nil {
		e.seen.fault = fmt.Sprintf("it is no definition: %v", err)
	}
	return true
}

package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/starling-sync/starling/definition"
)

// look finds out what is on disk for p and notes it in e. info is what lstat just
// said, or nil. It returns the content if it had to be read. The error says that the
// file is being replaced and must be looked at again.
func (m *Mirror) look(p definition.Path, e *entry, info fs.FileInfo) ([]byte, error) {
	if info == nil {
		var err error
		info, err = m.tree.lstat(p.String())
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
		e.see(unreadableBy(kindFault(info.Mode())))
		return nil, nil
	}
	if at := stampOf(info); e.sure && at == e.at {
		return nil, nil
	}
	return m.readAs(p, e, info)
}

// read reads the content of p again, though its stamp may be the same.
func (m *Mirror) read(p definition.Path, e *entry) ([]byte, error) {
	e.sure = false
	content, err := m.look(p, e, nil)
	if err == nil && content == nil {
		err = errReplaced
	}
	return content, err
}

// readAs reads the file that info shows.
func (m *Mirror) readAs(p definition.Path, e *entry, info fs.FileInfo) ([]byte, error) {
	content, err := m.tree.readFile(p.String(), info)
	switch {
	case errors.Is(err, errReplaced), errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		e.see(unreadableBy(err))
		return nil, nil
	}
	e.see(sight{kind: present, hash: definition.HashOf(content)})
	e.at = stampOf(info)
	e.sure = e.at.trusted(time.Now(), m.tree.tick())
	return content, nil
}

// see notes what is there and forgets the stamp.
func (e *entry) see(s sight) {
	e.seen, e.at, e.sure = s, stamp{}, false
}

// unreadableBy is the sight of a name that is there but cannot be read.
func unreadableBy(err error) sight {
	fault := err.Error()
	if errors.Is(err, fs.ErrPermission) {
		fault = "this process may not read it"
	}
	return sight{kind: unreadable, fault: fault}
}

// kindFault says what a name is that is no regular file.
func kindFault(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errors.New("it is a link, and links are not followed")
	}
	return errNotRegular
}

// content returns the bytes of a file.
func (t *tree) content(p definition.Path) ([]byte, error) {
	info, err := t.lstat(p.String())
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, kindFault(info.Mode())
	}
	return t.readFile(p.String(), info)
}

// readFile returns the content of the file that info shows. The error is errReplaced if
// the file was written to meanwhile: then its stamp would speak of other bytes, and a
// half-saved file would seem to have rested.
func (t *tree) readFile(name string, info fs.FileInfo) ([]byte, error) {
	if info.Size() > definition.MaxSize {
		return nil, errTooLarge
	}
	f, err := t.open(name, info)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := readAll(f)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && stampOf(after) != stampOf(info) {
		err = errReplaced
	}
	return content, err
}

// tick is how coarse the change times of the directory's file system are.
func (t *tree) tick() time.Duration {
	if t.network != "" {
		return networkTick
	}
	return localTick
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

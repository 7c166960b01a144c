package mirror

import (
	"bytes"
	"context"

	"github.com/starling-sync/starling/definition"
)

// torn reports whether a file, which the machine may have lost writes of, holds what nobody
// wrote. A program that saves without a sync may find its file empty, cut off or full of
// zeros after a power failure, long after the edit was published. Left alone it would be
// held for ever, or be published if what is left of it parses.
func (m *Mirror) torn(ctx context.Context, p definition.Path, was base, content []byte) bool {
	if _, err := definition.Parse(p, content); err != nil {
		return true
	}
	view, whole, err := m.replica.Read(ctx, p)
	return err == nil && view.Hash == was.hash && bytes.HasPrefix(whole, content)
}

// keepTorn puts what is left of a torn file aside, in case that somebody has begun to edit
// it since. It returns false if that cannot be done: then the file is left alone.
func (m *Mirror) keepTorn(p definition.Path, content []byte) bool {
	if len(bytes.Trim(content, "\x00")) > 0 && m.opts.Aside != "" {
		if err := putAside(m.opts.Aside, p, content); err != nil {
			m.log.Warn("cannot put aside what a power failure left of a file", "path", p, "err", err)
			return false
		}
	}
	m.log.Info("a power failure has damaged a file that its program had not synced; it is restored", "path", p)
	return true
}

package mirror

import (
	"os"
	"slices"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// replacedFile is the open descriptor of a file that an export replaced or removed, while its
// content may not be what was there when the export was decided: somebody was saving
// in place. When the bytes are complete they are imported as the edit that they are, so
// they are not lost, though the directory has something else by now.
type replacedFile struct {
	path    definition.Path
	file    *os.File
	hash    definition.Hash      // what the file should have been
	parents []definition.Version // of the edit that it may be
	rest    resting
	taken   bool // an import of this pass has it
}

// replacedFiles are those that have not come to rest.
type replacedFiles []*replacedFile

// replacedPoll is how often such files are looked at.
const replacedPoll = 20 * time.Millisecond

// keep takes the descriptor of a file that was replaced. It closes it at once if the
// content is what was expected and nobody is writing.
func (r *replacedFiles) keep(f finding, old *os.File) {
	k := &replacedFile{path: f.path, file: old, hash: f.seen.hash, parents: f.entry.base.heads}
	if !dir.BeingWritten(old) {
		if content, err := dir.ReadAll(old); err == nil && definition.HashOf(content) == k.hash {
			old.Close()
			return
		}
	}
	*r = append(*r, k)
}

// drop closes the descriptor.
func (r *replacedFiles) drop(k *replacedFile) {
	k.file.Close()
	if i := slices.Index(*r, k); i >= 0 {
		*r = slices.Delete(*r, i, i+1)
	}
}

// close closes all descriptors.
func (r *replacedFiles) close() {
	for _, k := range *r {
		k.file.Close()
	}
}

// checkReplaced looks whether the replaced files have come to rest, and returns the
// imports of those that somebody has changed.
func (m *Mirror) checkReplaced(ps *pass, imports []finding) []finding {
	if len(m.replaced) == 0 {
		return nil
	}
	busy := make(map[definition.Path]bool) // a path comes once in a change
	for _, f := range imports {
		busy[f.path] = true
	}
	var found []finding
	for _, k := range slices.Clone(m.replaced) {
		if k.taken || busy[k.path] {
			continue
		}
		if f, ok := m.checkOneReplaced(ps, k); ok {
			busy[k.path] = true
			found = append(found, f)
		}
	}
	return found
}

// checkOneReplaced returns the import of the file, if it is to be imported now.
func (m *Mirror) checkOneReplaced(ps *pass, k *replacedFile) (finding, bool) {
	info, err := k.file.Stat()
	if err != nil {
		m.log.Warn("cannot read a file that was replaced while it was saved", "path", k.path, "err", err)
		m.replaced.drop(k)
		return finding{}, false
	}
	at := dir.StatOf(info)
	if at.Size != k.rest.size || at.Mtime != k.rest.mtime || dir.BeingWritten(k.file) {
		k.rest = resting{at.Size, at.Mtime, ps.now}
	}
	rested := ps.now.Sub(k.rest.since) >= m.opts.SettleTime
	content, err := dir.ReadAll(k.file)
	if err == nil && definition.HashOf(content) == k.hash {
		if rested {
			m.replaced.drop(k)
		}
		return finding{}, false
	}
	doc, parseErr := definition.Parse(k.path, content)
	switch {
	case m.opts.ReadOnly() && !rested:
	case !m.opts.ReadOnly() && err == nil && parseErr == nil && (doc.Complete() || rested):
		k.taken = true
		return finding{
			path:     k.path,
			entry:    m.ledger.entry(k.path),
			seen:     diskState{kind: present, hash: definition.HashOf(content), parses: true},
			stat:     at,
			content:  content,
			replaced: k,
		}, true
	case rested:
		m.log.Warn("a file was replaced while it was saved, and what was saved cannot be imported", "path", k.path)
		if err == nil && m.opts.Aside != "" {
			if err := putInQuarantine(m.opts.Aside, k.path, content); err != nil {
				m.log.Warn("cannot put it aside", "path", k.path, "err", err)
			}
		}
		m.replaced.drop(k)
	}
	return finding{}, false
}

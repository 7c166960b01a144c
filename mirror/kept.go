package mirror

import (
	"os"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// kept is the open descriptor of a file that an export replaced or removed, while its
// content may not be what was there when the export was decided: somebody was saving
// in place. When the bytes are complete they are imported as the edit that they are, so
// they are not lost, though the directory has something else by now.
type kept struct {
	path    definition.Path
	file    *os.File
	hash    definition.Hash      // what the file should have been
	parents []definition.Version // of the edit that it may be
	rest    resting
	taken   bool // an import of this turn has it
}

// keptPoll is how often such files are looked at.
const keptPoll = 20 * time.Millisecond

// keep takes the descriptor of a file that was replaced. It closes it at once if the
// content is what was expected and nobody is writing.
func (m *Mirror) keep(f finding, old *os.File) {
	k := &kept{path: f.path, file: old, hash: f.seen.hash, parents: f.entry.base.heads}
	if !dir.BeingWritten(old) {
		if content, err := dir.ReadAll(old); err == nil && definition.HashOf(content) == k.hash {
			old.Close()
			return
		}
	}
	m.kept = append(m.kept, k)
}

// dropKept closes the descriptor.
func (m *Mirror) dropKept(k *kept) {
	k.file.Close()
	for i, other := range m.kept {
		if other == k {
			m.kept = append(m.kept[:i], m.kept[i+1:]...)
			return
		}
	}
}

// examineKept looks whether the replaced files have come to rest, and imports those
// that somebody has changed.
func (m *Mirror) examineKept(t *turn) {
	if len(m.kept) == 0 {
		return
	}
	busy := make(map[definition.Path]bool) // a path comes once in a change
	for _, f := range t.imports {
		busy[f.path] = true
	}
	for _, k := range append([]*kept(nil), m.kept...) {
		if !k.taken && !busy[k.path] {
			busy[k.path] = m.examineOneKept(t, k)
		}
	}
}

// examineOneKept returns true if the turn imports the file.
func (m *Mirror) examineOneKept(t *turn, k *kept) bool {
	info, err := k.file.Stat()
	if err != nil {
		m.log.Warn("cannot read a file that was replaced while it was saved", "path", k.path, "err", err)
		m.dropKept(k)
		return false
	}
	at := dir.StatOf(info)
	if at.Size != k.rest.size || at.Mtime != k.rest.mtime || dir.BeingWritten(k.file) {
		k.rest = resting{at.Size, at.Mtime, t.now}
	}
	rested := t.now.Sub(k.rest.since) >= m.opts.SettleTime
	content, err := dir.ReadAll(k.file)
	if err == nil && definition.HashOf(content) == k.hash {
		if rested {
			m.dropKept(k)
		}
		return false
	}
	doc, parseErr := definition.Parse(k.path, content)
	switch {
	case m.opts.ReadOnly() && !rested:
	case !m.opts.ReadOnly() && err == nil && parseErr == nil && (doc.Complete() || rested):
		k.taken = true
		t.imports = append(t.imports, finding{
			path:    k.path,
			entry:   m.entry(k.path),
			seen:    sight{kind: present, hash: definition.HashOf(content), parses: true},
			at:      at,
			content: content,
			kept:    k,
		})
		return true
	case rested:
		m.log.Warn("a file was replaced while it was saved, and what was saved cannot be imported", "path", k.path)
		if err == nil && m.opts.Aside != "" {
			if err := putAside(m.opts.Aside, k.path, content); err != nil {
				m.log.Warn("cannot put it aside", "path", k.path, "err", err)
			}
		}
		m.dropKept(k)
	}
	return false
}

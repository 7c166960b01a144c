package mirror

import (
	"log/slog"
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
type replacedFiles struct {
	files      []*replacedFile
	ledger     *ledger
	dir        *dir.Directory
	readOnly   func() bool
	settle     time.Duration
	quarantine quarantine
	log        *slog.Logger
}

// replacedPoll is how often such files are looked at where the system does not tell
// whether they are open for writing.
const replacedPoll = 20 * time.Millisecond

// keep takes the descriptor of a file that was replaced. It closes it at once if the
// content is what was expected and nobody is writing.
func (r *replacedFiles) keep(f finding, old *os.File) {
	now := time.Now()
	k := &replacedFile{path: f.path, file: old, hash: f.seen.hash, parents: f.entry.base.heads}
	k.rest = resting{first: now, next: now.Add(replacedPoll)}
	if r.dir.Writers(old) != dir.SomeWriter {
		if content, err := dir.ReadAll(old); err == nil && definition.HashOf(content) == k.hash {
			old.Close()
			return
		}
	}
	r.files = append(r.files, k)
}

// drop closes the descriptor.
func (r *replacedFiles) drop(k *replacedFile) {
	k.file.Close()
	if i := slices.Index(r.files, k); i >= 0 {
		r.files = slices.Delete(r.files, i, i+1)
	}
}

// brief is as settling.brief.
func (r *replacedFiles) brief(now time.Time) bool {
	return slices.ContainsFunc(r.files, func(k *replacedFile) bool { return k.rest.brief(now) })
}

// waiting returns those that have waited for long.
func (r *replacedFiles) waiting(now time.Time) []WaitingFile {
	var list []WaitingFile
	for _, k := range r.files {
		if now.Sub(k.rest.first) >= longWait {
			list = append(list, WaitingFile{Path: k.path, Reason: k.rest.reason(), Since: k.rest.first})
		}
	}
	return list
}

// next returns when to look at such a file next; zero if there is none.
func (r *replacedFiles) next() (next time.Time) {
	for _, k := range r.files {
		next = sooner(next, k.rest.next)
	}
	return next
}

// close closes all descriptors.
func (r *replacedFiles) close() {
	for _, k := range r.files {
		k.file.Close()
	}
}

// check looks whether the replaced files have come to rest, and returns the
// imports of those that somebody has changed.
func (r *replacedFiles) check(now time.Time, imports []finding) []finding {
	if len(r.files) == 0 {
		return nil
	}
	busy := make(map[definition.Path]bool) // a path comes once in a change
	for _, f := range imports {
		busy[f.path] = true
	}
	var found []finding
	for _, k := range slices.Clone(r.files) {
		if k.taken || busy[k.path] {
			continue
		}
		if f, ok := r.checkOne(now, k); ok {
			busy[k.path] = true
			found = append(found, f)
		}
	}
	return found
}

// checkOne returns the import of the file, if it is to be imported now.
func (r *replacedFiles) checkOne(now time.Time, k *replacedFile) (finding, bool) {
	info, err := k.file.Stat()
	if err != nil {
		r.log.Warn("cannot read a file that was replaced while it was saved", "path", k.path, "err", err)
		r.drop(k)
		return finding{}, false
	}
	at := dir.StatOf(info)
	writers := r.dir.Writers(k.file)
	k.rest = k.rest.see(at, writers, now)
	// It has no name any more, so once it is closed nobody opens it again.
	rested := k.rest.done(at, writers, writers == dir.NoWriter, true, r.settle, now)
	if writers == dir.UnknownWriters {
		rested = now.Sub(k.rest.since) >= r.settle
	}
	k.rest = k.rest.again(writers, replacedPoll, now)
	content, err := dir.ReadAll(k.file)
	if err == nil && definition.HashOf(content) == k.hash {
		if rested {
			r.drop(k)
		}
		return finding{}, false
	}
	_, parseErr := definition.Parse(k.path, content)
	switch {
	case !rested:
	case !r.readOnly() && err == nil && parseErr == nil:
		k.taken = true
		return finding{
			path:     k.path,
			entry:    r.ledger.entry(k.path),
			seen:     diskState{kind: present, hash: definition.HashOf(content), parses: true},
			stat:     at,
			content:  content,
			replaced: k,
		}, true
	default:
		r.log.Warn("a file was replaced while it was saved, and what was saved cannot be imported", "path", k.path)
		if err == nil && r.quarantine != "" {
			if err := r.quarantine.put(k.path, content); err != nil {
				r.log.Warn("cannot put it aside", "path", k.path, "err", err)
			}
		}
		r.drop(k)
	}
	return finding{}, false
}

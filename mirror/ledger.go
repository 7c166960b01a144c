package mirror

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// Keys of the mirror's durable records.
const (
	recordPrefix = "base/" // + path: the path's record
	keySynced    = "synced"
	keyBoot      = "boot"
	keyDirectory = "directory"
)

func recordKey(p definition.Path) string { return recordPrefix + p.String() }

// ledger is what the mirror knows about every path that it has met, and keeps in the
// records of the replica.
type ledger struct {
	replica Replica
	log     *slog.Logger

	entries map[definition.Path]*entry
	// below counts the entries below each folder.
	below map[string]int
	// synced: this node's first complete sync is done.
	synced bool
	// syncStored: that is durable.
	syncStored bool
	// rebooted: the machine may have lost writes since the records were written.
	rebooted bool
	// boot is the machine's present run; empty if it cannot be told.
	boot string
	// directory names the directory, as the system does, that the records are of; empty if
	// they do not say so.
	directory string
	// inSync counts the entries whose base is present.
	inSync int
	// flushAt is when to flush the directory; zero if there is nothing to flush.
	flushAt time.Time
}

// entry is one path.
type entry struct {
	record
	// stored: the record is durable.
	stored bool
	// fresh: the record comes from an earlier run and was not compared with the
	// file yet.
	fresh bool
	// seen is what the last look at the disk found, stat goes with it, and clean says
	// that an equal stat proves an equal content.
	seen  diskState
	stat  dir.Stat
	clean bool
	// inode is that of the file that last held the base's bytes, 0 if it is not known.
	inode uint64
	// whole is the file that was complete last.
	whole wholeFile
}

// is reports whether directory, base and view are equal, so that nothing is to be done.
func (e *entry) is(v definition.View) bool {
	return v.Withheld == "" && plan(e.seen, e.base, v) == noop
}

// load reads the records of earlier runs. founder says that the node has no first sync.
func (l *ledger) load(ctx context.Context, founder bool) error {
	l.entries, l.below, l.inSync = make(map[definition.Path]*entry), make(map[string]int), 0
	records, err := l.replica.LoadRecords(ctx, recordPrefix)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	for key, value := range records {
		p, err := definition.ParsePath(strings.TrimPrefix(key, recordPrefix))
		if err != nil {
			return fmt.Errorf("load records of the mirror: %w", err)
		}
		r, err := decodeRecord(p, value)
		if err != nil {
			return fmt.Errorf("load records of the mirror: %w", err)
		}
		l.add(p, &entry{record: r, stored: true, fresh: true})
		if r.base.hash != (definition.Hash{}) {
			l.inSync++
		}
	}
	flags, err := l.replica.LoadRecords(ctx, keySynced)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	l.syncStored = len(flags) > 0
	l.synced = founder || l.syncStored
	boot, err := l.replica.LoadRecords(ctx, keyBoot)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	directory, err := l.replica.LoadRecords(ctx, keyDirectory)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	l.directory = string(directory[keyDirectory])
	l.boot = dir.BootID()
	l.rebooted = l.boot == "" || string(boot[keyBoot]) != l.boot
	return nil
}

// finishRecovery records that every path was compared with its record since the
// machine was started. Until then a further start of this node must compare anew.
func (l *ledger) finishRecovery(ctx context.Context) error {
	if !l.rebooted {
		return nil
	}
	failpoint.Hit(failpoint.RecoveryEnds, "")
	if err := l.replica.SaveRecords(ctx, map[string][]byte{keyBoot: []byte(l.boot)}, true); err != nil {
		return fmt.Errorf("record the recovery: %w", err)
	}
	failpoint.Hit(failpoint.RecoveryRecorded, "")
	l.rebooted = false
	return nil
}

// forget drops all records: the directory that they speak of is no more.
func (l *ledger) forget(ctx context.Context) error {
	gone := make(map[string][]byte)
	for _, prefix := range []string{recordPrefix, keySynced, approvalPrefix, cutPrefix} {
		records, err := l.replica.LoadRecords(ctx, prefix)
		if err != nil {
			return fmt.Errorf("forget records of the mirror: %w", err)
		}
		for key := range records {
			gone[key] = nil
		}
	}
	if err := l.replica.SaveRecords(ctx, gone, true); err != nil {
		return fmt.Errorf("forget records of the mirror: %w", err)
	}
	return nil
}

// entry returns what is known about p.
func (l *ledger) entry(p definition.Path) *entry {
	e, ok := l.entries[p]
	if !ok {
		e = &entry{record: record{base: base{unknown: !l.synced}}}
		l.add(p, e)
	}
	return e
}

// add adds an entry.
func (l *ledger) add(p definition.Path, e *entry) {
	l.entries[p] = e
	for folder := range foldersAbove(p.String()) {
		l.below[folder]++
	}
}

// foldersAbove yields the folders above a name, the innermost first.
func foldersAbove(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
			if name = name[:i]; !yield(name) {
				return
			}
		}
	}
}

// set makes r the record of an entry, which is durable or on its way to be.
func (l *ledger) set(e *entry, r record) {
	if e.base.hash != (definition.Hash{}) {
		l.inSync--
	}
	if r.base.hash != (definition.Hash{}) {
		l.inSync++
	}
	e.record, e.stored = r, true
	switch {
	case len(r.stale) > maxStale:
		l.flushAt = time.Now()
	case len(r.stale) > 0 && l.flushAt.IsZero():
		l.flushAt = time.Now().Add(flushDelay)
	}
}

// finishFirstSync records that the first complete sync is done. The files that
// could not be brought into sync are recorded as unknown: whenever they can be read,
// they are adopted then.
func (l *ledger) finishFirstSync(ctx context.Context) error {
	batch := map[string][]byte{keySynced: {1}}
	for p, e := range l.entries {
		if !e.stored && e.base.unknown {
			batch[recordKey(p)] = e.encode(p)
		}
	}
	failpoint.Hit(failpoint.FirstSyncEnds, "")
	if err := l.replica.SaveRecords(ctx, batch, true); err != nil {
		return fmt.Errorf("record the first sync: %w", err)
	}
	failpoint.Hit(failpoint.FirstSyncRecorded, "")
	for p, e := range l.entries {
		_, stored := batch[recordKey(p)]
		e.stored = e.stored || stored
	}
	l.synced, l.syncStored = true, true
	l.log.Info("first sync is done", "files", l.inSync)
	return nil
}

// unflushed returns the paths of which the disk may hold an older file than the record
// says.
func (l *ledger) unflushed() []definition.Path {
	var paths []definition.Path
	for p, e := range l.entries {
		if len(e.stale) > 0 && !e.fresh { // it must be compared first
			paths = append(paths, p)
		}
	}
	return paths
}

// flushed records that the files were written to disk.
func (l *ledger) flushed(ctx context.Context, paths []definition.Path) error {
	records := make(map[string][]byte, len(paths))
	for _, p := range paths {
		e := l.entries[p]
		e.record = e.record.flushed()
		records[recordKey(p)] = e.encode(p)
	}
	return l.replica.SaveRecords(ctx, records, false)
}

// present returns the hashes of the files that were there when they were looked at last.
func (l *ledger) present() map[definition.Path]definition.Hash {
	entries := make(map[definition.Path]definition.Hash, l.inSync)
	for p, e := range l.entries {
		if e.seen.kind == present {
			entries[p] = e.seen.hash
		}
	}
	return entries
}

// distrust makes the next look read every file: the directory may be another one.
func (l *ledger) distrust() {
	for _, e := range l.entries {
		e.clean = false
	}
}

// dropUnused forgets a name that came and went: nothing is there, in no record and in no
// version.
func (l *ledger) dropUnused(p definition.Path, v definition.View) {
	if e := l.entries[p]; !e.stored && e.seen.kind == absent && len(v.Heads) == 0 {
		delete(l.entries, p)
		for folder := range foldersAbove(p.String()) {
			if l.below[folder]--; l.below[folder] == 0 {
				delete(l.below, folder)
			}
		}
	}
}

// elsewhere tells apart the files of which the bytes that were overwritten are there under
// another name, as when two files were exchanged: these are lost to nobody.
func (l *ledger) elsewhere(due []finding) (elsewhere, rest []finding) {
	wanted := make(map[definition.Hash]bool)
	for _, f := range due {
		wanted[f.entry.base.hash] = false
	}
	for _, e := range l.entries {
		if _, ok := wanted[e.seen.hash]; ok && e.seen.hash != e.base.hash {
			wanted[e.seen.hash] = true
		}
	}
	for _, f := range due {
		if wanted[f.entry.base.hash] {
			elsewhere = append(elsewhere, f)
		} else {
			rest = append(rest, f)
		}
	}
	return elsewhere, rest
}

// content returns the bytes of a base, nil if it is absent. It reports false if they cannot be
// told any more.
func (l *ledger) content(ctx context.Context, p definition.Path, b base) ([]byte, bool) {
	if b.hash == (definition.Hash{}) {
		return nil, true
	}
	content, err := l.replica.Merged(ctx, p, b.heads...)
	return content, err == nil && definition.HashOf(content) == b.hash
}

// isRemoved reports whether somebody has removed a file that was in sync, and that is still to
// be published: then the view is about to have what it kept out.
func (l *ledger) isRemoved(d *dir.Directory, p definition.Path) bool {
	e := l.entries[p]
	if e == nil {
		return false
	}
	if _, err := e.look(d, p, nil); err != nil {
		return false
	}
	return plan(e.seen, e.base, l.replica.View(p)) == importDeletion
}

package mirror

import (
	"context"
	"fmt"
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
)

func recordKey(p definition.Path) string { return recordPrefix + p.String() }

// ledger is what the mirror knows about every path that it has met.
type ledger struct {
	entries map[definition.Path]*entry
	// synced: this node's first complete sync is done.
	synced bool
	// syncStored: that is durable.
	syncStored bool
	// rebooted: the machine may have lost writes since the records were written.
	rebooted bool
	// boot is the machine's present run; empty if it cannot be told.
	boot string
	// inSync counts the entries whose base is present.
	inSync int
}

// entry is one path.
type entry struct {
	record
	// stored: the record is durable.
	stored bool
	// fresh: the record comes from an earlier run and was not compared with the
	// file yet.
	fresh bool
	// seen is what the last look found, at is its stamp, and sure says that an
	// equal stamp proves an equal content.
	seen sight
	at   dir.Stat
	sure bool
}

// loadLedger reads the records of earlier runs.
func (m *Mirror) loadLedger(ctx context.Context) error {
	m.entries = make(map[definition.Path]*entry)
	records, err := m.replica.LoadRecords(ctx, recordPrefix)
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
		m.entries[p] = &entry{record: r, stored: true, fresh: true}
		if r.base.hash != (definition.Hash{}) {
			m.inSync++
		}
	}
	flags, err := m.replica.LoadRecords(ctx, keySynced)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	m.syncStored = len(flags) > 0
	m.synced = m.opts.Founder || m.syncStored
	boot, err := m.replica.LoadRecords(ctx, keyBoot)
	if err != nil {
		return fmt.Errorf("load records of the mirror: %w", err)
	}
	m.boot = dir.BootID()
	m.rebooted = m.boot == "" || string(boot[keyBoot]) != m.boot
	return nil
}

// finishRecovery records that every path was compared with its record since the
// machine was started. Until then a further start of this node must compare anew.
func (m *Mirror) finishRecovery(ctx context.Context) error {
	if !m.rebooted {
		return nil
	}
	failpoint.Hit(failpoint.RecoveryEnds, "")
	if err := m.replica.SaveRecords(ctx, map[string][]byte{keyBoot: []byte(m.boot)}, true); err != nil {
		return fmt.Errorf("record the recovery: %w", err)
	}
	failpoint.Hit(failpoint.RecoveryRecorded, "")
	m.rebooted = false
	return nil
}

// forget drops all records: the directory that they speak of is no more.
func (m *Mirror) forget(ctx context.Context) error {
	gone := make(map[string][]byte)
	for _, prefix := range []string{recordPrefix, keySynced, approvalPrefix} {
		records, err := m.replica.LoadRecords(ctx, prefix)
		if err != nil {
			return fmt.Errorf("forget records of the mirror: %w", err)
		}
		for key := range records {
			gone[key] = nil
		}
	}
	if err := m.replica.SaveRecords(ctx, gone, true); err != nil {
		return fmt.Errorf("forget records of the mirror: %w", err)
	}
	return nil
}

// entry returns what is known about p.
func (m *Mirror) entry(p definition.Path) *entry {
	e, ok := m.entries[p]
	if !ok {
		e = &entry{record: record{base: base{unknown: !m.synced}}}
		m.entries[p] = e
	}
	return e
}

// setRecord makes r the record of an entry, which is durable or on its way to be.
func (m *Mirror) setRecord(e *entry, r record) {
	if e.base.hash != (definition.Hash{}) {
		m.inSync--
	}
	if r.base.hash != (definition.Hash{}) {
		m.inSync++
	}
	e.record, e.stored = r, true
	switch {
	case len(r.stale) > maxStale:
		m.flushAt = time.Now()
	case len(r.stale) > 0 && m.flushAt.IsZero():
		m.flushAt = time.Now().Add(flushDelay)
	}
}

// finishFirstSync records that the first complete sync is done. The files that
// could not be brought into sync are recorded as unknown: whenever they can be read,
// they are adopted then.
func (m *Mirror) finishFirstSync(ctx context.Context) error {
	batch := map[string][]byte{keySynced: {1}}
	for p, e := range m.entries {
		if !e.stored && e.base.unknown {
			batch[recordKey(p)] = e.encode(p)
		}
	}
	failpoint.Hit(failpoint.FirstSyncEnds, "")
	if err := m.replica.SaveRecords(ctx, batch, true); err != nil {
		return fmt.Errorf("record the first sync: %w", err)
	}
	failpoint.Hit(failpoint.FirstSyncRecorded, "")
	for p, e := range m.entries {
		_, stored := batch[recordKey(p)]
		e.stored = e.stored || stored
	}
	m.synced, m.syncStored = true, true
	m.log.Info("first sync is done", "files", m.inSync)
	return nil
}

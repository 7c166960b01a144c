package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/internal/failpoint"
)

// flushDelay is how long after a change of a file the directory is written to disk. Until then a power failure could bring an older file back, and the records
// keep the base that it would have.
const flushDelay = time.Second

// flush writes the directory to disk and ends what the records keep for the case that
// it was not. A failure is tried again after the next change.
func (m *Mirror) flush(ctx context.Context) {
	m.flushAt = time.Time{}
	var paths []definition.Path
	for p, e := range m.entries {
		if len(e.stale) > 0 && !e.fresh { // it must be compared first
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 || m.opts.Observe {
		return
	}
	if err := m.dir.Flush(paths); err != nil {
		m.failed(err)
		return
	}
	failpoint.Hit(failpoint.Flushed, "")
	records := make(map[string][]byte, len(paths))
	for _, p := range paths {
		e := m.entries[p]
		e.record = e.flushed()
		records[recordKey(p)] = e.encode(p)
	}
	if err := m.replica.SaveRecords(ctx, records, false); err != nil {
		m.failed(err) // harmless: what was to be dropped stays
	}
	failpoint.Hit(failpoint.FlushRecorded, "")
}

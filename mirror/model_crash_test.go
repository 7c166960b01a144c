package mirror_test

import (
	"context"
	"maps"
	"os"
	"strings"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror"
)

// disk is what a node's store has written: a log whose end is lost if the power fails
// before it is synced. Elements lie in the real replica as well, the mirror's records
// only here.
type disk struct {
	log     []written
	synced  int // entries that are safe
	records map[string][]byte
}

// written is one entry of the log: an element of another node, or records.
type written struct {
	element []byte
	records map[string][]byte
}

func (d *disk) add(e written, sync bool) {
	d.log = append(d.log, e)
	applyRecords(d.records, e.records)
	if sync {
		d.sync()
	}
}

// sync makes all that was written safe. An append syncs too.
func (d *disk) sync() { d.synced = len(d.log) }

func applyRecords(to, records map[string][]byte) {
	for k, v := range records {
		if v == nil {
			delete(to, k)
		} else {
			to[k] = v
		}
	}
}

func (d *disk) save(records map[string][]byte, sync bool) {
	d.add(written{records: maps.Clone(records)}, sync)
}

// loseEnd forgets so many of the entries that are not safe, the last ones.
func (m *member) loseEnd(n int) {
	keep := max(m.synced, len(m.log)-n)
	lost := make(map[definition.ChangeID]bool)
	for _, e := range m.log[keep:] {
		if e.element != nil {
			lost[definition.ChangeID(definition.HashOf(e.element))] = true
		}
	}
	m.log = m.log[:keep]
	m.records = make(map[string][]byte)
	for _, e := range m.log {
		applyRecords(m.records, e.records)
	}
	m.sync()
	if len(lost) > 0 {
		m.loseElements(lost)
	}
}

// LoadRecords implements mirror.Replica.
func (m *member) LoadRecords(_ context.Context, prefix string) (map[string][]byte, error) {
	found := make(map[string][]byte)
	for k, v := range m.records {
		if strings.HasPrefix(k, prefix) {
			found[k] = v
		}
	}
	return found, nil
}

// SaveRecords implements mirror.Replica. Intents are saved beside the sync of the
// temporary files, by another goroutine.
func (m *member) SaveRecords(_ context.Context, records map[string][]byte, sync bool) error {
	m.noticeFlush(records)
	at := m.moment
	if m.beginExports(records) {
		at = m.meanwhile
	}
	at()
	if m.dying != nil {
		return nil // nobody will hear of it
	}
	m.save(records, sync)
	at()
	return nil
}

// beginExports reports whether records hold intents.
func (m *member) beginExports(records map[string][]byte) bool {
	for i := range m.places {
		if r, ok := m.record(i, records); ok && r.Begun() {
			return true
		}
	}
	return false
}

// noticeFlush takes the states of files that the mirror has flushed to disk for safe.
func (m *member) noticeFlush(records map[string][]byte) {
	for i := range m.places {
		was, before := m.record(i, m.records)
		now, written := m.record(i, records)
		if before && written && was.Stale() > 0 && now.Stale() == 0 {
			p := &m.places[i]
			p.past = p.past[len(p.past)-1:]
		}
	}
}

// record returns the mirror's record of a path, if it is among these.
func (m *member) record(i int, records map[string][]byte) (r mirror.Record, ok bool) {
	p := modelPaths[i]
	data, ok := records["base/"+p.String()]
	if !ok || data == nil {
		return r, false
	}
	r, err := mirror.DecodeRecord(p, data)
	mustModel(err)
	return r, true
}

// anotherRun is what the record of the machine's run says after a power failure.
const anotherRun = "an earlier run of the machine"

// crash ends the process of a node, and the machine if the power fails.
func (m *member) crash(s step) {
	m.dying = nil
	m.w.note("node %d: %s", m.number, s.Op)
	m.stop(true)
	for i := range m.places {
		if p := &m.places[i]; m.inTurn { // what was placed may not be known to be
			p.shown = p.before
			if p.changed {
				p.first = p.before
			}
			if p.act != nil {
				p.act.shown = p.before
			}
		}
	}
	m.inTurn = false
	if s.Op == opPower {
		m.loseEnd(s.N)
		if m.records["boot"] != nil {
			m.records["boot"] = []byte(anotherRun)
		}
		for i := range m.places {
			m.undo(i, s.Path)
		}
	}
	boot := m.records["boot"]
	rebooted := boot == nil || string(boot) == anotherRun
	if rebooted {
		for i := range m.places {
			m.distrust(i)
		}
	}
	for i := range m.places {
		p := &m.places[i]
		r, ok := m.record(i, m.records)
		p.known = ok && (!r.Base().Unknown() || r.IsPlaced(p.base, 0) && !rebooted)
		if ok && r.Begun() { // what it was to write counts as written
			p.maybe = maps.Clone(p.maybe)
			if p.maybe == nil {
				p.maybe = make(map[definition.Hash]bool)
			}
			p.maybe[m.given[modelPaths[i]].Hash] = true
		}
		if s.Op == opPower { // what is on disk now has survived
			p.past = []state{p.state}
		}
	}
}

// undo may bring a file back to a state that it had since it was flushed.
func (m *member) undo(i, choice int) {
	p := &m.places[i]
	if p.saving != nil { // whoever did is gone too
		p.saving.file.Close()
		p.saving = nil
	}
	back := choice >> (i % 3) & 1 * (1 + choice%2)
	if i == folderPath || i == insidePath {
		back = 0 // the one is in the way of the other
	}
	s := p.past[max(0, len(p.past)-1-back)]
	if s.kind == p.kind && s.content == p.content {
		return
	}
	m.w.note("node %d: %s is %s %q again", m.number, modelPaths[i], s.kind, s.content)
	if s.kind == nothing {
		mustModel(os.Remove(m.file(i)))
	} else {
		m.writeFile(i, s.content, true)
	}
	if p.act != nil && p.act.fate == pending {
		p.act.fate = moot
	}
	if s.act != nil && s.act.fate == superseded {
		s.act.fate = pending
	}
	p.state = s
}

// distrust notes what a mirror cannot know at the first start on a machine that may have
// lost writes: whether what is equal to an earlier state is what the machine left, and
// on top of which of the states anything else is.
func (m *member) distrust(i int) {
	p := &m.places[i]
	if r, ok := m.record(i, m.records); ok && r.Stale() == 0 && !r.Begun() {
		p.oldest, p.were = p.first, map[definition.Hash]bool{p.hash(): true}
	}
	p.shown, p.maybe = p.oldest, maps.Clone(p.were)
	switch a := p.act; {
	case a == nil:
	case a.fate == pending:
		_, a.seen = a.onTop()
		a.shown, a.on = p.oldest, nil
	default:
		p.act = nil
	}
}

// loseElements makes the replica what it is without some elements that came last.
func (m *member) loseElements(lost map[definition.ChangeID]bool) {
	elements := m.elements()
	mustModel(m.set.Close())
	m.openSet()
	for _, element := range elements {
		if lost[definition.ChangeID(definition.HashOf(element))] {
			continue
		}
		_, err := m.set.AdmitElement(context.Background(), element)
		mustModel(err)
	}
}

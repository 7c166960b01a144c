package mirror

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// record is what the mirror remembers durably about one path.
//
// After a crash the file may be at another base than the last one written here, for
// two reasons. An export renames first and writes the new base afterwards; so
// before the rename the new base is written as the intent, and a file that matches
// it has it as its base. And a power failure can bring back an older file (a rename
// or a save that the directory's disk had not written yet) while the replica's disk
// already holds the newer base; so the older bases are kept as stale until
// the directory is known to be on disk, and after a reboot a file that matches one
// of them is at that base. Without this the older bytes would look like a new edit
// and be published: something old would come back.
type record struct {
	base   base
	intent *intent
	stale  []base
	// past holds the first 8 bytes of the content hashes that the file had
	// before, latest last. A file that returns to one of them may have been
	// restored from a backup (see guard).
	past []uint64
}

// intent is an export that was begun: the base that it makes, and the inode of the
// temporary file that is renamed (0 for a deletion).
type intent struct {
	base  base
	inode uint64
}

const (
	// maxPast bounds the memory of earlier contents.
	maxPast = 16
	// maxStale bounds the bases that can come back: the turn after a file has
	// collected more flushes the directory first.
	maxStale = 8
)

// advance returns the record after disk and view have come to the base b.
func (r record) advance(b base) record {
	next := record{base: b, stale: r.stale, past: r.past}
	if b.hash == r.base.hash {
		return next
	}
	next.stale = append(slices.Clone(r.stale), r.base)
	if r.base.hash != (definition.Hash{}) {
		past := append(slices.Clone(r.past), fingerprint(r.base.hash))
		next.past = past[max(0, len(past)-maxPast):]
	}
	return next
}

// flushed returns the record after the directory was written to disk.
func (r record) flushed() record {
	r.stale = nil
	return r
}

// returns reports whether a hash is one that the file had before.
func (r record) returns(h definition.Hash) bool {
	return slices.Contains(r.past, fingerprint(h))
}

// recover returns the record as it is right after a crash, for the file that is on
// disk now: at the base that the file matches, or surely is on top of. rebooted says
// that the machine may have lost writes since, placed that the export that was begun
// surely took place, whatever is there now.
func (r record) recover(d sight, at dir.Stat, rebooted, placed bool) record {
	in, stale := r.intent, r.stale
	r.intent = nil
	if rebooted { // what is on disk now has survived
		r.stale = nil
	}
	switch {
	case d.kind == unreadable:
		return r
	case in != nil && (placed || in.inode != 0 && at.Ino == in.inode):
		return r.advance(in.base)
	case d.hash == r.base.hash:
		return r
	case in != nil && d.hash == in.base.hash:
		return r.advance(in.base)
	}
	if rebooted {
		for _, b := range slices.Backward(stale) {
			if d.hash == b.hash {
				r.base = b
				return r
			}
		}
	}
	// Somebody has edited or deleted the file since. The disk may hold what was there
	// before that still, so all of it is kept.
	r.stale = slices.Clone(stale)
	if in != nil {
		r.stale = append(r.stale, in.base)
	}
	if rebooted && len(stale) > 0 {
		// Nobody knows on top of which base it was. The oldest is right for all: with
		// it, at worst, something is merged that was known; with a newer one something
		// would be lost unseen.
		r.stale = append(r.stale, r.base)
		r.base = stale[0]
		if r.base.unknown { // it is an edit all the same
			r.base = base{}
		}
	}
	return r
}

// foreign reports whether the file that is on disk after the machine was started is at
// none of the bases that it may be at, though it may have lost writes.
func (r record) foreign(d sight, at dir.Stat) bool {
	if d.kind != present || len(r.stale) == 0 || d.hash == r.base.hash {
		return false
	}
	if in := r.intent; in != nil && (d.hash == in.base.hash || in.inode != 0 && at.Ino == in.inode) {
		return false
	}
	return !slices.ContainsFunc(r.stale, func(b base) bool { return d.hash == b.hash })
}

// torn returns the record of a file of which the machine has lost writes so that it
// holds what nobody wrote: what is there stands for the base, so the view is put back.
func (r record) torn(d sight) record {
	r.intent, r.stale = nil, nil
	r.base.hash = d.hash
	return r
}

func fingerprint(h definition.Hash) uint64 { return binary.BigEndian.Uint64(h[:8]) }

// The durable form, all integers as unsigned varints:
//
//	record = format(1) base intents {inode base} count {base} count {8 bytes}
//	base   = flags hash(32 bytes, if flagPresent) count {change(32 bytes) len path}
//
// A head's path is empty if it is the record's own, as it nearly always is.
const recordFormat = 1

const (
	flagPresent = 1 << iota
	flagUnknown
)

var errRecord = errors.New("damaged record")

// encode returns the durable form of the record of path p.
func (r record) encode(p definition.Path) []byte {
	b := make([]byte, 0, 96+64*len(r.stale)+8*len(r.past))
	b = append(b, recordFormat)
	b = appendBase(b, p, r.base)
	if r.intent == nil {
		b = binary.AppendUvarint(b, 0)
	} else {
		b = binary.AppendUvarint(b, 1)
		b = binary.AppendUvarint(b, r.intent.inode)
		b = appendBase(b, p, r.intent.base)
	}
	b = binary.AppendUvarint(b, uint64(len(r.stale)))
	for _, s := range r.stale {
		b = appendBase(b, p, s)
	}
	b = binary.AppendUvarint(b, uint64(len(r.past)))
	for _, f := range r.past {
		b = binary.BigEndian.AppendUint64(b, f)
	}
	return b
}

func appendBase(b []byte, p definition.Path, s base) []byte {
	var flags uint64
	if s.hash != (definition.Hash{}) {
		flags |= flagPresent
	}
	if s.unknown {
		flags |= flagUnknown
	}
	b = binary.AppendUvarint(b, flags)
	if flags&flagPresent != 0 {
		b = append(b, s.hash[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(s.heads)))
	for _, h := range s.heads {
		b = append(b, h.Change[:]...)
		path := ""
		if h.Path != p {
			path = h.Path.String()
		}
		b = binary.AppendUvarint(b, uint64(len(path)))
		b = append(b, path...)
	}
	return b
}

// decodeRecord reads the durable form of the record of path p.
func decodeRecord(p definition.Path, data []byte) (record, error) {
	d := decoder{rest: data, path: p}
	if format := d.uvarint(); format != recordFormat && d.err == nil {
		return record{}, fmt.Errorf("read record of %s: %w: format %d is of a newer version", p, errRecord, format)
	}
	r := record{base: d.base()}
	if d.count(1) > 0 {
		r.intent = &intent{inode: d.uvarint()}
		r.intent.base = d.base()
	}
	for range d.count(math.MaxInt) {
		r.stale = append(r.stale, d.base())
	}
	for range d.count(math.MaxInt) {
		r.past = append(r.past, binary.BigEndian.Uint64(d.bytes(8)))
	}
	if d.err == nil && len(d.rest) > 0 {
		d.err = errRecord
	}
	if d.err != nil {
		return record{}, fmt.Errorf("read record of %s: %w", p, d.err)
	}
	return r, nil
}

// decoder reads the durable form; after the first error it returns zeros.
type decoder struct {
	rest []byte
	path definition.Path
	err  error
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads a number of things: no more than the limit, or than bytes are left.
func (d *decoder) count(limit int) int {
	v := d.uvarint()
	if v > uint64(min(limit, len(d.rest))) {
		d.fail()
		return 0
	}
	return int(v)
}

// bytes returns the next n bytes, or as many zeros after an error.
func (d *decoder) bytes(n int) []byte {
	if n > len(d.rest) {
		d.fail()
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) base() base {
	var b base
	flags := d.uvarint()
	b.unknown = flags&flagUnknown != 0
	if flags&flagPresent != 0 {
		copy(b.hash[:], d.bytes(len(b.hash)))
	}
	for range d.count(math.MaxInt) {
		v := definition.Version{Path: d.path}
		copy(v.Change[:], d.bytes(len(v.Change)))
		if n := d.count(math.MaxInt); n > 0 {
			path, err := definition.ParsePath(string(d.bytes(n)))
			if err != nil {
				d.fail()
			}
			v.Path = path
		}
		b.heads = append(b.heads, v)
	}
	return b
}

func (d *decoder) fail() {
	d.err, d.rest = errRecord, nil
}

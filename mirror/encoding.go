package mirror

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/starling-sync/starling/definition"
)

// The durable form, all integers as unsigned varints:
//
//	record = format(1) base intents {inode base} count {base} count {8 bytes, time} count {base base time}
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
	b := make([]byte, 0, 96+64*len(r.stale)+16*len(r.past)+160*len(r.outdated))
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
	for _, c := range r.past {
		b = binary.BigEndian.AppendUint64(b, c.fingerprint)
		b = binary.AppendUvarint(b, uint64(c.until))
	}
	b = binary.AppendUvarint(b, uint64(len(r.outdated)))
	for _, o := range r.outdated {
		b = appendBase(b, p, o.base)
		b = appendBase(b, p, o.by)
		b = binary.AppendUvarint(b, uint64(o.until))
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
		r.past = append(r.past, pastContent{binary.BigEndian.Uint64(d.bytes(8)), d.time()})
	}
	for range d.count(math.MaxInt) {
		replaced, by := d.base(), d.base()
		r.outdated = append(r.outdated, outdated{replaced, by, d.time()})
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

// time reads milliseconds since 1970.
func (d *decoder) time() int64 { return int64(d.uvarint()) }

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

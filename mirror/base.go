package mirror

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/starling-sync/starling/definition"
	"github.com/starling-sync/starling/mirror/internal/dir"
)

// base is what directory and view of a path last had in common.
type base struct {
	// heads are the versions that the content on disk is known to include. An
	// edit on disk has them as parents.
	heads []definition.Version
	// hash is the content's hash; zero means absent.
	hash definition.Hash
	// unknown: this node has not yet brought the path into sync once, so nobody
	// knows whether its file on disk is newer or older than the view. So it is
	// for every path before the node's first complete sync, and afterwards for
	// files that could not be read then. The base of a path that is seen first
	// after that sync is the zero base instead: no heads, absent.
	unknown bool
}

// equal reports whether b says the same as c.
func (b base) equal(c base) bool {
	return b.hash == c.hash && b.unknown == c.unknown && slices.Equal(b.heads, c.heads)
}

// baseOf is the base of a path whose file is what the view wants.
func baseOf(v definition.View) base { return base{heads: v.Heads, hash: v.Hash} }

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
	// past are the contents that the file had before, latest last. A file that returns
	// to one of them may have been restored from a backup (see suspicion.go).
	past []pastContent
	// outdated are the bases that exports have replaced, oldest first: somebody may have
	// read the file then, and save it now (see forms).
	outdated []outdated
}

// pastContent is a content that the file had before: the first 8 bytes of its hash, and when
// it was replaced last, in milliseconds since 1970.
type pastContent struct {
	fingerprint uint64
	until       int64
}

// outdated is a base that an export has replaced, by which, and when, in milliseconds since 1970.
type outdated struct {
	base, by base
	until    int64
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
	// maxOutdated bounds the bases of one path that a save may have been made on.
	maxOutdated = 16
	// maxStale bounds the bases that can come back: the pass after a file has
	// collected more flushes the directory first.
	maxStale = 8
)

// advance returns the record after disk and view have come to the base b, now.
func (r record) advance(b base, now time.Time) record {
	next := record{base: b, stale: r.stale, past: r.past, outdated: r.outdated}
	if b.hash == r.base.hash {
		return next
	}
	next.stale = append(slices.Clone(r.stale), r.base)
	if r.base.hash != (definition.Hash{}) {
		f := fingerprint(r.base.hash)
		past := slices.DeleteFunc(slices.Clone(r.past), func(c pastContent) bool { return c.fingerprint == f })
		past = append(past, pastContent{f, now.UnixMilli()})
		next.past = past[max(0, len(past)-maxPast):]
	}
	return next
}

// exported is advance for a base that an export has brought about.
func (r record) exported(b base, now time.Time) record {
	next := r.advance(b, now)
	if b.hash == r.base.hash || r.base.hash == (definition.Hash{}) {
		return next
	}
	list := slices.DeleteFunc(slices.Clone(r.outdated), func(o outdated) bool { return o.base.hash == r.base.hash })
	list = append(list, outdated{r.base, b, now.UnixMilli()})
	next.outdated = list[max(0, len(list)-maxOutdated):]
	return next
}

// expire drops the outdated bases that were replaced longer ago than limit. A time in the
// future, which a clock that went back leaves, counts by its distance too.
func (r *record) expire(now time.Time, limit time.Duration) {
	if len(r.outdated) == 0 {
		return
	}
	r.outdated = slices.DeleteFunc(slices.Clone(r.outdated), func(o outdated) bool {
		return now.Sub(time.UnixMilli(o.until)).Abs() > limit
	})
}

// flushed returns the record after the directory was written to disk.
func (r record) flushed() record {
	r.stale = nil
	return r
}

// returns reports whether a hash is one that the file had before, and until when.
func (r record) returns(h definition.Hash) (until time.Time, ok bool) {
	f := fingerprint(h)
	for _, c := range r.past {
		if c.fingerprint == f {
			return time.UnixMilli(c.until), true
		}
	}
	return time.Time{}, false
}

// recover returns the record as it is right after a crash, for the file that is on
// disk now: at the base that the file matches, or surely is on top of. rebooted says
// that the machine may have lost writes since, placed that the export that was begun
// surely took place, whatever is there now.
func (r record) recover(d diskState, at dir.Stat, rebooted, placed bool, now time.Time) record {
	in, stale := r.intent, r.stale
	r.intent = nil
	if rebooted { // what is on disk now has survived
		r.stale = nil
	}
	switch {
	case d.kind == unreadable:
		return r
	case in != nil && (placed || in.inode != 0 && at.Ino == in.inode):
		return r.exported(in.base, now)
	case d.hash == r.base.hash:
		return r
	case in != nil && d.hash == in.base.hash:
		return r.exported(in.base, now)
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
func (r record) foreign(d diskState, at dir.Stat) bool {
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
func (r record) torn(d diskState) record {
	r.intent, r.stale = nil, nil
	r.base.hash = d.hash
	return r
}

func fingerprint(h definition.Hash) uint64 { return binary.BigEndian.Uint64(h[:8]) }

package crdt

import (
	"crypto/sha256"
	"encoding/binary"
)

// lookup finds elements by a digest of theirs, which it does not keep: a map would
// hold the digests of all history once more. Elements are told apart by the first
// bytes of it. Who looks for two that share those bytes finds them with 2^32 tries, so
// the later ones are in a map of whole digests.
type lookup[K ~[sha256.Size]byte] struct {
	of    func(*element) K
	first map[uint64]*element
	rest  map[K]*element // nil if there are none
}

func newLookup[K ~[sha256.Size]byte](of func(*element) K) lookup[K] {
	return lookup[K]{of: of, first: make(map[uint64]*element)}
}

func prefixOf[K ~[sha256.Size]byte](k K) uint64 { return binary.LittleEndian.Uint64(k[:8]) }

// find returns the element of a digest, or nil.
func (l *lookup[K]) find(k K) *element {
	if e := l.first[prefixOf(k)]; e == nil || l.of(e) == k {
		return e
	}
	return l.rest[k]
}

// add makes an element known that is not.
func (l *lookup[K]) add(e *element) {
	k := l.of(e)
	if _, taken := l.first[prefixOf(k)]; !taken {
		l.first[prefixOf(k)] = e
		return
	}
	if l.rest == nil {
		l.rest = make(map[K]*element)
	}
	l.rest[k] = e
}

func (l *lookup[K]) len() int { return len(l.first) + len(l.rest) }

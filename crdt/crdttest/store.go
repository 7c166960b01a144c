// Package crdttest looks at the store of a replica from outside, for tests: what a
// crash left on the disk, and whether the records that are derived from the blocks fit
// them. It shares no code with package crdt but the format on disk.
package crdttest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// Where things lie in the store.
const (
	blockKeys     = "/0/blocks/" // + priority + / + hash
	processedKeys = "/0/set/b/"  // + hash
	headKeys      = "/0/set/h/"  // + hash
)

// Store is what a replica's store holds. Blocks are named by their multihashes as
// go-ds-crdt writes them in keys.
type Store struct {
	links     map[string][]string // of each block
	processed map[string]bool
	heads     map[string]bool
}

// Read reads the store below a replica's directory without changing anything there. No
// process may have it open. on is where it lies; nil is the disk. A store that was not
// made yet is empty.
func Read(dir string, on vfs.FS) (*Store, error) {
	if on == nil {
		on = vfs.Default
	}
	s := &Store{links: make(map[string][]string), processed: make(map[string]bool), heads: make(map[string]bool)}
	name := filepath.Join(dir, "store")
	if _, err := on.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	db, err := pebble.Open(name, &pebble.Options{ReadOnly: true, FS: on, Logger: quiet{}})
	switch {
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("read store: %w", err)
	}
	err = errors.Join(
		each(db, blockKeys, s.addBlock),
		each(db, processedKeys, func(key string, _ []byte) error { s.processed[key] = true; return nil }),
		each(db, headKeys, func(key string, _ []byte) error { s.heads[key] = true; return nil }),
		db.Close(),
	)
	if err != nil {
		return nil, fmt.Errorf("read store: %w", err)
	}
	return s, nil
}

// each calls do with every key below a prefix, without the prefix.
func each(db *pebble.DB, prefix string, do func(key string, value []byte) error) error {
	iter, err := db.NewIter(&pebble.IterOptions{
		LowerBound: []byte(prefix),
		UpperBound: append(bytes.TrimSuffix([]byte(prefix), []byte("/")), '0'), // '0' follows '/'
	})
	if err != nil {
		return err
	}
	var errs []error
	for iter.First(); iter.Valid(); iter.Next() {
		errs = append(errs, do(strings.TrimPrefix(string(iter.Key()), prefix), iter.Value()))
	}
	return errors.Join(append(errs, iter.Error(), iter.Close())...)
}

func (s *Store) addBlock(key string, raw []byte) error {
	c, err := cid.V1Builder{Codec: cid.DagProtobuf, MhType: mh.SHA2_256}.Sum(raw)
	if err != nil {
		return err
	}
	hash := hashOf(c)
	if !strings.HasSuffix(key, "/"+hash) {
		return fmt.Errorf("the block under %s is %s", key, hash)
	}
	nd, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return fmt.Errorf("block %s: %w", hash, err)
	}
	s.links[hash] = []string{}
	for _, l := range nd.Links() {
		s.links[hash] = append(s.links[hash], hashOf(l.Cid))
	}
	return nil
}

func hashOf(c cid.Cid) string {
	return strings.TrimPrefix(dshelp.MultihashToDsKey(c.Hash()).String(), "/")
}

// Blocks returns how many blocks the store holds.
func (s *Store) Blocks() int { return len(s.links) }

// CheckCrashed returns an error unless the store is one that a crash may leave: every
// link of every block leads to a block.
func (s *Store) CheckCrashed() error {
	var errs []error
	for hash, links := range s.links {
		for _, l := range links {
			if _, ok := s.links[l]; !ok {
				errs = append(errs, fmt.Errorf("block %s links to %s, which is not there", hash, l))
			}
		}
	}
	return errors.Join(errs...)
}

// CheckClosed returns an error unless the store is one that a replica may leave when it
// is closed: as after a crash, and go-ds-crdt has processed exactly the blocks, and has
// exactly those as heads that no other links to, so that each is reached from a head.
func (s *Store) CheckClosed() error {
	errs := []error{s.CheckCrashed()}
	linked := make(map[string]bool)
	for _, links := range s.links {
		for _, l := range links {
			linked[l] = true
		}
	}
	for hash := range s.links {
		if !s.processed[hash] {
			errs = append(errs, fmt.Errorf("block %s is not processed", hash))
		}
		if s.heads[hash] == linked[hash] {
			errs = append(errs, fmt.Errorf("block %s: head of go-ds-crdt %t, linked to by another %t", hash, s.heads[hash], linked[hash]))
		}
	}
	for _, records := range []map[string]bool{s.processed, s.heads} {
		for hash := range records {
			if _, ok := s.links[hash]; !ok {
				errs = append(errs, fmt.Errorf("go-ds-crdt has a record of %s, which is not there", hash))
			}
		}
	}
	return errors.Join(errs...)
}

// quiet keeps pebble from writing to standard error.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}

// Fatalf ends the test's process, as pebble wants.
func (quiet) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

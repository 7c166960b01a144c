package crdt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	pebbleds "github.com/ipfs/go-ds-pebble"

	"github.com/starling-sync/starling/internal/failpoint"
	"github.com/starling-sync/starling/trust"
)

// Where things lie in the store. The number is the epoch: a later compaction
// can start a new set beside this one.
const (
	blocksPrefix  = "/0/blocks" // the truth
	setPrefix     = "/0/set"    // go-ds-crdt's own records, derived
	recordsPrefix = "/records"  // the mirror's, outside the set

	processedPrefix = setPrefix + "/b/" // which blocks go-ds-crdt has processed
)

// Sizes of pebble. A registry is a few MB, so the idle memory is kept small; a
// memtable of this size still takes thousands of small definitions.
const (
	cacheSize    = 8 << 20
	memTableSize = 4 << 20
	bloomBits    = 10
)

// store is the disk below a replica: blocks, go-ds-crdt's records, the
// mirror's. Writes are not synced one by one; sync covers all before it.
type store struct {
	*pebbleds.Datastore
}

// openStore opens the store below dir on fs; nil is the disk.
func openStore(dir string, fs vfs.FS, log *slog.Logger) (*store, error) {
	cache := pebble.NewCache(cacheSize)
	defer cache.Unref() // the database holds its own reference
	opts := &pebble.Options{
		Cache:                       cache,
		FS:                          fs,
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: 4,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      pebbleLog{log},
	}
	for i := range opts.Levels {
		// Most look-ups are for keys that are not there.
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	db, err := pebble.Open(filepath.Join(dir, "store"), opts)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	d, err := pebbleds.NewDatastore("", pebbleds.WithPebbleDB(db))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	return &store{d}, nil
}

// sync makes every write before it durable. It blocks for one fsync.
func (s *store) sync(ctx context.Context) error { return s.Sync(ctx, ds.NewKey("/")) }

// Put implements the datastore of go-ds-crdt, which writes by it that it has processed a
// block.
func (s *store) Put(ctx context.Context, key ds.Key, value []byte) error {
	err := s.Datastore.Put(ctx, key, value)
	if strings.HasPrefix(key.String(), processedPrefix) {
		failpoint.Hit(failpoint.BlockProcessed, "")
	}
	return err
}

// drop deletes everything below a prefix.
func (s *store) drop(prefix string) error {
	return s.DB.DeleteRange([]byte(prefix+"/"), []byte(prefix+"0"), pebble.NoSync) // '0' follows '/'
}

// blockKey is where a block lies: below its priority, so that reading the
// blocks in the order of their keys is reading them oldest first.
func blockKey(prio uint64, c cid.Cid) ds.Key {
	return ds.RawKey(fmt.Sprintf("%s/%016x%s", blocksPrefix, prio, hashKey(c)))
}

// processedKey is where go-ds-crdt notes that it has processed a block.
func processedKey(c cid.Cid) ds.Key { return ds.RawKey(setPrefix + "/b" + hashKey(c)) }

// headKey is where go-ds-crdt notes that a block is a head.
func headKey(c cid.Cid) ds.Key { return ds.RawKey(setPrefix + "/h" + hashKey(c)) }

// hashKey is how go-ds-crdt writes a block's multihash in a key.
func hashKey(c cid.Cid) string { return dshelp.MultihashToDsKey(c.Hash()).String() }

// openAtOnce is how many stored blocks, and openBytes about how many bytes of them, are
// opened at a time.
const (
	openAtOnce = 512
	openBytes  = 4 << 20
)

// blocks calls yield with every stored block, oldest first.
func (s *store) blocks(ctx context.Context, cluster trust.ClusterID, yield func(*block) error) error {
	it, err := s.DB.NewIterWithContext(ctx, &pebble.IterOptions{
		LowerBound: []byte(blocksPrefix + "/"),
		UpperBound: []byte(blocksPrefix + "0"), // '0' follows '/'
	})
	if err != nil {
		return fmt.Errorf("read blocks: %w", err)
	}
	defer func() { _ = it.Close() }() // of a read; the errors that matter are Error's
	var raws [][]byte
	size := 0
	open := func() error {
		blocks, err := openBlocks(raws, func(raw []byte) (*block, error) { return openBlock(raw, cluster, true) })
		for _, b := range blocks {
			if err := yield(b); err != nil {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("read blocks: %w", err)
		}
		clear(raws)
		raws, size = raws[:0], 0
		return ctx.Err()
	}
	for it.First(); it.Valid(); it.Next() {
		raw := bytes.Clone(it.Value())
		raws, size = append(raws, raw), size+len(raw)
		if len(raws) == openAtOnce || size >= openBytes {
			if err := open(); err != nil {
				return err
			}
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read blocks: %w", err)
	}
	return open()
}

// processed reports whether all blocks that go-ds-crdt has processed are as is says.
// Each comes once.
func (s *store) processed(ctx context.Context, is func(cid.Cid) bool) (bool, error) {
	it, err := s.DB.NewIterWithContext(ctx, &pebble.IterOptions{
		LowerBound: []byte(processedPrefix),
		UpperBound: []byte(strings.TrimSuffix(processedPrefix, "/") + "0"),
	})
	if err != nil {
		return false, fmt.Errorf("read processed blocks: %w", err)
	}
	defer func() { _ = it.Close() }() // of a read; the errors that matter are Error's
	for it.First(); it.Valid(); it.Next() {
		mh, err := dshelp.BinaryFromDsKey(ds.RawKey(string(it.Key()[len(processedPrefix)-1:])))
		if err != nil || !is(cid.NewCidV1(cid.DagProtobuf, mh)) {
			return false, nil
		}
	}
	if err := it.Error(); err != nil {
		return false, fmt.Errorf("read processed blocks: %w", err)
	}
	return true, ctx.Err()
}

// heads returns the keys of the blocks that go-ds-crdt has as heads, and their
// priorities.
func (s *store) heads(ctx context.Context) (map[string]uint64, error) {
	results, err := s.Query(ctx, query.Query{Prefix: setPrefix + "/h"})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	defer func() { _ = results.Close() }()
	heads := make(map[string]uint64)
	for r := range results.Next() {
		if r.Error != nil {
			return nil, fmt.Errorf("read heads: %w", r.Error)
		}
		heads[r.Key], _ = binary.Uvarint(r.Value) // 0, no priority, if damaged
	}
	return heads, ctx.Err()
}

// write puts a block and records in one batch.
func (s *store) write(ctx context.Context, b *block, records map[string][]byte) error {
	batch, err := s.Batch(ctx)
	if err != nil {
		return fmt.Errorf("write block: %w", err)
	}
	if b != nil {
		if err := batch.Put(ctx, blockKey(b.prio, b.cid), b.raw); err != nil {
			return fmt.Errorf("write block: %w", err)
		}
	}
	for key, value := range records {
		k := ds.RawKey(recordsPrefix + "/" + key)
		if value == nil {
			err = batch.Delete(ctx, k)
		} else {
			err = batch.Put(ctx, k, value)
		}
		if err != nil {
			return fmt.Errorf("write record: %w", err)
		}
	}
	failpoint.Hit(failpoint.BatchFilled, "")
	if err := batch.Commit(ctx); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	failpoint.Hit(failpoint.BatchCommitted, "")
	return nil
}

// records returns the records whose key begins with prefix.
func (s *store) records(ctx context.Context, prefix string) (map[string][]byte, error) {
	results, err := s.Query(ctx, query.Query{Prefix: recordsPrefix})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	defer func() { _ = results.Close() }()
	out := make(map[string][]byte)
	for r := range results.Next() {
		if r.Error != nil {
			return nil, fmt.Errorf("read records: %w", r.Error)
		}
		if key := strings.TrimPrefix(r.Key, recordsPrefix+"/"); strings.HasPrefix(key, prefix) {
			out[key] = r.Value
		}
	}
	return out, ctx.Err()
}

// pebbleLog passes on pebble's errors; its information is not for people.
type pebbleLog struct{ log *slog.Logger }

func (pebbleLog) Infof(string, ...any) {}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.log.Error("storage error", "err", fmt.Sprintf(format, args...))
}

// Fatalf is called when the write-ahead log cannot be written: pebble wants the
// process to end before anything more is acknowledged.
func (l pebbleLog) Fatalf(format string, args ...any) {
	panic("storage failed: " + fmt.Sprintf(format, args...))
}

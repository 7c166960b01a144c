package crdt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/ipfs/go-cid"

	"github.com/starling-sync/starling/internal/failpoint"
)

// marker is the file that tells of an unclean stop: it is there while a replica
// is open, and stays if its store failed.
const marker = "unclean"

// recover computes the index from the blocks and opens go-ds-crdt with complete
// records. go-ds-crdt marks a block as processed before it writes the heads, and
// its repair does not see what is lost in between; so after an unclean stop its
// records are dropped and made again, and so are records that do not fit the
// index.
func (r *Replica) recover(ctx context.Context) error {
	unclean, err := r.mark()
	if err != nil {
		return fmt.Errorf("mark the replica as open: %w", err)
	}
	err = r.store.blocks(ctx, r.opts.Cluster, func(b *block) error {
		e, err := r.index.check(b)
		if err != nil {
			return fmt.Errorf("stored block %s: %w", b.cid, err)
		}
		r.addToIndex(b, e)
		return nil
	})
	if err != nil {
		return err
	}
	fits := false
	if !unclean {
		if fits, err = r.setFits(ctx); err != nil {
			return err
		}
	}
	if fits {
		return r.openSet()
	}
	return r.rebuildSet(ctx)
}

// mark writes the marker, durably, and reports whether it was there.
func (r *Replica) mark() (was bool, err error) {
	name := filepath.Join(r.opts.Dir, marker)
	if _, err = r.opts.FS.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	was = err == nil
	if !was {
		f, err := r.opts.FS.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			return false, err
		}
		if err := f.Close(); err != nil {
			return false, err
		}
		failpoint.Hit(failpoint.MarkerMade, marker)
	}
	dir, err := r.opts.FS.OpenDir(r.opts.Dir)
	if err != nil {
		return was, err
	}
	err = errors.Join(dir.Sync(), dir.Close())
	failpoint.Hit(failpoint.MarkerSynced, marker)
	return was, err
}

// setFits reports whether go-ds-crdt has processed exactly the blocks of the
// index and keeps the index's heads with their priorities.
func (r *Replica) setFits(ctx context.Context) (bool, error) {
	left := r.index.byBlock.len()
	fits, err := r.store.processed(ctx, func(c cid.Cid) bool {
		left--
		return r.index.find(c) != nil
	})
	if err != nil || !fits || left != 0 {
		return false, err
	}
	heads, err := r.store.heads(ctx)
	if err != nil || len(heads) != len(r.index.heads) {
		return false, err
	}
	for e := range r.index.heads {
		if heads[headKey(e.block.cid()).String()] != e.prio {
			return false, nil
		}
	}
	return true, nil
}

// rebuildSet drops go-ds-crdt's records and hands over all blocks again, oldest
// first.
func (r *Replica) rebuildSet(ctx context.Context) error {
	if err := r.store.drop(setPrefix); err != nil {
		return fmt.Errorf("drop go-ds-crdt's records: %w", err)
	}
	failpoint.Hit(failpoint.SetDropped, "")
	if err := r.openSet(); err != nil {
		return err
	}
	handed := 0
	err := r.store.blocks(ctx, r.opts.Cluster, func(b *block) error {
		handed++
		err := r.handOver(ctx, b)
		failpoint.Hit(failpoint.SetRebuilding, "")
		return err
	})
	if err != nil {
		return err
	}
	r.dag.work(nil, nil)
	r.log.Info("recovered the set", "blocks", handed)
	err = r.store.sync(ctx)
	failpoint.Hit(failpoint.SetRebuilt, "")
	return err
}

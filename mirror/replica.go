package mirror

import (
	"context"
	"time"

	"github.com/starling-sync/starling/definition"
)

// Replica is what the mirror needs of this node's copy of the set. All methods
// are safe for concurrent use.
type Replica interface {
	// Wake has one slot; a value means that TakeDirty has something. It is sent after
	// the path was added.
	Wake() <-chan struct{}
	// TakeDirty returns the paths whose view may have changed since the last
	// call. It never loses one.
	TakeDirty() []definition.Path
	// Paths returns every path that has at least one version, present or not.
	Paths() []definition.Path
	// View returns the view of a path from memory; the zero View (with Path) if
	// it was never heard of.
	View(definition.Path) definition.View
	// Read returns a view and its bytes, consistent with each other. The bytes
	// are the caller's.
	Read(context.Context, definition.Path) (definition.View, []byte, error)

	// Merged returns the bytes that versions of one path come to together, nil if that
	// is no file. The caller compares their hash with what it expects.
	Merged(context.Context, definition.Path, ...definition.Version) ([]byte, error)
	// Superseded reports whether a version of the path with these bytes was replaced by
	// another that was made on top of it, and when that was last done.
	Superseded(definition.Path, definition.Hash) (last time.Time, ok bool)

	// Append signs the draft as one change (or several, if it is over the
	// limits) that is on disk before Append returns. It calls records once,
	// before the last change is written, with the version that each edit (same index)
	// becomes; what records returns (key to value, nil deletes) is written in
	// the same batch as the last change and synced with it. Append does not keep the
	// draft's bytes.
	//
	// If a rule of the cluster refuses some of the paths for good, the error
	// has, in its chain, a method RefusedPaths() []definition.Path. Then
	// nothing was written, and the mirror holds those files and appends the rest.
	Append(ctx context.Context, d definition.Draft, records func([]definition.Version) map[string][]byte) ([]definition.Version, error)

	// LoadRecords returns the mirror's own durable records whose key begins
	// with prefix.
	LoadRecords(ctx context.Context, prefix string) (map[string][]byte, error)
	// SaveRecords writes records in one batch; a nil value deletes. They are
	// durable on return if sync is set; if not, they are written in order with
	// all later batches.
	SaveRecords(ctx context.Context, records map[string][]byte, sync bool) error
}

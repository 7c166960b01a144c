// Package failpoint names the moments around every durable step of a node, so that
// a test can end the process, or copy its disk, at each of them.
//
// Production code calls Hit after (or, where the name says so, before) the step. Hit
// costs one atomic load while no hook is set, and only Set sets one. No flag, no
// environment variable and no file leads to Set: the linter lets none but tests and
// package testcluster call it, and .ci/failpoints, a part of `make check`, builds the
// program and fails if Set is in it. The linker leaves out what nothing can reach, so a
// released binary holds no instruction that stores a hook.
//
// Rewriting tools (pingcap/failpoint, etcd's gofail) were not taken: the program that
// is tested would then be another one than the program that is released, and theirs are
// switched on by the environment.
package failpoint

import "sync/atomic"

// Point is one moment. What is passed to Hit along with it is the name of the file or
// folder that it is about, if there is one.
type Point string

// The points of package crdt.
const (
	MarkerMade     Point = "crdt/marker-made"     // the marker of an unclean stop is there, its folder not synced
	MarkerSynced   Point = "crdt/marker-synced"   // it is durable
	SetDropped     Point = "crdt/set-dropped"     // a recovery has dropped go-ds-crdt's records
	SetRebuilding  Point = "crdt/set-rebuilding"  // a recovery has handed over one more block
	SetRebuilt     Point = "crdt/set-rebuilt"     // a recovery is durable
	BatchFilled    Point = "crdt/batch-filled"    // a batch of a block or records is about to be committed
	BatchCommitted Point = "crdt/batch-committed" // it is committed, not synced
	BlockPut       Point = "crdt/block-put"       // go-ds-crdt is through with a block of this node, which is not synced
	BlockSynced    Point = "crdt/block-synced"    // the block is durable, not visible and not acknowledged
	BlockStored    Point = "crdt/block-stored"    // a peer's block is stored, not handed over
	BlockProcessed Point = "crdt/block-processed" // go-ds-crdt has marked a block processed, and not written its heads
	BlockAdmitted  Point = "crdt/block-admitted"  // go-ds-crdt is through with a peer's block, which is not visible
	RecordsSynced  Point = "crdt/records-synced"  // records of the mirror are durable
	StoreClosed    Point = "crdt/store-closed"    // the store is closed, the marker is there
	MarkerRemoved  Point = "crdt/marker-removed"  // the marker is gone, its folder not synced
)

// The points of package mirror.
const (
	MarkingTemp       Point = "mirror/marking-temp"        // the directory's marker is written and synced under a temporary name
	MarkingPlaced     Point = "mirror/marking-placed"      // it has its name, the directory is not synced
	MarkingSynced     Point = "mirror/marking-synced"      // it is durable
	Imported          Point = "mirror/imported"            // a change is durable, with its bases
	FolderMade        Point = "mirror/folder-made"         // a missing folder was made
	TempCreated       Point = "mirror/temp-created"        // a temporary file is there, empty
	TempWritten       Point = "mirror/temp-written"        // it has its bytes and attributes
	TempSynced        Point = "mirror/temp-synced"         // it is durable by itself
	FileSystemSynced  Point = "mirror/file-system-synced"  // everything in the directory is durable
	IntentsSaved      Point = "mirror/intents-saved"       // the intents of an export are durable
	ExportBegins      Point = "mirror/export-begins"       // temporary files and intents are durable, nothing is in place
	Renaming          Point = "mirror/renaming"            // a temporary file is about to take the name
	Renamed           Point = "mirror/renamed"             // it has the name
	Deleting          Point = "mirror/deleting"            // a file is about to be removed
	Deleted           Point = "mirror/deleted"             // it is removed
	ExportPlaced      Point = "mirror/export-placed"       // a batch is in place, its bases not saved
	RecordsSaved      Point = "mirror/records-saved"       // a pass's records are saved, bases among them
	FileFlushed       Point = "mirror/file-flushed"        // a file or folder is durable
	Flushed           Point = "mirror/flushed"             // so are all that changed, and no record says so
	FlushRecorded     Point = "mirror/flush-recorded"      // the records say so
	FirstSyncEnds     Point = "mirror/first-sync-ends"     // the first sync is done, and no record says so
	FirstSyncRecorded Point = "mirror/first-sync-recorded" // it is recorded, durably
	RecoveryEnds      Point = "mirror/recovery-ends"       // all files were compared after a start of the machine
	RecoveryRecorded  Point = "mirror/recovery-recorded"   // that is recorded, durably
)

// The points of package trust, of the file named: keys, configuration, membership,
// invitations.
const (
	FolderSynced Point = "trust/folder-synced" // a folder was made in this one, and is durable
	SecretSynced Point = "trust/secret-synced" // it is durable under a temporary name
	SecretPlaced Point = "trust/secret-placed" // it has its name, the folder is not synced
	SecretSaved  Point = "trust/secret-saved"  // it is durable
)

// The points of package discovery.
const (
	PeersSynced Point = "discovery/peers-synced" // the remembered peers are durable under a temporary name
	PeersPlaced Point = "discovery/peers-placed" // they have their name, the folder is not synced
)

// hook is what Set has set.
var hook atomic.Pointer[func(Point, string)]

// Hit calls the hook, if there is one, and returns when it does. Any goroutine may call
// it, with locks held.
func Hit(p Point, name string) {
	if h := hook.Load(); h != nil {
		(*h)(p, name)
	}
}

// Set makes h the hook of the process, for tests; nil ends it. h is called by the
// goroutine that takes the step, concurrently with itself.
//
//go:noinline
func Set(h func(p Point, name string)) {
	if h == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&h)
}
